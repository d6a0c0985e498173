/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "settings.h"

#include <string.h>

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

static const CleaveSettingsSection sections[] = {
  { "run", "What holds for the whole run", cleave_run_settings_get_type, G_STRUCT_OFFSET (CleaveSettings, run) },
  { "objective", "What a candidate is judged by (NASC, eq. 4)", cleave_objective_settings_get_type,
    G_STRUCT_OFFSET (CleaveSettings, objective) },
  { "training", "How weights are trained, in every stage", cleave_training_settings_get_type,
    G_STRUCT_OFFSET (CleaveSettings, training) },
  { "pretrain", "Pre-training of the shared weights (NASC, Algorithm 1, lines 2–4)", cleave_pretrain_settings_get_type,
    G_STRUCT_OFFSET (CleaveSettings, pretrain) },
  { "search", "The search of architecture and split point (NASC, Algorithm 1, lines 6–13)",
    cleave_search_settings_get_type, G_STRUCT_OFFSET (CleaveSettings, search) },
  { "retrain", "Training of what was found, from scratch (NASC, Algorithm 1, line 14)",
    cleave_retrain_settings_get_type, G_STRUCT_OFFSET (CleaveSettings, retrain) },
  { "evaluate", "Test of the trained model", cleave_evaluate_settings_get_type,
    G_STRUCT_OFFSET (CleaveSettings, evaluate) },
};

const CleaveSettingsSection *
cleave_settings_list_sections (gsize *n_sections)
{
  *n_sections = G_N_ELEMENTS (sections);
  return sections;
}

/* The members differ in type, so they are read and written as bytes. */
static GObject *
get_object (CleaveSettings *self, const CleaveSettingsSection *section)
{
  GObject *object;

  memcpy (&object, G_STRUCT_MEMBER_P (self, section->offset), sizeof object);
  return object;
}

static void
set_object (CleaveSettings *self, const CleaveSettingsSection *section, GObject *object)
{
  memcpy (G_STRUCT_MEMBER_P (self, section->offset), &object, sizeof object);
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

  if (!check_sections (config, error))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (sections); i++)
    {
      GObject *object = g_object_new (sections[i].get_type (), NULL);

      set_object (self, &sections[i], object);
      if (!cleave_config_apply (config, sections[i].name, object, error))
        return NULL;
    }

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
  for (gsize i = 0; i < G_N_ELEMENTS (sections); i++)
    {
      GObject *object = get_object (self, &sections[i]);

      g_clear_object (&object);
    }
  g_clear_pointer (&self->drop_rates, g_array_unref);
  g_clear_pointer (&self->evaluated_drop_rates, g_array_unref);
  g_free (self);
}

void
cleave_settings_append_resolved (CleaveSettings *self, GString *text)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sections); i++)
    cleave_config_append_resolved (text, sections[i].name, NULL, get_object (self, &sections[i]));
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
