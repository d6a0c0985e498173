/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave evaluate: the accuracy of a trained model over the lossy link. */

#include "cli.h"
#include "model.h"
#include "npz.h"
#include "result.h"
#include "settings.h"

#include <json-glib/json-glib.h>

typedef struct
{
  const char *model;
  char *folder; /* holds result.json and config.ini */
  char *drop_rates;
  char *logits;
  char *predictions;
} EvaluateOptions;

/* All that an evaluation needs, in the order in which it is made. */
typedef struct
{
  CleaveSettings *settings;
  CleaveComponents *components;
  CleaveResult *result;
  CleaveDatasetInfo *info;
  CleaveNetwork *network;
  NnSupernet *supernet;
  NnEngine *engine;
  CleaveImages *images;
  GArray *drop_rates; /* double */
} Evaluate;

static void
evaluate_clear (Evaluate *self)
{
  g_clear_pointer (&self->drop_rates, g_array_unref);
  g_clear_pointer (&self->images, cleave_images_unref);
  g_clear_pointer (&self->supernet, nn_supernet_free);
  g_clear_pointer (&self->engine, nn_engine_free);
  g_clear_pointer (&self->network, cleave_network_unref);
  g_clear_pointer (&self->info, cleave_dataset_info_free);
  g_clear_pointer (&self->result, cleave_result_free);
  g_clear_pointer (&self->components, cleave_components_free);
  g_clear_pointer (&self->settings, cleave_settings_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Evaluate, evaluate_clear)

/* Those asked for, else those of the run. */
static GArray *
list_drop_rates (const EvaluateOptions *options, CleaveResult *result, GError **error)
{
  GArray *rates;

  if (options->drop_rates != NULL)
    {
      g_auto (GStrv) parts = g_strsplit (options->drop_rates, ",", 0);
      g_autofree char *text = g_strjoinv ("; ", parts);

      rates = cleave_parameter_parse_numbers (text, 0, 0.99, error);
      if (rates == NULL)
        g_prefix_error (error, "--drop-rates: ");
      return rates;
    }
  rates = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < result->accuracies->len; i++)
    g_array_append_val (rates, g_array_index (result->accuracies, CleaveAccuracy, i).drop_rate);
  return rates;
}

static gboolean
read_run (Evaluate *self, const EvaluateOptions *options, const CliShared *shared, CleaveHost *host, GError **error)
{
  g_autofree char *config_path = g_build_filename (options->folder, "config.ini", NULL);
  g_autofree char *result_path = g_build_filename (options->folder, "result.json", NULL);
  g_autoptr (CleaveConfig) config = cli_load_config (config_path, shared, error);

  if (config == NULL)
    return FALSE;
  self->settings = cleave_settings_new (config, error);
  if (self->settings == NULL)
    return FALSE;
  self->components = cleave_components_new (host, config, error);
  if (self->components == NULL)
    return FALSE;
  self->result = cleave_result_load (result_path, error);
  if (self->result == NULL)
    return FALSE;
  self->drop_rates = list_drop_rates (options, self->result, error);
  return self->drop_rates != NULL;
}

static gboolean
load_model (Evaluate *self, const EvaluateOptions *options, const CliShared *shared, GError **error)
{
  CleaveDataset *dataset = CLEAVE_DATASET (self->components->dataset);

  self->info = cleave_dataset_get_info (dataset, error);
  if (self->info == NULL)
    return FALSE;
  self->network = cleave_space_build (CLEAVE_SPACE (self->components->space), self->result->candidate, error);
  if (self->network == NULL || !cleave_evaluation_check_shapes (self->network, self->info, error))
    return FALSE;
  self->supernet = nn_supernet_new (0);
  if (!cleave_model_load (options->model, self->supernet, self->network, error))
    return FALSE;
  self->images = cleave_dataset_load (dataset, CLEAVE_SUBSET_TEST, error);
  if (self->images == NULL)
    return FALSE;
  self->engine = nn_engine_new (shared->threads, error);
  return self->engine != NULL;
}

static gboolean
save_outputs (Evaluate *self, const EvaluateOptions *options, const float *logits, GError **error)
{
  gsize shape[2] = { cleave_images_get_length (self->images), self->info->n_classes };
  g_autofree gint32 *predictions = g_new (gint32, shape[0]);

  for (gsize i = 0; i < shape[0]; i++)
    predictions[i] = cleave_evaluation_arg_max (logits + i * shape[1], shape[1]);
  return (options->logits == NULL || npy_save (options->logits, NPY_FLOAT32, 2, shape, logits, error))
         && (options->predictions == NULL || npy_save (options->predictions, NPY_INT32, 1, shape, predictions, error));
}

/* The drop rates asked for and, where outputs are to be saved, 0 as well. */
static GArray *
list_evaluated_rates (Evaluate *self, gboolean saves)
{
  GArray *rates = g_array_copy (self->drop_rates);
  const double nothing_lost = 0;

  for (guint i = 0; i < rates->len; i++)
    saves = saves && g_array_index (rates, double, i) != nothing_lost;
  if (saves)
    g_array_append_val (rates, nothing_lost);
  return rates;
}

/* The accuracies at the drop rates asked for; outputs at drop rate 0 are saved where that was asked. */
static GArray *
run_evaluation (Evaluate *self, const EvaluateOptions *options, GError **error)
{
  gboolean saves = options->logits != NULL || options->predictions != NULL;
  CleaveEvaluation evaluation = {
    .engine = self->engine,
    .supernet = self->supernet,
    .network = self->network,
    .channel = CLEAVE_CHANNEL (self->components->channel),
    .images = self->images,
    .info = self->info,
    .batch_size = self->settings->training->batch_size,
    .seed = self->settings->run->seed,
  };
  g_autofree float *logits
      = saves ? g_new (float, (gsize)cleave_images_get_length (self->images) * self->info->n_classes) : NULL;
  g_autoptr (GArray) rates = list_evaluated_rates (self, saves);
  g_autoptr (GArray) accuracies
      = cleave_evaluation_run (&evaluation, (const double *)rates->data, rates->len, logits, error);

  if (accuracies == NULL || (saves && !save_outputs (self, options, logits, error)))
    return NULL;
  g_array_set_size (accuracies, self->drop_rates->len);
  return g_steal_pointer (&accuracies);
}

static void
print_json (GArray *accuracies, guint n_images)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "test_images");
  json_builder_add_int_value (builder, n_images);
  json_builder_set_member_name (builder, "accuracies");
  cleave_result_add_accuracies (builder, accuracies, n_images);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, TRUE);
  g_print ("%s\n", text);
}

static void
print_text (GArray *accuracies, guint n_images)
{
  for (guint i = 0; i < accuracies->len; i++)
    {
      const CleaveAccuracy *accuracy = &g_array_index (accuracies, CleaveAccuracy, i);

      g_print ("%6.2f %% at drop rate %g (%u of %u test images)\n", 100.0 * accuracy->n_correct / n_images,
               accuracy->drop_rate, accuracy->n_correct, n_images);
    }
}

static int
evaluate (const EvaluateOptions *options, const CliShared *shared)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cli_make_host (shared, &error);
  g_auto (Evaluate) self = { 0 };
  g_autoptr (GArray) accuracies = NULL;

  if (host == NULL || !read_run (&self, options, shared, host, &error) || !load_model (&self, options, shared, &error))
    return cli_fail (error);
  accuracies = run_evaluation (&self, options, &error);
  if (accuracies == NULL)
    return cli_fail (error);
  if (shared->json)
    print_json (accuracies, cleave_images_get_length (self.images));
  else
    print_text (accuracies, cleave_images_get_length (self.images));
  return CLI_DONE;
}

int
cli_evaluate (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (CliShared) shared = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autofree char *folder = NULL;
  g_autofree char *drop_rates = NULL;
  g_autofree char *logits = NULL;
  g_autofree char *predictions = NULL;
  const GOptionEntry entries[] = {
    { "run", 0, 0, G_OPTION_ARG_FILENAME, &folder, "Folder of its run (default: where MODEL.npz lies)", "DIR" },
    { "drop-rates", 0, 0, G_OPTION_ARG_STRING, &drop_rates, "Drop rates, such as 0,0.2 (default: the run's)", "P,…" },
    { "logits", 0, 0, G_OPTION_ARG_FILENAME, &logits, "Save the outputs at drop rate 0, float32 [images, classes]",
      "FILE.npy" },
    { "predictions", 0, 0, G_OPTION_ARG_FILENAME, &predictions, "Save the classes at drop rate 0, int32 [images]",
      "FILE.npy" },
    G_OPTION_ENTRY_NULL,
  };
  EvaluateOptions options;

  arguments = cli_parse (argc, argv, "MODEL.npz",
                         "Tells the accuracy of a trained model on the test images when elements are lost on the link. "
                         "Reads result.json and config.ini of its run. The same model gives the same numbers as its "
                         "run did.",
                         entries, CLI_OPTION_SET | CLI_OPTION_JSON, &shared, 1, 1, &error);
  if (arguments == NULL)
    return cli_fail (error);
  if (folder == NULL)
    folder = g_path_get_dirname (arguments[0]);
  options = (EvaluateOptions){ arguments[0], folder, drop_rates, logits, predictions };
  return evaluate (&options, &shared);
}
