/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave latency: the end-to-end latency of one candidate, in its three parts; what a space's candidates can have. */

#include "cli.h"
#include "latency-space.h"
#include "purposes.h"
#include "settings.h"

#include <json-glib/json-glib.h>

/* Candidates that --limit draws. */
#define N_CANDIDATES 1000000

/* What was asked. */
typedef struct
{
  char *architecture, *split;
  gboolean best, limit;
} Options;

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
  return cleave_space_set_dataset (space, NULL, error) ? cleave_space_build (space, candidate, error) : NULL;
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
add_latency (JsonBuilder *builder, const CleaveLatency *latency)
{
  const struct
  {
    const char *key;
    double value;
  } members[] = {
    { "head_ms", latency->head_ms },   { "transfer_ms", latency->transfer_ms },   { "tail_ms", latency->tail_ms },
    { "total_ms", latency->total_ms }, { "payload_bits", latency->payload_bits },
  };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      json_builder_set_member_name (builder, members[i].key);
      json_builder_add_double_value (builder, members[i].value);
    }
  json_builder_set_member_name (builder, "payload_elements");
  json_builder_add_int_value (builder, (gint64)latency->payload_elements);
}

static JsonBuilder *
begin_json (void)
{
  JsonBuilder *builder = json_builder_new ();

  json_builder_begin_object (builder);
  return builder;
}

static void
print_json (JsonBuilder *builder)
{
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);
  g_print ("%s\n", text);
}

static gboolean
tell_candidate (CleaveComponents *components, const Options *options, gboolean json, GError **error)
{
  guint split;
  CleavePlacement placement;
  CleaveLatency latency;
  g_autoptr (GArray) choices = parse_architecture (options->architecture, error);

  if (choices == NULL || !parse_split (options->split, &split, &placement, error))
    return FALSE;
  g_array_append_val (choices, split);
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new ((const guint *)choices->data, choices->len);
  g_autoptr (CleaveNetwork) network = build_network (components, candidate, error);
  if (network == NULL || !cleave_latency_estimate (components, network, placement, &latency, error))
    return FALSE;
  if (!json)
    {
      print_text (&latency);
      return TRUE;
    }
  g_autoptr (JsonBuilder) builder = begin_json ();
  add_latency (builder, &latency);
  print_json (builder);
  return TRUE;
}

/* --- what the space's candidates can have --- */

static char *
architecture_text (CleaveCandidate *candidate)
{
  GString *text = g_string_new (NULL);

  for (guint d = 0; d + 1 < cleave_candidate_get_length (candidate); d++)
    g_string_append_printf (text, d > 0 ? ",%u" : "%u", cleave_candidate_get (candidate, d));
  return g_string_free (text, FALSE);
}

static gboolean
tell_best (CleaveComponents *components, const CleaveLatencySpace *space, JsonBuilder *builder, GError **error)
{
  g_autoptr (CleaveCandidate) candidate = cleave_latency_space_find_best (space);
  g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (components->space), candidate, error);
  CleaveLatency latency;

  if (network == NULL || !cleave_latency_estimate (components, network, CLEAVE_PLACEMENT_SPLIT, &latency, error))
    return FALSE;
  if (builder == NULL)
    {
      g_autofree char *text = architecture_text (candidate);
      g_print ("lowest latency: --architecture %s --split %u\n", text, cleave_candidate_get_split (candidate));
      print_text (&latency);
      return TRUE;
    }
  json_builder_set_member_name (builder, "architecture");
  json_builder_begin_array (builder);
  for (guint d = 0; d + 1 < cleave_candidate_get_length (candidate); d++)
    json_builder_add_int_value (builder, cleave_candidate_get (candidate, d));
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "split");
  json_builder_add_int_value (builder, cleave_candidate_get_split (candidate));
  add_latency (builder, &latency);
  return TRUE;
}

static void
tell_limit (const CleaveLatencySpace *space, const CleaveSettings *settings, JsonBuilder *builder)
{
  double threshold_ms = settings->objective->latency_threshold;
  g_autoptr (CleaveRandom) random = cleave_random_new (settings->run->seed, CLEAVE_PURPOSE_LATENCY_CANDIDATES, 0, 0);
  guint64 n_within = cleave_latency_space_count_within (space, threshold_ms, N_CANDIDATES, random);

  if (builder == NULL)
    {
      g_print ("within %g ms: %" G_GUINT64_FORMAT " of %u random candidates, %.4f %%\n", threshold_ms, n_within,
               N_CANDIDATES, 100.0 * n_within / N_CANDIDATES);
      return;
    }
  json_builder_set_member_name (builder, "latency_threshold_ms");
  json_builder_add_double_value (builder, threshold_ms);
  json_builder_set_member_name (builder, "random_candidates");
  json_builder_add_int_value (builder, N_CANDIDATES);
  json_builder_set_member_name (builder, "random_candidates_within");
  json_builder_add_int_value (builder, (gint64)n_within);
}

static gboolean
tell_space (CleaveComponents *components, const CleaveSettings *settings, const Options *options, gboolean json,
            GError **error)
{
  g_autoptr (GVariant) variables = cleave_space_variables (CLEAVE_SPACE (components->space), error);
  g_autoptr (CleaveLatencySpace) space = NULL;
  g_autoptr (JsonBuilder) builder = json ? begin_json () : NULL;

  if (variables == NULL)
    return FALSE;
  g_autofree guint *zeros = g_new0 (guint, g_variant_n_children (variables));
  g_autoptr (CleaveCandidate) first = cleave_candidate_new (zeros, g_variant_n_children (variables));
  /* Settles the number of classes. */
  g_autoptr (CleaveNetwork) network = build_network (components, first, error);
  if (network != NULL)
    space = cleave_latency_space_new (components, variables, settings->run->seed, error);
  if (space == NULL || (options->best && !tell_best (components, space, builder, error)))
    return FALSE;
  if (options->limit)
    tell_limit (space, settings, builder);
  if (json)
    print_json (builder);
  return TRUE;
}

/* --- the command --- */

/* Either one candidate, by both its options, or the space. */
static gboolean
check_options (const Options *options, GError **error)
{
  gboolean space = options->best || options->limit;
  const char *missing = options->architecture == NULL ? "--architecture" : options->split == NULL ? "--split" : NULL;

  if (space && (options->architecture != NULL || options->split != NULL))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "latency: %s asks for the whole space, %s for one candidate; expected one or the other",
                   options->best ? "--best" : "--limit", options->architecture != NULL ? "--architecture" : "--split");
      return FALSE;
    }
  if (!space && missing != NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "latency: %s is missing; see cleave latency --help",
                 missing);
  return space || missing == NULL;
}

static gboolean
run_latency (const char *name, const Options *options, const CliShared *shared, GError **error)
{
  if (!check_options (options, error))
    return FALSE;
  g_autoptr (CleaveConfig) config = cli_load_config (name, shared, error);
  g_autoptr (CleaveSettings) settings = config != NULL ? cleave_settings_new (config, error) : NULL;
  g_autoptr (CleaveHost) host = settings != NULL ? cli_make_host (shared, error) : NULL;
  g_autoptr (CleaveComponents) components = host != NULL ? cleave_components_new (host, config, error) : NULL;

  if (components == NULL)
    return FALSE;
  if (options->best || options->limit)
    return tell_space (components, settings, options, shared->json, error);
  return tell_candidate (components, options, shared->json, error);
}

static void
options_clear (Options *options)
{
  g_free (options->architecture);
  g_free (options->split);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

int
cli_latency (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  const GOptionEntry own[] = {
    { "architecture", 0, 0, G_OPTION_ARG_STRING, &options.architecture, "The category of every variable, by number",
      "0,3,…" },
    { "split", 0, 0, G_OPTION_ARG_STRING, &options.split, "The split point, or none: all of it on the device",
      "K|none" },
    { "best", 0, 0, G_OPTION_ARG_NONE, &options.best, "The lowest latency of all candidates, and one that has it",
      NULL },
    { "limit", 0, 0, G_OPTION_ARG_NONE, &options.limit,
      "How many of a million random candidates are within the latency threshold", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (CliShared) shared = { 0 };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments
      = cli_parse (argc, argv, "CONFIG",
                   "Tells the end-to-end latency of a candidate: head on the device, transfer, tail on the server. "
                   "Or, with --best and --limit, what the candidates of the space can have.",
                   own, CLI_OPTION_SET | CLI_OPTION_JSON, &shared, 1, 1, &error);

  if (arguments == NULL || !run_latency (arguments[0], &options, &shared, &error))
    return cli_fail (error);
  return CLI_DONE;
}
