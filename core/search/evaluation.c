/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "evaluation.h"

#include "objective.h"
#include "purposes.h"

#include <math.h>
#include <string.h>

/* The stream of a drop rate is named by the rate, not by its place in a list: another list repeats the same losses. */
static guint32
drop_rate_key (double drop_rate)
{
  return (guint32)lrint (drop_rate * 1e9);
}

static int
compare_drop_rates (gconstpointer a, gconstpointer b)
{
  double first = *(const double *)a, second = *(const double *)b;

  return (first > second) - (first < second);
}

void
cleave_evaluation_sort_drop_rates (GArray *drop_rates)
{
  g_array_sort (drop_rates, compare_drop_rates);
  for (guint i = drop_rates->len; i-- > 1;)
    if (g_array_index (drop_rates, double, i) == g_array_index (drop_rates, double, i - 1))
      g_array_remove_index (drop_rates, i);
}

guint
cleave_evaluation_arg_max (const float *values, gsize n)
{
  guint best = 0;

  for (gsize i = 1; i < n; i++)
    if (values[i] > values[best])
      best = i;
  return best;
}

gboolean
cleave_evaluation_check_shapes (CleaveNetwork *network, const CleaveDatasetInfo *info, GError **error)
{
  const CleaveOp *last = cleave_network_get_op (network, cleave_network_get_n_ops (network) - 1);
  guint channels = cleave_network_get_in_channels (network);
  guint height = cleave_network_get_in_height (network);
  guint width = cleave_network_get_in_width (network);
  gsize n_outputs = (gsize)last->out_channels * last->out_height * last->out_width;

  if (channels != info->channels || height != info->height || width != info->width)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "[space]: its networks take images of %u×%u×%u, but those of [dataset] are %u×%u×%u", channels,
                   height, width, info->channels, info->height, info->width);
      return FALSE;
    }
  if (n_outputs != info->n_classes)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "[space]: its networks give %" G_GSIZE_FORMAT " numbers an image, but [dataset] has %u classes",
                   n_outputs, info->n_classes);
      return FALSE;
    }
  return TRUE;
}

static guint
count_correct (const float *logits, const guint16 *labels, guint n, gsize n_classes)
{
  guint n_correct = 0;

  for (guint i = 0; i < n; i++)
    n_correct += cleave_evaluation_arg_max (logits + i * n_classes, n_classes) == labels[i];
  return n_correct;
}

static gboolean
check_finite (const float *logits, gsize n, guint first_image, gsize n_classes, GError **error)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (logits[i]))
      {
        g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_NUMERIC,
                     "evaluation: an output for test image %" G_GSIZE_FORMAT " is %g", first_image + i / n_classes,
                     (double)logits[i]);
        return FALSE;
      }
  return TRUE;
}

/* The tail at one drop rate on the batch whose head has run. */
static gboolean
forward_tail (const CleaveEvaluation *self, NnPlan *plan, double drop_rate, guint first_image, guint n, float *logits,
              GError **error)
{
  gsize n_elements = cleave_network_get_payload_elements (self->network);
  CleaveLossStream stream
      = { self->seed, CLEAVE_PURPOSE_EVALUATION_LOSSES, drop_rate_key (drop_rate), first_image, NULL };
  g_autoptr (GBytes) losses = NULL;
  const guint8 *arrived = NULL;

  if (drop_rate > 0 && n_elements > 0)
    {
      losses = cleave_objective_draw_losses (self->channel, n_elements, n, drop_rate, &stream, error);
      if (losses == NULL)
        return FALSE;
      arrived = g_bytes_get_data (losses, NULL);
    }
  nn_plan_forward_tail (plan, NN_MODE_EVALUATE, arrived, drop_rate);
  nn_plan_get_output (plan, logits);
  return check_finite (logits, n * nn_plan_get_output_size (plan), first_image, nn_plan_get_output_size (plan), error);
}

GArray *
cleave_evaluation_run (const CleaveEvaluation *self, const double *drop_rates, guint n_drop_rates, float *logits,
                       GError **error)
{
  g_autoptr (GArray) accuracies = g_array_new (FALSE, TRUE, sizeof (CleaveAccuracy));
  g_autoptr (NnPlan) plan
      = nn_plan_new (self->engine, self->supernet, self->network, self->batch_size, NN_PLAN_FORWARD, error);
  guint n_images = cleave_images_get_length (self->images);
  g_auto (CleaveMinibatch) batch = { 0 };
  CleaveMinibatchSource source;
  g_autofree guint32 *indices = g_new (guint32, self->batch_size);
  g_autofree float *output = NULL;
  gsize n_classes;

  if (plan == NULL)
    return NULL;
  n_classes = nn_plan_get_output_size (plan);
  output = g_new (float, self->batch_size *n_classes);
  cleave_minibatch_source_init (&source, self->images, self->info);
  cleave_minibatch_allocate (&batch, self->info, self->batch_size);
  g_array_set_size (accuracies, n_drop_rates);
  for (guint r = 0; r < n_drop_rates; r++)
    g_array_index (accuracies, CleaveAccuracy, r).drop_rate = drop_rates[r];

  for (guint first = 0; first < n_images; first += batch.n)
    {
      if (self->should_stop != NULL && self->should_stop (self->data))
        {
          cleave_error_set_literal (error, CLEAVE_ERROR_CANCELLED, "evaluation: stopped");
          return NULL;
        }
      batch.n = MIN (self->batch_size, n_images - first);
      for (guint i = 0; i < batch.n; i++)
        indices[i] = first + i;
      cleave_minibatch_fill (&source, indices, batch.n, NULL, self->seed, 0, 0, batch.pixels, batch.labels);
      nn_plan_forward_head (plan, NN_MODE_EVALUATE, batch.pixels, batch.n);
      for (guint r = 0; r < n_drop_rates; r++)
        {
          if (!forward_tail (self, plan, drop_rates[r], first, batch.n, output, error))
            return NULL;
          g_array_index (accuracies, CleaveAccuracy, r).n_correct
              += count_correct (output, batch.labels, batch.n, n_classes);
          if (logits != NULL && drop_rates[r] == 0)
            memcpy (logits + first * n_classes, output, batch.n * n_classes * sizeof (float));
        }
    }
  return g_steal_pointer (&accuracies);
}
