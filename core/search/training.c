/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One step of gradient descent, as pre-training (eq. 5) and re-training share it. */

#include "run-private.h"

#include <math.h>

gboolean
cleave_training_accumulate (CleaveRun *self, NnPlan *plan, CleaveNetwork *network, double drop_rate, double weight,
                            CleaveRandom *dropout, GError **error)
{
  const CleaveMinibatch *batch = &self->batch;
  gsize n_elements = cleave_network_get_payload_elements (network);
  gsize n_classes = nn_plan_get_output_size (plan);
  g_autofree float *logits = g_new (float, batch->n *n_classes);
  g_autofree float *gradient = g_new (float, batch->n *n_classes);
  g_autoptr (GBytes) arrived = NULL;
  double loss;

  if (drop_rate > 0 && n_elements > 0)
    arrived = cleave_random_flags (dropout, batch->n * n_elements, 1 - drop_rate);
  nn_plan_forward_head (plan, NN_MODE_TRAIN, batch->pixels, batch->n);
  nn_plan_forward_tail (plan, NN_MODE_TRAIN, arrived != NULL ? g_bytes_get_data (arrived, NULL) : NULL, drop_rate);
  nn_plan_get_output (plan, logits);
  loss = nn_cross_entropy (logits, batch->labels, batch->n, n_classes, weight, gradient);
  if (!isfinite (loss))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_NUMERIC, "the loss is %g", loss);
      return FALSE;
    }
  nn_plan_backward (plan, gradient);

  self->tally.loss += loss;
  self->tally.n_losses++;
  self->tally.n_classified += batch->n;
  for (guint i = 0; i < batch->n; i++)
    self->tally.n_correct += cleave_evaluation_arg_max (logits + i * n_classes, n_classes) == batch->labels[i];
  self->n_step_images += batch->n;
  return TRUE;
}

gboolean
cleave_training_update (CleaveRun *self, double learning_rate, GError **error)
{
  const CleaveTrainingSettings *training = self->settings->training;
  NnSgd sgd = { learning_rate, training->momentum, training->weight_decay, training->gradient_clip };
  double norm = nn_supernet_step (self->engine, self->supernet, &sgd);

  if (isfinite (norm))
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_NUMERIC, "the gradient's norm is %g", norm);
  return FALSE;
}

void
cleave_training_explain (CleaveRun *self, GError **error)
{
  g_autofree char *path = cleave_run_path (self, "checkpoint.npz");

  g_prefix_error (error, "%s, epoch %u, step %u: ", cleave_stage_to_string (self->stage), self->epoch + 1,
                  self->step + 1);
  if (error == NULL || *error == NULL)
    return;
  if (self->last_checkpoint != NULL)
    {
      g_autofree char *message
          = g_strdup_printf ("%s; the last good checkpoint is %s, %s", (*error)->message, path, self->last_checkpoint);

      g_free ((*error)->message);
      (*error)->message = g_steal_pointer (&message);
    }
}
