/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pre-training: the shared weights learn under candidates drawn uniformly (Algorithm 1, lines 2–4). */

#include "run-private.h"

static CleaveCandidate *
draw_candidate (CleaveRun *self, guint32 step, guint32 sample)
{
  g_autoptr (CleaveRandom) random
      = cleave_random_new (self->settings->run->seed, CLEAVE_PURPOSE_PRETRAIN_CANDIDATES, step, sample);

  return cleave_candidate_new_random (self->variables, random);
}

/* One of the λ_x samples of eq. 5. */
static gboolean
take_sample (CleaveRun *self, guint32 step, guint32 sample, GError **error)
{
  const CleavePretrainSettings *settings = self->settings->pretrain;
  g_autoptr (CleaveCandidate) candidate = draw_candidate (self, step, sample);
  g_autoptr (CleaveRandom) dropout
      = cleave_random_new (self->settings->run->seed, CLEAVE_PURPOSE_PRETRAIN_DROPOUT, step, sample);
  g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (self->components->space), candidate, error);
  g_autoptr (NnPlan) plan = NULL;

  if (network == NULL || !cleave_run_add_network (self, candidate, network, error))
    return FALSE;
  plan = nn_plan_new (self->engine, self->supernet, network, self->batch.n, NN_PLAN_BACKWARD, error);
  return plan != NULL
         && cleave_training_accumulate (self, plan, network, settings->drop_rate, 1.0 / settings->samples, dropout,
                                        error);
}

static gboolean
take_step (CleaveRun *self, const CleaveStageLoop *loop, gboolean *done, GError **error)
{
  guint32 step = cleave_stage_loop_step (self, loop);

  nn_supernet_begin_step (self->supernet);
  for (guint sample = 0; sample < self->settings->pretrain->samples; sample++)
    if (!take_sample (self, step, sample, error))
      return FALSE;
  return cleave_training_update (self, cleave_stage_loop_learning_rate (self, loop), error);
}

gboolean
cleave_run_pretrain (CleaveRun *self, GError **error)
{
  CleaveStageLoop loop = {
    .n_epochs = self->settings->pretrain->epochs,
    .indices = self->shuffled,
    .n_indices = self->n_weight_images,
    .order_purpose = CLEAVE_PURPOSE_PRETRAIN_ORDER,
    .augmentation_purpose = CLEAVE_PURPOSE_PRETRAIN_AUGMENTATION,
    .learning_rate = self->settings->training->learning_rate,
    .take_step = take_step,
  };

  return cleave_stage_loop (self, &loop, error);
}
