/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The loop over epochs and steps, the same for all stages: minibatches, progress, metrics, checkpoints. */

#include "prefetch.h"
#include "run-private.h"

#include <math.h>

/* When a checkpoint is written inside a stage. Results do not depend on it. Writing takes at most a twentieth of the
 * time, and inside an epoch happens no more often than this. */
#define CHECKPOINT_SHARE 20
#define CHECKPOINT_INTERVAL_US (30 * G_USEC_PER_SEC)

guint
cleave_stage_loop_n_steps (CleaveRun *self, const CleaveStageLoop *loop)
{
  return loop->n_indices / self->settings->training->batch_size;
}

guint
cleave_stage_loop_step (CleaveRun *self, const CleaveStageLoop *loop)
{
  return self->epoch * cleave_stage_loop_n_steps (self, loop) + self->step;
}

double
cleave_stage_loop_learning_rate (CleaveRun *self, const CleaveStageLoop *loop)
{
  return 0.5 * loop->learning_rate * (1 + cos (G_PI * self->epoch / loop->n_epochs));
}

/* Has the minibatch of a step of this epoch filled ahead. ORDER is the epoch's. */
static void
request_batch (CleaveRun *self, const CleaveStageLoop *loop, CleavePrefetch *prefetch, const guint32 *order, guint step)
{
  g_autofree guint32 *indices = g_new (guint32, self->batch.n);

  for (guint i = 0; i < self->batch.n; i++)
    indices[i] = loop->indices[order[step * self->batch.n + i]];
  cleave_prefetch_request (prefetch, self->epoch, indices);
}

static void
report (CleaveRun *self, const CleaveStageLoop *loop, CleaveProgressKind kind)
{
  CleaveProgress progress = {
    .kind = kind,
    .stage = self->stage,
    .n_epochs = loop->n_epochs,
    .n_steps = cleave_stage_loop_n_steps (self, loop),
    .epoch = self->epoch,
    .step = self->step,
    .n_images = self->n_step_images,
    .loss = self->tally.n_losses > 0 ? self->tally.loss / self->tally.n_losses : NAN,
    .latency_ms = self->stage == CLEAVE_STAGE_SEARCH ? self->latency_ms : NAN,
  };

  if (self->observer->progress != NULL)
    self->observer->progress (&progress, self->observer->data);
}

/* Writes a checkpoint if enough time has gone by since the last. */
static gboolean
save_now_and_then (CleaveRun *self, gint64 interval_us, GError **error)
{
  gint64 elapsed_us = g_get_monotonic_time () - self->checkpoint_time_us;

  if (elapsed_us < MAX (interval_us, CHECKPOINT_SHARE * self->checkpoint_duration_us))
    return TRUE;
  return cleave_checkpoint_save (self, error);
}

static gboolean
stop (CleaveRun *self, GError **error)
{
  if (cleave_checkpoint_save (self, error))
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CANCELLED, "stopped in %s", self->last_checkpoint);
  return FALSE;
}

/* The steps left of the present epoch. */
static gboolean
take_steps (CleaveRun *self, const CleaveStageLoop *loop, CleavePrefetch *prefetch, gboolean *done, GError **error)
{
  guint n_steps = cleave_stage_loop_n_steps (self, loop);
  g_autofree guint32 *order = g_new (guint32, loop->n_indices);

  cleave_minibatch_order (self->settings->run->seed, loop->order_purpose, self->epoch, loop->n_indices, order);
  if (self->step < n_steps)
    request_batch (self, loop, prefetch, order, self->step);
  while (self->step < n_steps)
    {
      g_autoptr (GError) step_error = NULL;
      CleaveTally tally = self->tally;

      if (cleave_run_should_stop (self))
        return stop (self, error);
      cleave_prefetch_take (prefetch, &self->batch);
      if (self->step + 1 < n_steps)
        request_batch (self, loop, prefetch, order, self->step + 1);
      self->n_step_images = 0;
      if (!loop->take_step (self, loop, done, &step_error))
        {
          self->tally = tally;
          if (g_error_matches (step_error, CLEAVE_ERROR, CLEAVE_ERROR_CANCELLED))
            return stop (self, error);
          if (g_error_matches (step_error, CLEAVE_ERROR, CLEAVE_ERROR_NUMERIC))
            cleave_training_explain (self, &step_error);
          g_propagate_error (error, g_steal_pointer (&step_error));
          return FALSE;
        }
      if (*done)
        return TRUE;
      self->step++;
      report (self, loop, CLEAVE_PROGRESS_STEP);
      if (self->step < n_steps && !save_now_and_then (self, CHECKPOINT_INTERVAL_US, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
end_epoch (CleaveRun *self, const CleaveStageLoop *loop, GError **error)
{
  if (!cleave_metrics_add_epoch (self, loop, error))
    return FALSE;
  self->n_step_images = 0;
  self->epoch++;
  self->step = 0;
  report (self, loop, CLEAVE_PROGRESS_EPOCH);
  self->tally = (CleaveTally){ 0 };
  return cleave_metrics_write (self, error) && save_now_and_then (self, 0, error);
}

gboolean
cleave_stage_loop (CleaveRun *self, const CleaveStageLoop *loop, GError **error)
{
  const CleaveTrainingSettings *training = self->settings->training;
  const CleaveAugmentation augmentation = { training->crop_padding, training->flip, training->cutout };
  g_autoptr (CleavePrefetch) prefetch = cleave_prefetch_new (&self->source, &augmentation, self->settings->run->seed,
                                                             loop->augmentation_purpose, training->batch_size, error);
  gboolean done = FALSE;

  if (prefetch == NULL)
    return FALSE;
  while (!done && (loop->until_done || self->epoch < loop->n_epochs))
    {
      if (!take_steps (self, loop, prefetch, &done, error))
        return FALSE;
      if (self->step > 0 && !end_epoch (self, loop, error))
        return FALSE;
    }
  report (self, loop, CLEAVE_PROGRESS_STAGE);
  return TRUE;
}
