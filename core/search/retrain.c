/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Re-training: the answer's network learns from scratch on all training images (Algorithm 1, line 14). */

#include "run-private.h"

typedef struct
{
  CleaveNetwork *network;
  NnPlan *plan;
} Retraining;

static gboolean
take_step (CleaveRun *self, const CleaveStageLoop *loop, gboolean *done, GError **error)
{
  const Retraining *retraining = loop->data;
  g_autoptr (CleaveRandom) dropout = cleave_random_new (self->settings->run->seed, CLEAVE_PURPOSE_RETRAIN_DROPOUT,
                                                        cleave_stage_loop_step (self, loop), 0);

  nn_supernet_begin_step (self->supernet);
  return cleave_training_accumulate (self, retraining->plan, retraining->network, self->settings->retrain->drop_rate, 1,
                                     dropout, error)
         && cleave_training_update (self, cleave_stage_loop_learning_rate (self, loop), error);
}

gboolean
cleave_run_retrain (CleaveRun *self, GError **error)
{
  g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (self->components->space), self->answer, error);
  g_autoptr (NnPlan) plan = NULL;
  Retraining retraining = { 0 };
  CleaveStageLoop loop = {
    .n_epochs = self->settings->retrain->epochs,
    .indices = self->shuffled,
    .n_indices = self->n_images,
    .order_purpose = CLEAVE_PURPOSE_RETRAIN_ORDER,
    .augmentation_purpose = CLEAVE_PURPOSE_RETRAIN_AUGMENTATION,
    .learning_rate = self->settings->training->learning_rate,
    .take_step = take_step,
    .data = &retraining,
  };

  if (network == NULL || !cleave_run_add_network (self, self->answer, network, error))
    return FALSE;
  plan = nn_plan_new (self->engine, self->supernet, network, self->batch.n, NN_PLAN_BACKWARD, error);
  if (plan == NULL)
    return FALSE;
  retraining.network = network;
  retraining.plan = plan;
  return cleave_stage_loop (self, &loop, error);
}
