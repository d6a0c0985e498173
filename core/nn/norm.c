/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batch normalisation: eps 1e-5, momentum 0.1, biased variance to normalise, unbiased for the running value. */
#include "plan.h"

#include <math.h>

#define EPSILON 1e-5
#define MOMENTUM 0.1

NnNorm *
nn_norm_new (NnPlan *plan, NnValue *value, CleaveNetwork *network, guint op)
{
  NnNorm *norm = g_new0 (NnNorm, 1);
  guint channels = value->channels;

  norm->weight = nn_supernet_find_parameter (plan->supernet, network, op, "weight");
  norm->bias = nn_supernet_find_parameter (plan->supernet, network, op, "bias");
  norm->running_mean = nn_supernet_find_parameter (plan->supernet, network, op, "running_mean");
  norm->running_variance = nn_supernet_find_parameter (plan->supernet, network, op, "running_var");
  norm->mean = g_new0 (double, 2 * channels);
  norm->inverse_deviation = norm->mean + channels;
  norm->scale = g_new0 (float, 5 * channels);
  norm->shift = norm->scale + channels;
  norm->a = norm->shift + channels;
  norm->b = norm->a + channels;
  norm->c = norm->b + channels;
  return norm;
}

void
nn_norm_free (gpointer data)
{
  NnNorm *norm = data;

  g_free (norm->mean);
  g_free (norm->scale);
  g_free (norm);
}

/* Adds the tasks' sums in order, onto the first's; [channel][2]. */
static const double *
reduce (NnPlan *plan, guint channels, guint n_tasks)
{
  for (guint task = 1; task < n_tasks; task++)
    {
      const double *sums = plan->sums + (gsize)task * channels * 2;

      for (guint i = 0; i < 2 * channels; i++)
        plan->sums[i] += sums[i];
    }
  return plan->sums;
}

void
nn_norm_finish_forward (NnPlan *plan, NnValue *value, guint n_tasks)
{
  NnNorm *norm = value->norm;
  double count = (double)plan->n * value->pixels;
  const double *sums = NULL;

  if (norm == NULL)
    return;
  if (plan->mode != NN_MODE_EVALUATE)
    sums = reduce (plan, value->channels, n_tasks);
  for (guint j = 0; j < value->channels; j++)
    {
      double mean = norm->running_mean->data[j], variance = norm->running_variance->data[j];

      if (plan->mode != NN_MODE_EVALUATE)
        {
          double sum = sums[2 * j], square = sums[2 * j + 1];

          mean = sum / count;
          variance = fmax (square / count - mean * mean, 0);
          if (isnan (square))
            variance = square;
        }
      if (plan->mode == NN_MODE_TRAIN)
        {
          double unbiased = variance * count / fmax (count - 1, 1);
          norm->running_mean->data[j] = (1 - MOMENTUM) * norm->running_mean->data[j] + MOMENTUM * mean;
          norm->running_variance->data[j] = (1 - MOMENTUM) * norm->running_variance->data[j] + MOMENTUM * unbiased;
        }
      norm->mean[j] = mean;
      norm->inverse_deviation[j] = 1 / sqrt (variance + EPSILON);
      double scale = norm->weight->data[j] * norm->inverse_deviation[j];
      norm->scale[j] = scale;
      norm->shift[j] = norm->bias->data[j] - mean * scale;
    }
}

/* With y = γ·x̂ + β, x̂ = (x − μ)/σ, over n elements: ∂β = Σg, ∂γ = Σg·x̂, ∂x = γ/σ·(g − ∂β/n − x̂·∂γ/n). */
void
nn_norm_finish_backward (NnPlan *plan, NnValue *value, guint n_tasks)
{
  NnNorm *norm = value->norm;
  double count = (double)plan->n * value->pixels;

  if (norm == NULL)
    return;
  nn_supernet_touch (plan->supernet, norm->weight);
  nn_supernet_touch (plan->supernet, norm->bias);
  const double *sums = reduce (plan, value->channels, n_tasks);
  for (guint j = 0; j < value->channels; j++)
    {
      double inverse = norm->inverse_deviation[j], mean = norm->mean[j];
      double scale = norm->weight->data[j] * inverse;
      double sum = sums[2 * j], product = sums[2 * j + 1];

      double weight_gradient = (product - mean * sum) * inverse;
      norm->bias->gradient[j] += sum;
      norm->weight->gradient[j] += weight_gradient;
      norm->a[j] = scale;
      norm->b[j] = -scale * inverse * weight_gradient / count;
      norm->c[j] = scale * (mean * inverse * weight_gradient - sum) / count;
    }
}
