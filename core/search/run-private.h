/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A run from within: what the stages share. */

#include "minibatch.h"
#include "objective.h"
#include "purposes.h"
#include "run.h"
#include "settings.h"

G_BEGIN_DECLS

/* Sums of the present epoch. Counts are doubles too, so that a checkpoint holds them as one array. */
typedef struct
{
  double loss;
  double n_losses;
  double objective;
  double n_correct;
  double n_classified;
} CleaveTally;

#define CLEAVE_TALLY_SIZE (sizeof (CleaveTally) / sizeof (double))

struct _CleaveRun
{
  CleaveSettings *settings;
  CleaveComponents *components;
  NnEngine *engine;
  GVariant *variables; /* of the space */
  char *config_text;   /* resolved */
  char *folder;
  char *stages_folder; /* nullable: where ends of stages are shared with other runs */
  int lock;
  CleaveResult *finished; /* nullable: what a resumed run had found */

  CleaveDatasetInfo *info;
  CleaveImages *images;         /* for training */
  CleaveMinibatchSource source; /* of these images */
  guint32 *shuffled;            /* all of them; the weight half comes first, then the distribution half */
  guint n_images;
  guint n_weight_images;

  /* What a checkpoint holds besides the config. */
  CleaveStage stage;
  guint epoch; /* epochs done in this stage */
  guint step;  /* steps done in this epoch */
  CleaveTally tally;
  NnSupernet *supernet;
  GPtrArray *makers; /* CleaveCandidate: those whose networks made arrays; again in this order, they make the same */
  GVariant *optimizer_state; /* as of the last step's end */
  CleaveCandidate *answer;   /* nullable: what the search found */
  GString *metrics;          /* metrics.csv */
  GString *trials;           /* trials.csv */

  char *last_checkpoint; /* nullable: where the checkpoint on disk stands, for messages */
  gint64 checkpoint_time_us;
  gint64 checkpoint_duration_us;

  CleaveMinibatch batch; /* of the present step */
  guint64 n_step_images; /* that passed a network in this step */
  double latency_ms;     /* of the search's present answer */
  const CleaveObserver *observer;
};

/* Makes the arrays of a candidate's network and notes the candidate if there were new ones. */
gboolean cleave_run_add_network (CleaveRun *self, CleaveCandidate *candidate, CleaveNetwork *network, GError **error);
/* A fresh set of shared weights, its initial values drawn by this purpose. */
void cleave_run_renew_supernet (CleaveRun *self, guint32 purpose);
gboolean cleave_run_should_stop (CleaveRun *self);
char *cleave_run_path (CleaveRun *self, const char *name);
/* Adds to an error that is set what can be done about it. */
void cleave_run_add_hint (GError **error, const char *hint);

/* --- the stages --- */

gboolean cleave_run_pretrain (CleaveRun *self, GError **error);
gboolean cleave_run_search (CleaveRun *self, GError **error);
gboolean cleave_run_retrain (CleaveRun *self, GError **error);

/* What the loop over epochs and steps needs to know of a stage. */
typedef struct _CleaveStageLoop CleaveStageLoop;
struct _CleaveStageLoop
{
  guint n_epochs;
  const guint32 *indices; /* of the images that an epoch goes through */
  guint n_indices;
  guint32 order_purpose;
  guint32 augmentation_purpose;
  gboolean until_done;  /* go on after n_epochs until a step says that it is done */
  double learning_rate; /* of the first epoch; 0 where nothing is trained */
  /* A step on self->batch; gives FALSE with an error set. Sets *done where the stage had ended before this step. */
  gboolean (*take_step) (CleaveRun *self, const CleaveStageLoop *loop, gboolean *done, GError **error);
  gpointer data;
};

/* Goes on from self->epoch and self->step to the end of the stage. */
gboolean cleave_stage_loop (CleaveRun *self, const CleaveStageLoop *loop, GError **error);
guint cleave_stage_loop_n_steps (CleaveRun *self, const CleaveStageLoop *loop);
/* The number of the present step in the whole stage. */
guint cleave_stage_loop_step (CleaveRun *self, const CleaveStageLoop *loop);
/* Cosine from the first epoch's to 0, constant in an epoch. */
double cleave_stage_loop_learning_rate (CleaveRun *self, const CleaveStageLoop *loop);

/* --- training --- */

/* Forward and backward of one network on self->batch, with dropout at the cut. The gradient counts WEIGHT times. */
gboolean cleave_training_accumulate (CleaveRun *self, NnPlan *plan, CleaveNetwork *network, double drop_rate,
                                     double weight, CleaveRandom *dropout, GError **error);
gboolean cleave_training_update (CleaveRun *self, double learning_rate, GError **error);
/* Names stage, epoch, step and the last good checkpoint in front of a numeric error. */
void cleave_training_explain (CleaveRun *self, GError **error);

/* --- metrics.csv and trials.csv --- */

/* What a trial of the search came to. */
typedef struct
{
  double loss; /* NaN where no image was scored */
  double latency_ms;
  double objective; /* the penalty alone where no image was scored */
} CleaveScore;

/* The first lines; the optimizer must have been started. */
gboolean cleave_metrics_start (CleaveRun *self, GError **error);
/* A row for the epoch that has just ended. */
gboolean cleave_metrics_add_epoch (CleaveRun *self, const CleaveStageLoop *loop, GError **error);
/* A row for each trial of the present step, of whose values the optimizer has been told. */
gboolean cleave_metrics_add_trials (CleaveRun *self, const CleaveStageLoop *loop, CleaveTrials *trials,
                                    const CleaveScore *scores, GError **error);
/* Appends a row of a table that begins with FIRST_LINE, without what its optimizer reported. */
void cleave_metrics_append_core (GString *table, const char *first_line, const char *row);
gboolean cleave_metrics_write (CleaveRun *self, GError **error);

/* --- checkpoint.npz --- */

/* Of what is in it. */
#define CLEAVE_CHECKPOINT_FORM 2

gboolean cleave_checkpoint_save (CleaveRun *self, GError **error);
gboolean cleave_checkpoint_load (CleaveRun *self, const char *path, GError **error);
/* Goes on from where another run stood at the end of the present stage, having been the same so far. */
gboolean cleave_checkpoint_take (CleaveRun *self, const char *path, GError **error);

/* --- shared ends of stages --- */

/* At the beginning of a stage: leaves the end of the one before in the shared folder, and if the end of this stage is
 * there already, takes it, so that the next stage is to be entered. */
gboolean cleave_stage_store_enter (CleaveRun *self, gboolean *taken, GError **error);

G_END_DECLS
