/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pre-training: the shared weights learn under candidates drawn uniformly (Algorithm 1, lines 2–4). */

#include "run-private.h"

static CleaveCandidate *
draw_candidate (CleaveRun *self, guint32 step, guint32 sample)
{
  g_autoptr (CleaveRandom) random
      = cleave_random_new (self->settings->run->seed, CLEAVE_PURPOSE_PRETRAIN_CANDIDATES, step, sample);
  gsize n_variables = g_variant_n_children (self->variables);
  g_autofree guint *choices = g_new (guint, n_variables);

  for (gsize i = 0; i < n_variables; i++)
    {
      g_autoptr (GVariant) variable = g_variant_get_child_value (self->variables, i);
      g_autoptr (GVariant) categories = g_variant_get_child_value (variable, 1);

      choices[i] = cleave_random_below (random, g_variant_n_children (categories));
    }
  return cleave_candidate_new (choices, n_variables);
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
