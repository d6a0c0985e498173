/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "objective.h"

#include <math.h>
#include <string.h>

void
cleave_minibatch_allocate (CleaveMinibatch *self, const CleaveDatasetInfo *info, guint size)
{
  self->n = size;
  self->pixels = g_new (float, (gsize)size * info->channels * info->height * info->width);
  self->labels = g_new (guint16, size);
}

void
cleave_minibatch_clear (CleaveMinibatch *self)
{
  g_clear_pointer (&self->pixels, g_free);
  g_clear_pointer (&self->labels, g_free);
  self->n = 0;
}

guint8 *
cleave_objective_draw_losses (CleaveChannel *channel, gsize n_elements, guint n, double drop_rate,
                              const CleaveLossStream *stream, GError **error)
{
  g_autofree guint8 *arrived = g_malloc (n * n_elements);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (CleaveRandom) random
          = cleave_random_new (stream->seed, stream->purpose, stream->step, stream->first_item + i);
      g_autoptr (GBytes) flags = cleave_channel_draw_losses (channel, n_elements, drop_rate, random, error);

      if (flags == NULL)
        return NULL;
      memcpy (arrived + i * n_elements, g_bytes_get_data (flags, NULL), n_elements);
    }
  return g_steal_pointer (&arrived);
}

double
cleave_objective_loss (NnPlan *plan, CleaveNetwork *network, const CleaveMinibatch *batch, CleaveChannel *channel,
                       const double *drop_rates, guint n_drop_rates, const CleaveLossStream *stream, GError **error)
{
  gsize n_elements = cleave_network_get_payload_elements (network);
  gsize n_classes = nn_plan_get_output_size (plan);
  g_autofree float *logits = g_new (float, batch->n *n_classes);
  double sum = 0;

  nn_plan_forward_head (plan, NN_MODE_BATCH_STATISTICS, batch->pixels, batch->n);
  for (guint r = 0; r < n_drop_rates; r++)
    {
      CleaveLossStream rate_stream = *stream;
      g_autofree guint8 *arrived = NULL;

      rate_stream.first_item += r * batch->n;
      if (drop_rates[r] > 0 && n_elements > 0)
        {
          arrived = cleave_objective_draw_losses (channel, n_elements, batch->n, drop_rates[r], &rate_stream, error);
          if (arrived == NULL)
            return NAN;
        }
      nn_plan_forward_tail (plan, NN_MODE_BATCH_STATISTICS, arrived, drop_rates[r]);
      nn_plan_get_output (plan, logits);
      sum += nn_cross_entropy (logits, batch->labels, batch->n, n_classes, 1, NULL);
    }

  if (!isfinite (sum))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_NUMERIC, "the loss of a candidate is %g", sum / n_drop_rates);
      return NAN;
    }
  return sum / n_drop_rates;
}

double
cleave_objective_penalty (double total_ms, double threshold_ms)
{
  return MAX (0, total_ms - threshold_ms);
}
