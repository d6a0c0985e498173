/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-private.h"

#include "model.h"
#include "run-folder.h"
#include "survey.h"

#include <math.h>
#include <unistd.h>

const char *
cleave_stage_to_string (CleaveStage stage)
{
  static const char *const names[] = { "pretrain", "search", "retrain", "evaluate" };

  return names[stage];
}

char *
cleave_run_path (CleaveRun *self, const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

gboolean
cleave_run_should_stop (CleaveRun *self)
{
  return self->observer->should_stop != NULL && self->observer->should_stop (self->observer->data);
}

void
cleave_run_renew_supernet (CleaveRun *self, guint32 purpose)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (self->settings->run->seed, purpose, 0, 0);
  guint64 high = cleave_random_bits (random);

  g_clear_pointer (&self->supernet, nn_supernet_free);
  self->supernet = nn_supernet_new (high << 32 | cleave_random_bits (random));
  g_ptr_array_set_size (self->makers, 0);
}

gboolean
cleave_run_add_network (CleaveRun *self, CleaveCandidate *candidate, CleaveNetwork *network, GError **error)
{
  guint n_before = nn_supernet_get_n_arrays (self->supernet);

  if (!nn_supernet_add_network (self->supernet, network, error))
    return FALSE;
  if (nn_supernet_get_n_arrays (self->supernet) > n_before)
    g_ptr_array_add (self->makers, cleave_candidate_ref (candidate));
  return TRUE;
}

char *
cleave_run_resolve_config (CleaveComponents *components, CleaveSettings *settings, CleaveConfig *config)
{
  GString *text = g_string_new (NULL);

  cleave_components_append_resolved (components, config, text);
  cleave_settings_append_resolved (settings, text);
  return g_string_free (text, FALSE);
}

/* What follows from the config alone; nothing on disk is touched. */
static CleaveRun *
run_configure (CleaveHost *host, CleaveConfig *config, const char *folder, GError **error)
{
  g_autoptr (CleaveRun) self = g_new0 (CleaveRun, 1);

  self->lock = -1;
  self->folder = g_strdup (folder);
  self->makers = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_candidate_unref);
  self->latency_ms = NAN;
  self->settings = cleave_settings_new (config, error);
  if (self->settings == NULL)
    return NULL;
  self->components = cleave_components_new (host, config, error);
  if (self->components == NULL)
    return NULL;
  self->config_text = cleave_run_resolve_config (self->components, self->settings, config);
  return g_steal_pointer (&self);
}

/* The space must make networks for the data set's images, of blocks that the oracles know. */
static gboolean
check_network (CleaveNetwork *network, gpointer data, GError **error)
{
  CleaveRun *self = data;
  CleaveLatency latency;

  return cleave_evaluation_check_shapes (network, self->info, error)
         && cleave_latency_estimate (self->components, network, CLEAVE_PLACEMENT_SPLIT, &latency, error);
}

/* Whether the channel can lose elements at these rates. */
static gboolean
check_drop_rates (CleaveRun *self, const char *section, GArray *drop_rates, GError **error)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (0, 0, 0, 0);

  for (guint i = 0; i < drop_rates->len; i++)
    {
      double drop_rate = g_array_index (drop_rates, double, i);
      g_autoptr (GBytes) losses = NULL;

      if (drop_rate == 0)
        continue;
      losses = cleave_channel_draw_losses (CLEAVE_CHANNEL (self->components->channel), 1, drop_rate, random, error);
      if (losses == NULL)
        {
          g_prefix_error (error, "[%s] drop-rates: %g: ", section, drop_rate);
          return FALSE;
        }
    }
  return TRUE;
}

/* The channel's own drop rate; NaN on failure. */
static double
ask_drop_rate (CleaveRun *self, GError **error)
{
  double drop_rate = cleave_channel_drop_rate (CLEAVE_CHANNEL (self->components->channel), error);

  if (isnan (drop_rate))
    g_prefix_error (error, "[channel]: ");
  return drop_rate;
}

/* Else it would be noticed only by the evaluation, when all training is done. */
static gboolean
check_channel (CleaveRun *self, GError **error)
{
  if (isnan (ask_drop_rate (self, error)))
    return FALSE;
  return check_drop_rates (self, "objective", self->settings->drop_rates, error)
         && check_drop_rates (self, "evaluate", self->settings->evaluated_drop_rates, error);
}

/* Data, engine, and the state at the very beginning. */
static gboolean
run_prepare (CleaveRun *self, guint n_threads, GError **error)
{
  CleaveOptimizer *optimizer = CLEAVE_OPTIMIZER (self->components->optimizer);
  CleaveDataset *dataset = CLEAVE_DATASET (self->components->dataset);

  self->info = cleave_dataset_get_info (dataset, error);
  if (self->info == NULL)
    return FALSE;
  self->variables = cleave_space_variables (CLEAVE_SPACE (self->components->space), error);
  if (self->variables == NULL)
    return FALSE;
  if (!check_channel (self, error)
      || !cleave_survey (CLEAVE_SPACE (self->components->space), self->variables, check_network, self, error)
      || !cleave_optimizer_start (optimizer, self->variables, error))
    return FALSE;
  if (!cleave_metrics_start (self, error))
    return FALSE;
  cleave_run_renew_supernet (self, CLEAVE_PURPOSE_SUPERNET_WEIGHTS);

  self->images = cleave_dataset_load (dataset, CLEAVE_SUBSET_TRAIN, error);
  if (self->images == NULL)
    return FALSE;
  cleave_minibatch_source_init (&self->source, self->images, self->info);
  self->n_images = cleave_images_get_length (self->images);
  if (!cleave_settings_check_images (self->settings, self->n_images, error))
    return FALSE;
  self->n_weight_images = self->n_images - self->n_images / 2;
  self->shuffled = g_new (guint32, self->n_images);
  cleave_minibatch_order (self->settings->run->seed, CLEAVE_PURPOSE_HALVES, 0, self->n_images, self->shuffled);
  cleave_minibatch_allocate (&self->batch, self->info, self->settings->training->batch_size);

  self->engine = nn_engine_new (n_threads, error);
  return self->engine != NULL;
}

CleaveRun *
cleave_run_new (CleaveHost *host, CleaveConfig *config, const char *folder, guint n_threads, GError **error)
{
  g_autoptr (CleaveRun) self = run_configure (host, config, folder, error);
  g_autofree char *config_path = NULL;

  if (self == NULL || !cleave_run_folder_make (folder, error))
    return NULL;
  self->lock = cleave_run_folder_lock (folder, error);
  if (self->lock < 0 || !run_prepare (self, n_threads, error))
    return NULL;
  config_path = cleave_run_path (self, "config.ini");
  if (!cleave_file_replace (config_path, self->config_text, -1, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
compare_with_given (CleaveRun *self, const char *config_path, CleaveHost *host, CleaveConfig *given, GError **error)
{
  g_autoptr (CleaveRun) other = run_configure (host, given, self->folder, error);

  return other != NULL
         && cleave_run_folder_compare_configs ("the config given", other->config_text, config_path, self->config_text,
                                               error);
}

void
cleave_run_add_hint (GError **error, const char *hint)
{
  g_autofree char *message = error != NULL ? (*error)->message : NULL;

  if (message != NULL)
    (*error)->message = g_strconcat (message, "; ", hint, NULL);
}

CleaveResult *
cleave_run_load_result (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "result.json", NULL);
  CleaveResult *result = cleave_result_load (path, error);

  if (result == NULL)
    cleave_run_add_hint (error, "without this file, the run makes it again");
  return result;
}

CleaveRun *
cleave_run_resume (CleaveHost *host, const char *folder, CleaveConfig *given, guint n_threads, GError **error)
{
  g_autofree char *config_path = g_build_filename (folder, "config.ini", NULL);
  g_autofree char *checkpoint_path = g_build_filename (folder, "checkpoint.npz", NULL);
  g_autofree char *result_path = g_build_filename (folder, "result.json", NULL);
  g_autoptr (CleaveConfig) config = NULL;
  g_autoptr (CleaveRun) self = NULL;

  if (!g_file_test (config_path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: this is no run folder: it has no config.ini", folder);
      return NULL;
    }
  config = cleave_config_load (config_path, error);
  if (config == NULL)
    return NULL;
  self = run_configure (host, config, folder, error);
  if (self == NULL || (given != NULL && !compare_with_given (self, config_path, host, given, error)))
    return NULL;

  /* The result is written last, so where it is there is nothing left to do. */
  if (g_file_test (result_path, G_FILE_TEST_EXISTS))
    {
      self->finished = cleave_run_load_result (folder, error);
      return self->finished != NULL ? g_steal_pointer (&self) : NULL;
    }
  self->lock = cleave_run_folder_lock (folder, error);
  if (self->lock < 0)
    return NULL;
  cleave_run_folder_remove_leftovers (folder);
  if (!run_prepare (self, n_threads, error))
    return NULL;
  if (g_file_test (checkpoint_path, G_FILE_TEST_EXISTS) && !cleave_checkpoint_load (self, checkpoint_path, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
cleave_run_free (CleaveRun *self)
{
  g_clear_pointer (&self->finished, cleave_result_free);
  g_clear_pointer (&self->supernet, nn_supernet_free);
  g_clear_pointer (&self->engine, nn_engine_free);
  g_clear_pointer (&self->components, cleave_components_free);
  g_clear_pointer (&self->settings, cleave_settings_free);
  g_clear_pointer (&self->variables, g_variant_unref);
  g_clear_pointer (&self->optimizer_state, g_variant_unref);
  g_clear_pointer (&self->answer, cleave_candidate_unref);
  g_clear_pointer (&self->makers, g_ptr_array_unref);
  g_clear_pointer (&self->info, cleave_dataset_info_free);
  g_clear_pointer (&self->images, cleave_images_unref);
  cleave_minibatch_clear (&self->batch);
  if (self->metrics != NULL)
    g_string_free (self->metrics, TRUE);
  if (self->trials != NULL)
    g_string_free (self->trials, TRUE);
  if (self->lock >= 0)
    close (self->lock);
  g_free (self->shuffled);
  g_free (self->config_text);
  g_free (self->folder);
  g_free (self->stages_folder);
  g_free (self->last_checkpoint);
  g_free (self);
}

void
cleave_run_share_stages (CleaveRun *self, const char *folder)
{
  self->stages_folder = g_strdup (folder);
}

gboolean
cleave_run_is_finished (CleaveRun *self)
{
  return self->finished != NULL;
}

static void
report_taken (CleaveRun *self, CleaveStage stage)
{
  CleaveProgress progress = { .kind = CLEAVE_PROGRESS_TAKEN, .stage = stage, .loss = NAN, .latency_ms = NAN };

  if (self->observer->progress != NULL)
    self->observer->progress (&progress, self->observer->data);
}

/* Runs the present stage to its end, unless another run has, and enters the next. */
static gboolean
run_stage (CleaveRun *self, GError **error)
{
  gboolean (*const stages[]) (CleaveRun * self, GError * *error)
      = { cleave_run_pretrain, cleave_run_search, cleave_run_retrain };
  CleaveStage stage = self->stage;
  gboolean taken;

  if (!cleave_stage_store_enter (self, &taken, error))
    return FALSE;
  if (taken)
    report_taken (self, stage);
  else
    {
      if (!stages[stage](self, error))
        return FALSE;
      self->stage++;
      self->epoch = 0;
      self->step = 0;
      if (self->stage == CLEAVE_STAGE_RETRAIN)
        cleave_run_renew_supernet (self, CLEAVE_PURPOSE_RETRAIN_WEIGHTS);
    }
  return cleave_metrics_write (self, error) && cleave_checkpoint_save (self, error);
}

/* 0, those of [evaluate] and the channel's own, each once, ascending. */
static GArray *
list_evaluated_rates (CleaveRun *self, double channel_drop_rate)
{
  GArray *rates = g_array_copy (self->settings->evaluated_drop_rates);
  const double nothing_lost = 0;

  g_array_append_val (rates, nothing_lost);
  g_array_append_val (rates, channel_drop_rate);
  cleave_evaluation_sort_drop_rates (rates);
  return rates;
}

static CleaveResult *
run_evaluate (CleaveRun *self, CleaveNetwork *network, GError **error)
{
  CleaveChannel *channel = CLEAVE_CHANNEL (self->components->channel);
  double channel_drop_rate = ask_drop_rate (self, error);
  g_autoptr (GArray) rates = NULL;
  g_autoptr (CleaveImages) images = NULL;
  CleaveEvaluation evaluation = {
    .engine = self->engine,
    .supernet = self->supernet,
    .network = network,
    .channel = channel,
    .info = self->info,
    .batch_size = self->settings->training->batch_size,
    .seed = self->settings->run->seed,
    .should_stop = self->observer->should_stop,
    .data = self->observer->data,
  };
  GArray *accuracies;
  CleaveLatency latency;

  if (isnan (channel_drop_rate))
    return NULL;
  rates = list_evaluated_rates (self, channel_drop_rate);
  g_clear_pointer (&self->images, cleave_images_unref); /* so that both subsets are never there together */
  images = cleave_dataset_load (CLEAVE_DATASET (self->components->dataset), CLEAVE_SUBSET_TEST, error);
  evaluation.images = images;
  if (images == NULL || !cleave_latency_estimate (self->components, network, CLEAVE_PLACEMENT_SPLIT, &latency, error))
    return NULL;
  accuracies = cleave_evaluation_run (&evaluation, (const double *)rates->data, rates->len, NULL, error);
  if (accuracies == NULL)
    return NULL;
  return cleave_result_new (self->settings->run->seed, self->answer, self->variables,
                            self->settings->objective->latency_threshold, &latency,
                            cleave_cut_find (network, self->answer, self->variables), channel_drop_rate,
                            cleave_images_get_length (images), accuracies);
}

/* The last act: the model, then the result, whose presence says that all is there. */
static CleaveResult *
run_conclude (CleaveRun *self, GError **error)
{
  g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (self->components->space), self->answer, error);
  g_autoptr (CleaveResult) result = NULL;
  g_autofree char *model_path = cleave_run_path (self, "model.npz");
  g_autofree char *result_path = cleave_run_path (self, "result.json");
  g_autofree char *json = NULL;

  if (network == NULL || !cleave_run_add_network (self, self->answer, network, error))
    return NULL;
  result = run_evaluate (self, network, error);
  if (result == NULL)
    return NULL;
  json = cleave_result_to_json (result);
  if (!cleave_model_save (model_path, self->supernet, network, error)
      || !cleave_file_replace (result_path, json, -1, error))
    return NULL;
  return g_steal_pointer (&result);
}

CleaveResult *
cleave_run_execute (CleaveRun *self, const CleaveObserver *observer, GError **error)
{
  g_return_val_if_fail (observer != NULL, NULL);

  if (self->finished != NULL)
    return g_steal_pointer (&self->finished);
  self->observer = observer;
  self->checkpoint_time_us = g_get_monotonic_time ();
  if (!cleave_metrics_write (self, error))
    return NULL;
  while (self->stage != CLEAVE_STAGE_EVALUATE)
    if (!run_stage (self, error))
      return NULL;
  return run_conclude (self, error);
}
