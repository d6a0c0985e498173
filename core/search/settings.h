/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The core's own sections of a config, each an object whose parameters are the section's keys. */

#include "cleave-config.h"

G_BEGIN_DECLS

#define CLEAVE_TYPE_RUN_SETTINGS (cleave_run_settings_get_type ())
G_DECLARE_FINAL_TYPE (CleaveRunSettings, cleave_run_settings, CLEAVE, RUN_SETTINGS, GObject)
struct _CleaveRunSettings
{
  GObject parent_instance;
  guint seed;
};

#define CLEAVE_TYPE_OBJECTIVE_SETTINGS (cleave_objective_settings_get_type ())
G_DECLARE_FINAL_TYPE (CleaveObjectiveSettings, cleave_objective_settings, CLEAVE, OBJECTIVE_SETTINGS, GObject)
struct _CleaveObjectiveSettings
{
  GObject parent_instance;
  double latency_threshold; /* ms */
  char *drop_rates;
};

#define CLEAVE_TYPE_TRAINING_SETTINGS (cleave_training_settings_get_type ())
G_DECLARE_FINAL_TYPE (CleaveTrainingSettings, cleave_training_settings, CLEAVE, TRAINING_SETTINGS, GObject)
struct _CleaveTrainingSettings
{
  GObject parent_instance;
  guint batch_size;
  double learning_rate;
  double momentum;
  double weight_decay;
  double gradient_clip;
  guint crop_padding;
  gboolean flip;
  guint cutout;
};

#define CLEAVE_TYPE_PRETRAIN_SETTINGS (cleave_pretrain_settings_get_type ())
G_DECLARE_FINAL_TYPE (CleavePretrainSettings, cleave_pretrain_settings, CLEAVE, PRETRAIN_SETTINGS, GObject)
struct _CleavePretrainSettings
{
  GObject parent_instance;
  guint epochs;
  guint samples;
  double drop_rate;
};

#define CLEAVE_TYPE_SEARCH_SETTINGS (cleave_search_settings_get_type ())
G_DECLARE_FINAL_TYPE (CleaveSearchSettings, cleave_search_settings, CLEAVE, SEARCH_SETTINGS, GObject)
struct _CleaveSearchSettings
{
  GObject parent_instance;
  guint epochs;
};

#define CLEAVE_TYPE_RETRAIN_SETTINGS (cleave_retrain_settings_get_type ())
G_DECLARE_FINAL_TYPE (CleaveRetrainSettings, cleave_retrain_settings, CLEAVE, RETRAIN_SETTINGS, GObject)
struct _CleaveRetrainSettings
{
  GObject parent_instance;
  guint epochs;
  double drop_rate;
};

#define CLEAVE_TYPE_EVALUATE_SETTINGS (cleave_evaluate_settings_get_type ())
G_DECLARE_FINAL_TYPE (CleaveEvaluateSettings, cleave_evaluate_settings, CLEAVE, EVALUATE_SETTINGS, GObject)
struct _CleaveEvaluateSettings
{
  GObject parent_instance;
  char *drop_rates;
};

typedef struct
{
  CleaveRunSettings *run;
  CleaveObjectiveSettings *objective;
  CleaveTrainingSettings *training;
  CleavePretrainSettings *pretrain;
  CleaveSearchSettings *search;
  CleaveRetrainSettings *retrain;
  CleaveEvaluateSettings *evaluate;
  GArray *drop_rates;           /* double: the numbers of [objective] drop-rates, in their order */
  GArray *evaluated_drop_rates; /* those of [evaluate] drop-rates */
} CleaveSettings;

/* One of the core's own sections. */
typedef struct
{
  const char *name;        /* as a config has it: "objective" */
  const char *description; /* one line */
  GType (*get_type) (void);
  gsize offset; /* of its object in CleaveSettings */
} CleaveSettingsSection;

/* All of them, in the order of a resolved config. */
const CleaveSettingsSection *cleave_settings_list_sections (gsize *n_sections);
/* The defaults with what CONFIG says on top. An error also for a section that neither the core nor a component has. */
CleaveSettings *cleave_settings_new (CleaveConfig *config, GError **error);
void cleave_settings_free (CleaveSettings *self);
/* The core's sections with every key written out; [run], [objective], [training], then the stages. */
void cleave_settings_append_resolved (CleaveSettings *self, GString *text);
/* An error unless a batch fits in each half of N_IMAGES training images. */
gboolean cleave_settings_check_images (CleaveSettings *self, guint n_images, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveSettings, cleave_settings_free)

G_END_DECLS
