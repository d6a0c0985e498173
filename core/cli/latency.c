/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave latency: the end-to-end latency of one candidate, in its three parts. */

#include "cli.h"
#include "latency.h"
#include "settings.h"

#include <json-glib/json-glib.h>

/* The numbers of "0,3,8" and a place for the split behind them. */
static GArray *
parse_architecture (const char *text, GError **error)
{
  g_autoptr (GArray) choices = g_array_new (FALSE, FALSE, sizeof (guint));
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  for (guint i = 0; words[i] != NULL; i++)
    {
      guint64 number;
      if (!g_ascii_string_to_unsigned (g_strstrip (words[i]), 10, 0, G_MAXUINT, &number, NULL))
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                       "--architecture: number %u is “%s”, expected a whole number from 0 on", i + 1, words[i]);
          return NULL;
        }
      const guint choice = (guint)number;
      g_array_append_val (choices, choice);
    }
  return g_steal_pointer (&choices);
}

/* "none" places all on the device; the network is then cut at 0, which does not matter. */
static gboolean
parse_split (const char *text, guint *split, CleavePlacement *placement, GError **error)
{
  guint64 number = 0;

  *placement = g_str_equal (text, "none") ? CLEAVE_PLACEMENT_DEVICE : CLEAVE_PLACEMENT_SPLIT;
  if (*placement == CLEAVE_PLACEMENT_SPLIT && !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT, &number, NULL))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "--split %s: expected a whole number from 0 on, or none",
                   text);
      return FALSE;
    }
  *split = (guint)number;
  return TRUE;
}

/* The candidate's network. Where the data set's images are not of the shape that the space is for, its number of
 * classes says nothing of that space, whose own is taken. */
static CleaveNetwork *
build_network (CleaveComponents *components, CleaveCandidate *candidate, GError **error)
{
  CleaveSpace *space = CLEAVE_SPACE (components->space);
  g_autoptr (CleaveNetwork) network = cleave_space_build (space, candidate, error);
  g_autoptr (CleaveDatasetInfo) info = NULL;

  if (network == NULL)
    return NULL;
  info = cleave_dataset_get_info (CLEAVE_DATASET (components->dataset), error);
  if (info == NULL)
    return NULL;
  if (cleave_network_get_in_channels (network) == info->channels
      && cleave_network_get_in_height (network) == info->height && cleave_network_get_in_width (network) == info->width)
    return g_steal_pointer (&network);
  g_printerr ("cleave: the space's networks take %u×%u×%u images, those of the data set are %u×%u×%u: its number of "
              "classes is not used\n",
              cleave_network_get_in_channels (network), cleave_network_get_in_height (network),
              cleave_network_get_in_width (network), info->channels, info->height, info->width);
  cleave_space_set_classes (space, 0);
  return cleave_space_build (space, candidate, error);
}

static void
print_text (const CleaveLatency *latency)
{
  g_print ("head      %12.6f ms\n", latency->head_ms);
  g_print ("transfer  %12.6f ms\n", latency->transfer_ms);
  g_print ("tail      %12.6f ms\n", latency->tail_ms);
  g_print ("total     %12.6f ms\n", latency->total_ms);
  g_print ("payload   %12" G_GSIZE_FORMAT " elements, %.0f bit\n", latency->payload_elements, latency->payload_bits);
}

static void
print_json (const CleaveLatency *latency)
{
  const struct
  {
    const char *key;
    double value;
  } members[] = {
    { "head_ms", latency->head_ms },   { "transfer_ms", latency->transfer_ms },   { "tail_ms", latency->tail_ms },
    { "total_ms", latency->total_ms }, { "payload_bits", latency->payload_bits },
  };
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      json_builder_set_member_name (builder, members[i].key);
      json_builder_add_double_value (builder, members[i].value);
    }
  json_builder_set_member_name (builder, "payload_elements");
  json_builder_add_int_value (builder, (gint64)latency->payload_elements);
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);
  g_print ("%s\n", text);
}

static gboolean
run_latency (const char *name, const char *architecture, const char *split_text, const CliShared *shared,
             GError **error)
{
  guint split;
  CleavePlacement placement;
  CleaveLatency latency;

  if (architecture == NULL || split_text == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "latency: %s is missing; see cleave latency --help",
                   architecture == NULL ? "--architecture" : "--split");
      return FALSE;
    }
  g_autoptr (GArray) choices = parse_architecture (architecture, error);
  if (choices == NULL || !parse_split (split_text, &split, &placement, error))
    return FALSE;
  g_array_append_val (choices, split);
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new ((const guint *)choices->data, choices->len);

  g_autoptr (CleaveConfig) config = cli_load_config (name, shared, error);
  g_autoptr (CleaveSettings) settings = config != NULL ? cleave_settings_new (config, error) : NULL;
  g_autoptr (CleaveHost) host = settings != NULL ? cli_make_host (shared, error) : NULL;
  g_autoptr (CleaveComponents) components = host != NULL ? cleave_components_new (host, config, error) : NULL;
  g_autoptr (CleaveNetwork) network = components != NULL ? build_network (components, candidate, error) : NULL;
  if (network == NULL || !cleave_latency_estimate (components, network, placement, &latency, error))
    return FALSE;
  if (shared->json)
    print_json (&latency);
  else
    print_text (&latency);
  return TRUE;
}

int
cli_latency (int argc, char **argv)
{
  g_autofree char *architecture = NULL, *split = NULL;
  const GOptionEntry own[] = {
    { "architecture", 0, 0, G_OPTION_ARG_STRING, &architecture, "The category of every variable, by number", "0,3,…" },
    { "split", 0, 0, G_OPTION_ARG_STRING, &split, "The split point, or none: all of it on the device", "K|none" },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (CliShared) shared = { 0 };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments
      = cli_parse (argc, argv, "CONFIG",
                   "Tells the end-to-end latency of a candidate: head on the device, transfer, tail on the server.",
                   own, CLI_OPTION_SET | CLI_OPTION_JSON, &shared, 1, 1, &error);

  if (arguments == NULL || !run_latency (arguments[0], architecture, split, &shared, &error))
    return cli_fail (error);
  return CLI_DONE;
}
