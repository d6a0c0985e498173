/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loss and stochastic gradient descent. */
#include "engine.h"
#include "supernet.h"

#include <math.h>

double
nn_cross_entropy (const float *logits, const guint16 *labels, guint n, guint n_classes, double weight, float *gradient)
{
  double loss = 0;

  for (guint i = 0; i < n; i++)
    {
      const float *row = logits + (gsize)i * n_classes;
      double largest = -INFINITY, sum = 0;

      for (guint j = 0; j < n_classes; j++)
        largest = MAX (largest, row[j]);
      for (guint j = 0; j < n_classes; j++)
        sum += exp (row[j] - largest);
      loss += largest + log (sum) - row[labels[i]];
      if (gradient != NULL)
        for (guint j = 0; j < n_classes; j++)
          gradient[(gsize)i * n_classes + j] = (exp (row[j] - largest) / sum - (j == labels[i] ? 1 : 0)) * weight / n;
    }
  return loss / n;
}

static double
array_square (const NnArray *array)
{
  double sum = 0;

  for (gsize i = 0; i < array->size; i++)
    sum += (double)array->gradient[i] * array->gradient[i];
  return sum;
}

static void
array_step (NnArray *array, const NnSgd *sgd, float scale)
{
  float decay = sgd->weight_decay, momentum = sgd->momentum, rate = sgd->learning_rate;

  for (gsize i = 0; i < array->size; i++)
    {
      float gradient = scale * array->gradient[i] + decay * array->data[i];
      array->momentum[i] = momentum * array->momentum[i] + gradient;
      array->data[i] -= rate * array->momentum[i];
    }
}

/* Each array is summed by one thread and the sums are added in order, so threads do not change the norm. */
double
nn_supernet_step (NnEngine *engine, NnSupernet *supernet, const NnSgd *sgd)
{
  guint n = supernet->touched->len;
  g_autofree double *squares = g_new (double, n + 1);
  double square = 0, norm;
  float scale = 1;

#pragma omp parallel for num_threads(engine->n_threads) schedule(dynamic)
  for (guint i = 0; i < n; i++)
    squares[i] = array_square (supernet->touched->pdata[i]);
  for (guint i = 0; i < n; i++)
    square += squares[i];
  norm = sqrt (square);
  if (!isfinite (norm))
    return norm;
  /* As torch.nn.utils.clip_grad_norm_ has it. */
  if (sgd->gradient_clip > 0 && norm > sgd->gradient_clip)
    scale = sgd->gradient_clip / (norm + 1e-6);
#pragma omp parallel for num_threads(engine->n_threads) schedule(dynamic)
  for (guint i = 0; i < n; i++)
    array_step (supernet->touched->pdata[i], sgd, scale);
  return norm;
}
