/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "settings.h"

/* A drop rate of 1 would leave nothing to scale. */
#define LARGEST_DROP_RATE 0.99
#define MOST_DROP_RATES 64

G_DEFINE_FINAL_TYPE (CleaveRunSettings, cleave_run_settings, G_TYPE_OBJECT)
G_DEFINE_FINAL_TYPE (CleaveObjectiveSettings, cleave_objective_settings, G_TYPE_OBJECT)
G_DEFINE_FINAL_TYPE (CleaveTrainingSettings, cleave_training_settings, G_TYPE_OBJECT)
G_DEFINE_FINAL_TYPE (CleavePretrainSettings, cleave_pretrain_settings, G_TYPE_OBJECT)
G_DEFINE_FINAL_TYPE (CleaveSearchSettings, cleave_search_settings, G_TYPE_OBJECT)
G_DEFINE_FINAL_TYPE (CleaveRetrainSettings, cleave_retrain_settings, G_TYPE_OBJECT)
G_DEFINE_FINAL_TYPE (CleaveEvaluateSettings, cleave_evaluate_settings, G_TYPE_OBJECT)

static void
cleave_run_settings_class_init (CleaveRunSettingsClass *klass)
{
  typedef CleaveRunSettings CleaveSelf;
  GObjectClass *cleave_class = G_OBJECT_CLASS (klass);

  cleave_parameter_class_init (cleave_class);
  CLEAVE_PARAMETER (seed, UINT, "", 0, G_MAXUINT32, 1, "Seed of all random numbers of the run")
}

static void
cleave_run_settings_init (CleaveRunSettings *self)
{
}

static void
cleave_objective_settings_class_init (CleaveObjectiveSettingsClass *klass)
{
  typedef CleaveObjectiveSettings CleaveSelf;
  GObjectClass *cleave_class = G_OBJECT_CLASS (klass);

  cleave_parameter_class_init (cleave_class);
  CLEAVE_PARAMETER (latency_threshold, DOUBLE, "ms", 0, 1e9, 30,
                    "End-to-end latency above which a candidate is penalised")
  CLEAVE_PARAMETER_NUMBERS (drop_rates, 0, LARGEST_DROP_RATE, "0; 0.1; 0.2; 0.3; 0.4; 0.5",
                            "Drop rates over which the loss of a candidate is averaged")
}

static void
cleave_objective_settings_init (CleaveObjectiveSettings *self)
{
}

static void
cleave_training_settings_class_init (CleaveTrainingSettingsClass *klass)
{
  typedef CleaveTrainingSettings CleaveSelf;
  GObjectClass *cleave_class = G_OBJECT_CLASS (klass);

  cleave_parameter_class_init (cleave_class);
  CLEAVE_PARAMETER (batch_size, UINT, "", 2, 65536, 64, "Images of a minibatch, in every stage")
  CLEAVE_PARAMETER (learning_rate, DOUBLE, "", 0, 1000, 0.025, "Learning rate of a stage's first epoch")
  CLEAVE_PARAMETER (momentum, DOUBLE, "", 0, 0.9999, 0.9, "Momentum of the gradient descent")
  CLEAVE_PARAMETER (weight_decay, DOUBLE, "", 0, 1, 3e-4, "Weight decay")
  CLEAVE_PARAMETER (gradient_clip, DOUBLE, "", 0, 1e9, 5, "Limit of the gradient's norm, 0 for none")
  CLEAVE_PARAMETER (crop_padding, UINT, "", 0, 256, 4, "Pixels around an image from which it is cropped at random")
  CLEAVE_PARAMETER (flip, BOOLEAN, "", 0, 1, TRUE, "Whether images are mirrored at random")
  CLEAVE_PARAMETER (cutout, UINT, "", 0, 4096, 16, "Side in pixels of the square blanked in an image, 0 for none")
}

static void
cleave_training_settings_init (CleaveTrainingSettings *self)
{
}

static void
cleave_pretrain_settings_class_init (CleavePretrainSettingsClass *klass)
{
  typedef CleavePretrainSettings CleaveSelf;
  GObjectClass *cleave_class = G_OBJECT_CLASS (klass);

  cleave_parameter_class_init (cleave_class);
  CLEAVE_PARAMETER (epochs, UINT, "", 0, 1e6, 30, "Epochs over the half of the training images meant for weights")
  CLEAVE_PARAMETER (samples, UINT, "", 1, 1024, 2, "Candidates drawn a step")
  CLEAVE_PARAMETER (drop_rate, DOUBLE, "", 0, LARGEST_DROP_RATE, 0.5, "Dropout at the cut")
}

static void
cleave_pretrain_settings_init (CleavePretrainSettings *self)
{
}

static void
cleave_search_settings_class_init (CleaveSearchSettingsClass *klass)
{
  typedef CleaveSearchSettings CleaveSelf;
  GObjectClass *cleave_class = G_OBJECT_CLASS (klass);

  cleave_parameter_class_init (cleave_class);
  CLEAVE_PARAMETER (epochs, UINT, "", 0, 1e6, 90, "Epochs over the half of the training images meant for the search")
}

static void
cleave_search_settings_init (CleaveSearchSettings *self)
{
}

static void
cleave_retrain_settings_class_init (CleaveRetrainSettingsClass *klass)
{
  typedef CleaveRetrainSettings CleaveSelf;
  GObjectClass *cleave_class = G_OBJECT_CLASS (klass);

  cleave_parameter_class_init (cleave_class);
  CLEAVE_PARAMETER (epochs, UINT, "", 0, 1e6, 300, "Epochs over all training images")
  CLEAVE_PARAMETER (drop_rate, DOUBLE, "", 0, LARGEST_DROP_RATE, 0.5, "Dropout at the cut")
}

static void
cleave_retrain_settings_init (CleaveRetrainSettings *self)
{
}

static void
cleave_evaluate_settings_class_init (CleaveEvaluateSettingsClass *klass)
{
  typedef CleaveEvaluateSettings CleaveSelf;
  GObjectClass *cleave_class = G_OBJECT_CLASS (klass);

  cleave_parameter_class_init (cleave_class);
  CLEAVE_PARAMETER_NUMBERS (drop_rates, 0, LARGEST_DROP_RATE, "0; 0.1; 0.2; 0.3; 0.4; 0.5; 0.6",
                            "Drop rates, besides 0 and the channel's own, at which the trained model is evaluated")
}

static void
cleave_evaluate_settings_init (CleaveEvaluateSettings *self)
{
}

#define N_SECTIONS 7
static const char *const section_names[N_SECTIONS]
    = { "run", "objective", "training", "pretrain", "search", "retrain", "evaluate" };

static void
list_sections (CleaveSettings *self, GObject *objects[N_SECTIONS])
{
  objects[0] = G_OBJECT (self->run);
  objects[1] = G_OBJECT (self->objective);
  objects[2] = G_OBJECT (self->training);
  objects[3] = G_OBJECT (self->pretrain);
  objects[4] = G_OBJECT (self->search);
  objects[5] = G_OBJECT (self->retrain);
  objects[6] = G_OBJECT (self->evaluate);
}

static gboolean
check_sections (CleaveConfig *config, GError **error)
{
  static const char *const known[] = { "dataset",   "space",    "device",   "server", "channel", "optimizer", "run",
                                       "objective", "training", "pretrain", "search", "retrain", "evaluate",  NULL };

  return cleave_config_check_sections (config, known, error);
}

static GArray *
parse_drop_rates (const char *section, const char *text, GError **error)
{
  g_autoptr (GArray) drop_rates = cleave_parameter_parse_numbers (text, 0, LARGEST_DROP_RATE, error);

  if (drop_rates == NULL)
    {
      g_prefix_error (error, "[%s] drop-rates: ", section);
      return NULL;
    }
  if (drop_rates->len > MOST_DROP_RATES)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "[%s] drop-rates: \"%s\" has %u numbers, expected at most %d", section, text, drop_rates->len,
                   MOST_DROP_RATES);
      return NULL;
    }
  return g_steal_pointer (&drop_rates);
}

CleaveSettings *
cleave_settings_new (CleaveConfig *config, GError **error)
{
  g_autoptr (CleaveSettings) self = g_new0 (CleaveSettings, 1);
  GObject *objects[N_SECTIONS];

  if (!check_sections (config, error))
    return NULL;
  self->run = g_object_new (CLEAVE_TYPE_RUN_SETTINGS, NULL);
  self->objective = g_object_new (CLEAVE_TYPE_OBJECTIVE_SETTINGS, NULL);
  self->training = g_object_new (CLEAVE_TYPE_TRAINING_SETTINGS, NULL);
  self->pretrain = g_object_new (CLEAVE_TYPE_PRETRAIN_SETTINGS, NULL);
  self->search = g_object_new (CLEAVE_TYPE_SEARCH_SETTINGS, NULL);
  self->retrain = g_object_new (CLEAVE_TYPE_RETRAIN_SETTINGS, NULL);
  self->evaluate = g_object_new (CLEAVE_TYPE_EVALUATE_SETTINGS, NULL);

  list_sections (self, objects);
  for (guint i = 0; i < N_SECTIONS; i++)
    if (!cleave_config_apply (config, section_names[i], objects[i], error))
      return NULL;

  self->drop_rates = parse_drop_rates ("objective", self->objective->drop_rates, error);
  self->evaluated_drop_rates
      = self->drop_rates != NULL ? parse_drop_rates ("evaluate", self->evaluate->drop_rates, error) : NULL;
  if (self->evaluated_drop_rates == NULL)
    return NULL;
  return g_steal_pointer (&self);
}

void
cleave_settings_free (CleaveSettings *self)
{
  g_clear_object (&self->run);
  g_clear_object (&self->objective);
  g_clear_object (&self->training);
  g_clear_object (&self->pretrain);
  g_clear_object (&self->search);
  g_clear_object (&self->retrain);
  g_clear_object (&self->evaluate);
  g_clear_pointer (&self->drop_rates, g_array_unref);
  g_clear_pointer (&self->evaluated_drop_rates, g_array_unref);
  g_free (self);
}

void
cleave_settings_append_resolved (CleaveSettings *self, GString *text)
{
  GObject *objects[N_SECTIONS];

  list_sections (self, objects);
  for (guint i = 0; i < N_SECTIONS; i++)
    cleave_config_append_resolved (text, section_names[i], NULL, objects[i]);
}

gboolean
cleave_settings_check_images (CleaveSettings *self, guint n_images, GError **error)
{
  if (self->training->batch_size <= n_images / 2)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
               "[training] batch-size: %u is more than half of the %u training images, expected at most %u",
               self->training->batch_size, n_images, n_images / 2);
  return FALSE;
}
