/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A run: pre-training, search and re-training (Algorithm 1), in a folder from which it can be resumed. */

#include "result.h"
#include "settings.h"

G_BEGIN_DECLS

typedef enum
{
  CLEAVE_STAGE_PRETRAIN,
  CLEAVE_STAGE_SEARCH,
  CLEAVE_STAGE_RETRAIN,
  CLEAVE_STAGE_EVALUATE,
} CleaveStage;

const char *cleave_stage_to_string (CleaveStage stage);

typedef enum
{
  CLEAVE_PROGRESS_STEP,
  CLEAVE_PROGRESS_EPOCH, /* an epoch has ended */
  CLEAVE_PROGRESS_STAGE, /* a stage has ended */
  CLEAVE_PROGRESS_TAKEN, /* the end of a stage was taken from another run */
} CleaveProgressKind;

/* Where a run is. */
typedef struct
{
  CleaveProgressKind kind;
  CleaveStage stage;
  guint n_epochs;
  guint n_steps;     /* of an epoch */
  guint epoch;       /* epochs done */
  guint step;        /* steps done of the present epoch */
  guint64 n_images;  /* of this step: every image counts once for each network that it passes */
  double loss;       /* mean of the epoch so far */
  double latency_ms; /* of the search's present answer; NaN in other stages */
} CleaveProgress;

typedef struct
{
  void (*progress) (const CleaveProgress *progress, gpointer data);
  gboolean (*should_stop) (gpointer data);
  gpointer data;
} CleaveObserver;

typedef struct _CleaveRun CleaveRun;

/* Stages whose ends runs can share: pre-training and search. */
#define CLEAVE_N_SHARED_STAGES 2

/* Begins a run. FOLDER must be new or empty; it is made. */
CleaveRun *cleave_run_new (CleaveHost *host, CleaveConfig *config, const char *folder, guint n_threads, GError **error);
/* Goes on with the run in FOLDER where its checkpoint stands. GIVEN (nullable) must equal the folder's config. */
CleaveRun *cleave_run_resume (CleaveHost *host, const char *folder, CleaveConfig *given, guint n_threads,
                              GError **error);
void cleave_run_free (CleaveRun *self);
/* Has the run leave the ends of pre-training and search in FOLDER, which is there, and take them from it. */
void cleave_run_share_stages (CleaveRun *self, const char *folder);
/* The file in such a folder that has the end of pre-training or search of a run of this resolved config. */
char *cleave_stage_store_name (const char *config_text, CleaveStage stage);
/* The config that COMPONENTS and SETTINGS were made of, with every default written out, as a run's config.ini has it.
 */
char *cleave_run_resolve_config (CleaveComponents *components, CleaveSettings *settings, CleaveConfig *config);
/* What a finished run found. */
CleaveResult *cleave_run_load_result (const char *folder, GError **error);
/* Whether the run had ended when it was resumed. */
gboolean cleave_run_is_finished (CleaveRun *self);
/* Runs to the end and gives what was found. When the observer wants to stop, a checkpoint is written and the error is
 * CLEAVE_ERROR_CANCELLED. */
CleaveResult *cleave_run_execute (CleaveRun *self, const CleaveObserver *observer, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveRun, cleave_run_free)

G_END_DECLS
