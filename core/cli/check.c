/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave check: whether a config and all that it names fit together, before a long run finds out. */

#include "cli.h"
#include "evaluation.h"
#include "latency.h"
#include "settings.h"
#include "survey.h"

#include <json-glib/json-glib.h>
#include <math.h>

typedef struct
{
  double minimum;
  double maximum;
} Range;

typedef struct
{
  CleaveConfig *config;
  CleaveSettings *settings;
  CleaveComponents *components;
  CleaveDatasetInfo *info;
  JsonBuilder *json; /* nullable: lines are printed instead */
  gsize n_networks;
  Range payload; /* elements */
  Range device;  /* ms, the whole network */
  Range server;  /* ms, likewise */
  Range channel; /* ms, the payload */
} Check;

static void
check_clear (Check *check)
{
  g_clear_object (&check->config);
  g_clear_pointer (&check->settings, cleave_settings_free);
  g_clear_pointer (&check->components, cleave_components_free);
  g_clear_pointer (&check->info, cleave_dataset_info_free);
  g_clear_object (&check->json);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Check, check_clear)

static void
range_add (Range *range, double value)
{
  range->minimum = fmin (range->minimum, value);
  range->maximum = fmax (range->maximum, value);
}

/* --- output --- */

static void
begin_section (Check *check, const char *section)
{
  g_autofree char *plugin = cleave_config_get (check->config, section, "plugin");

  if (check->json == NULL)
    {
      g_print ("%-10s", section);
      if (plugin != NULL)
        g_print ("%s: ", plugin);
      return;
    }
  json_builder_set_member_name (check->json, section);
  json_builder_begin_object (check->json);
  if (plugin != NULL)
    {
      json_builder_set_member_name (check->json, "plugin");
      json_builder_add_string_value (check->json, plugin);
    }
}

static void
end_section (Check *check)
{
  if (check->json != NULL)
    json_builder_end_object (check->json);
  else
    g_print ("\n");
}

static void
add_count (Check *check, const char *key, const char *format, gint64 value)
{
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, value);
  g_auto (GStrv) parts = g_strsplit (format, "#", 2);

  if (check->json == NULL)
    {
      g_print ("%s%s%s", parts[0], number, parts[1]);
      return;
    }
  json_builder_set_member_name (check->json, key);
  json_builder_add_int_value (check->json, value);
}

/* The members minimum_KEY and maximum_KEY. */
static void
add_range (Check *check, const char *key, const char *text, const Range *range)
{
  g_autofree char *low = g_strdup_printf ("minimum_%s", key);
  g_autofree char *high = g_strdup_printf ("maximum_%s", key);

  if (check->json == NULL)
    {
      g_print ("%.6g to %.6g %s", range->minimum, range->maximum, text);
      return;
    }
  json_builder_set_member_name (check->json, low);
  json_builder_add_double_value (check->json, range->minimum);
  json_builder_set_member_name (check->json, high);
  json_builder_add_double_value (check->json, range->maximum);
}

/* --- the networks --- */

/* Latency of the whole and of the parts, and what crosses. */
static gboolean
check_network (CleaveNetwork *network, gpointer data, GError **error)
{
  Check *check = data;
  CleaveComponents *components = check->components;
  guint n_ops = cleave_network_get_n_ops (network);
  CleaveLatency latency;
  double device, server;

  if (!cleave_evaluation_check_shapes (network, check->info, error)
      || !cleave_latency_estimate_stretch (components->device, "device", network, 0, n_ops, &device, error)
      || !cleave_latency_estimate_stretch (components->server, "server", network, 0, n_ops, &server, error))
    return FALSE;
  if (cleave_network_get_payload_elements (network) == 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "[space]: nothing crosses the cut: the network has none");
      return FALSE;
    }
  if (!cleave_latency_estimate (components, network, CLEAVE_PLACEMENT_SPLIT, &latency, error))
    return FALSE;
  range_add (&check->device, device);
  range_add (&check->server, server);
  range_add (&check->payload, (double)latency.payload_elements);
  range_add (&check->channel, latency.transfer_ms);
  check->n_networks++;
  return TRUE;
}

static gboolean
check_networks (Check *check, GVariant *variables, GError **error)
{
  const Range none = { INFINITY, -INFINITY };

  check->device = check->server = check->channel = check->payload = none;
  return cleave_survey (CLEAVE_SPACE (check->components->space), variables, check_network, check, error);
}

/* --- channel and optimizer --- */

/* The losses of the largest payload, at every drop rate of the objective. */
static gboolean
check_losses (Check *check, GError **error)
{
  const GArray *drop_rates = check->settings->drop_rates;
  g_autoptr (CleaveRandom) random = cleave_random_new (check->settings->run->seed, 0, 0, 0);

  for (guint i = 0; i < drop_rates->len; i++)
    {
      g_autoptr (GBytes) losses
          = cleave_channel_draw_losses (CLEAVE_CHANNEL (check->components->channel), (gsize)check->payload.maximum,
                                        g_array_index (drop_rates, double, i), random, error);

      if (losses == NULL)
        {
          g_prefix_error (error, "[channel]: ");
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
check_candidate (Check *check, CleaveCandidate *candidate, const char *method, GError **error)
{
  g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (check->components->space), candidate, error);

  if (network == NULL)
    g_prefix_error (error, "a candidate that %s gave: ", method);
  return network != NULL;
}

/* A step: what the optimizer asks, told values, and what it recommends then. */
static gboolean
check_step (Check *check, CleaveOptimizer *optimizer, GError **error)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (check->settings->run->seed, 0, 0, 1);
  g_autoptr (CleaveTrials) trials = cleave_optimizer_ask (optimizer, 0, random, error);
  g_autoptr (CleaveCandidate) answer = NULL;
  g_autofree double *values = NULL;
  guint n_trials;

  if (trials == NULL)
    return FALSE;
  n_trials = cleave_trials_get_length (trials);
  values = g_new (double, n_trials);
  for (guint i = 0; i < n_trials; i++)
    {
      if (!check_candidate (check, cleave_trials_get_candidate (trials, i), "ask", error))
        return FALSE;
      values[i] = i + 1;
    }
  if (!cleave_optimizer_tell (optimizer, trials, values, n_trials, error))
    return FALSE;
  answer = cleave_optimizer_recommend (optimizer, error);
  return answer != NULL && check_candidate (check, answer, "recommend", error);
}

static gboolean
check_optimizer (Check *check, GVariant *variables, GError **error)
{
  CleaveOptimizer *optimizer = CLEAVE_OPTIMIZER (check->components->optimizer);

  if (cleave_optimizer_start (optimizer, variables, error) && check_step (check, optimizer, error))
    return TRUE;
  g_prefix_error (error, "[optimizer]: ");
  return FALSE;
}

/* --- the steps --- */

static gboolean
check_settings (Check *check, GError **error)
{
  const CleaveSettings *settings = check->settings = cleave_settings_new (check->config, error);

  if (settings == NULL)
    return FALSE;
  begin_section (check, "settings");
  add_count (check, "pretrain_epochs", "# epochs of pre-training, ", settings->pretrain->epochs);
  add_count (check, "search_epochs", "# of search, ", settings->search->epochs);
  add_count (check, "retrain_epochs", "# of re-training, ", settings->retrain->epochs);
  add_count (check, "drop_rates", "# drop rates", settings->drop_rates->len);
  end_section (check);
  return TRUE;
}

static void
report_components (Check *check, gsize n_variables)
{
  begin_section (check, "space");
  add_count (check, "variables", "# variables, ", (gint64)n_variables);
  add_count (check, "networks", "# networks built, ", (gint64)check->n_networks);
  add_range (check, "payload_elements", "elements cross", &check->payload);
  end_section (check);
  begin_section (check, "device");
  add_range (check, "ms", "ms for a whole network", &check->device);
  end_section (check);
  begin_section (check, "server");
  add_range (check, "ms", "ms for a whole network", &check->server);
  end_section (check);
  begin_section (check, "channel");
  add_range (check, "ms", "ms a transfer", &check->channel);
  end_section (check);
  begin_section (check, "optimizer");
  add_count (check, "variables", "takes the # variables", (gint64)n_variables);
  end_section (check);
}

static gboolean
check_components (Check *check, GError **error)
{
  const CleaveComponents *components = check->components;
  g_autoptr (GVariant) variables = NULL;

  variables = cleave_space_variables (CLEAVE_SPACE (components->space), error);
  if (variables == NULL)
    {
      g_prefix_error (error, "[space]: ");
      return FALSE;
    }
  if (!check_networks (check, variables, error) || !check_losses (check, error)
      || !check_optimizer (check, variables, error))
    return FALSE;
  report_components (check, g_variant_n_children (variables));
  return TRUE;
}

/* The images of both subsets; gives how many each has. */
static gboolean
load_images (Check *check, guint *n_train, guint *n_test, GError **error)
{
  CleaveDataset *dataset = CLEAVE_DATASET (check->components->dataset);
  g_autoptr (CleaveImages) train = cleave_dataset_load (dataset, CLEAVE_SUBSET_TRAIN, error);
  g_autoptr (CleaveImages) test = train != NULL ? cleave_dataset_load (dataset, CLEAVE_SUBSET_TEST, error) : NULL;

  if (test == NULL)
    {
      g_prefix_error (error, "[dataset]: ");
      return FALSE;
    }
  *n_train = cleave_images_get_length (train);
  *n_test = cleave_images_get_length (test);
  return cleave_settings_check_images (check->settings, *n_train, error);
}

static gboolean
check_dataset (Check *check, gboolean with_data, GError **error)
{
  guint n_train = 0, n_test = 0;

  check->info = cleave_dataset_get_info (CLEAVE_DATASET (check->components->dataset), error);
  if (check->info == NULL)
    {
      g_prefix_error (error, "[dataset]: ");
      return FALSE;
    }
  if (with_data && !load_images (check, &n_train, &n_test, error))
    return FALSE;
  begin_section (check, "dataset");
  add_count (check, "classes", "# classes, ", check->info->n_classes);
  add_count (check, "channels", "images of #×", check->info->channels);
  add_count (check, "height", "#×", check->info->height);
  add_count (check, "width", "#", check->info->width);
  if (with_data)
    {
      add_count (check, "train_images", ", # for training", n_train);
      add_count (check, "test_images", " and # for tests", n_test);
    }
  end_section (check);
  return TRUE;
}

static gboolean
run_checks (Check *check, const char *name, const CliShared *shared, gboolean with_data, GError **error)
{
  g_autoptr (CleaveHost) host = NULL;

  check->config = cli_load_config (name, shared, error);
  if (check->config == NULL || !check_settings (check, error))
    return FALSE;
  host = cli_make_host (shared, error);
  if (host == NULL)
    return FALSE;
  check->components = cleave_components_new (host, check->config, error);
  return check->components != NULL && check_dataset (check, with_data, error) && check_components (check, error);
}

int
cli_check (int argc, char **argv)
{
  gboolean no_data = FALSE;
  const GOptionEntry own[] = {
    { "no-data", 0, 0, G_OPTION_ARG_NONE, &no_data, "Do not load the data set's images", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (CliShared) shared = { 0 };
  g_auto (Check) check = { 0 };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments
      = cli_parse (argc, argv, "CONFIG",
                   "Checks a config: its sections and keys, the components that it names, the network of every "
                   "category of\nevery variable on both oracles and the channel, a step of the optimizer, and the "
                   "data set's images.",
                   own, CLI_OPTION_SET | CLI_OPTION_JSON, &shared, 1, 1, &error);

  if (arguments == NULL)
    return cli_fail (error);
  if (shared.json)
    {
      check.json = json_builder_new ();
      json_builder_begin_object (check.json);
    }
  if (!run_checks (&check, arguments[0], &shared, !no_data, &error))
    {
      cli_fail (error);
      return CLI_USAGE;
    }
  if (shared.json)
    {
      g_autoptr (JsonNode) root = NULL;
      g_autofree char *text = NULL;

      json_builder_end_object (check.json);
      root = json_builder_get_root (check.json);
      text = json_to_string (root, TRUE);
      g_print ("%s\n", text);
    }
  return CLI_DONE;
}
