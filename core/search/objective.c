/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "objective.h"

#include <math.h>
#include <string.h>

static GBytes *
draw_losses (CleaveChannel *channel, gsize n_elements, guint n, double drop_rate, const CleaveLossStream *stream,
             GError **error)
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
  return g_bytes_new_take (g_steal_pointer (&arrived), n * n_elements);
}

GHashTable *
cleave_objective_drawn_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
}

GBytes *
cleave_objective_draw_losses (CleaveChannel *channel, gsize n_elements, guint n, double drop_rate,
                              const CleaveLossStream *stream, GError **error)
{
  g_autofree char *key = NULL;
  GBytes *losses;

  if (stream->drawn == NULL)
    return draw_losses (channel, n_elements, n, drop_rate, stream, error);
  key = g_strdup_printf ("%" G_GSIZE_FORMAT " × %u from %u at %a", n_elements, n, stream->first_item, drop_rate);
  losses = g_hash_table_lookup (stream->drawn, key);
  if (losses == NULL)
    {
      losses = draw_losses (channel, n_elements, n, drop_rate, stream, error);
      if (losses == NULL)
        return NULL;
      g_hash_table_insert (stream->drawn, g_steal_pointer (&key), losses);
    }
  return g_bytes_ref (losses);
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
      g_autoptr (GBytes) losses = NULL;
      const guint8 *arrived = NULL;

      rate_stream.first_item += r * batch->n;
      if (drop_rates[r] > 0 && n_elements > 0)
        {
          losses = cleave_objective_draw_losses (channel, n_elements, batch->n, drop_rates[r], &rate_stream, error);
          if (losses == NULL)
            return NAN;
          arrived = g_bytes_get_data (losses, NULL);
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
