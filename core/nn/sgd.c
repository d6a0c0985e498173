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

/* A stretch of an array, so that large arrays are shared among threads. */
typedef struct
{
  NnArray *array;
  gsize first, n;
} Piece;

#define PIECE_SIZE 16384

static GArray *
cut_arrays (const NnSupernet *supernet)
{
  GArray *pieces = g_array_new (FALSE, FALSE, sizeof (Piece));

  for (guint i = 0; i < supernet->touched->len; i++)
    {
      NnArray *array = supernet->touched->pdata[i];
      for (gsize first = 0; first < array->size; first += PIECE_SIZE)
        {
          Piece piece = { array, first, MIN (PIECE_SIZE, array->size - first) };
          g_array_append_val (pieces, piece);
        }
    }
  return pieces;
}

/* Sums of pieces are added in order, so threads do not change the norm. */
static double
gradient_norm (NnEngine *engine, const GArray *pieces)
{
  g_autofree double *squares = g_new (double, pieces->len + 1);
  double square = 0;

#pragma omp parallel for num_threads(engine->n_threads) schedule(dynamic)
  for (guint i = 0; i < pieces->len; i++)
    {
      NnClock clock = nn_clock_start (engine);
      const Piece *piece = &g_array_index (pieces, Piece, i);
      squares[i] = engine->kernels->square (piece->array->gradient + piece->first, piece->n);
      nn_clock_lap (&clock, NN_WORK_OPTIMISER);
    }
  for (guint i = 0; i < pieces->len; i++)
    square += squares[i];
  return sqrt (square);
}

double
nn_supernet_step (NnEngine *engine, NnSupernet *supernet, const NnSgd *sgd)
{
  g_autoptr (GArray) pieces = cut_arrays (supernet);
  double norm = gradient_norm (engine, pieces);
  float scale = 1;

  if (!isfinite (norm))
    return norm;
  /* As torch.nn.utils.clip_grad_norm_ has it. */
  if (sgd->gradient_clip > 0 && norm > sgd->gradient_clip)
    scale = sgd->gradient_clip / (norm + 1e-6);
#pragma omp parallel for num_threads(engine->n_threads) schedule(dynamic)
  for (guint i = 0; i < pieces->len; i++)
    {
      NnClock clock = nn_clock_start (engine);
      const Piece *piece = &g_array_index (pieces, Piece, i);
      engine->kernels->descend (piece->array->data + piece->first, piece->array->momentum + piece->first,
                                piece->array->gradient + piece->first, piece->n, scale, sgd->weight_decay,
                                sgd->momentum, sgd->learning_rate);
      nn_clock_lap (&clock, NN_WORK_OPTIMISER);
    }
  return norm;
}
