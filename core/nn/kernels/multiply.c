/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The product of some outputs' weights and a cell's panel: what remains after BLIS's blocks, and products whose outputs
 * are changed before they are written, or which fetch what is read after them. */
#include "table.h"

/* Sums that registers hold, of two vectors each. */
#if NN_VECTOR == 16
#define NN_MOST 12
#elif NN_VECTOR == 8
#define NN_MOST 6
#else
#define NN_MOST 4
#endif

/* What happens to outputs while they are in registers. */
typedef enum
{
  NN_WRITE,
  NN_ADD,
  NN_SCALE,
  NN_SCALE_RELU,
} After;

typedef struct
{
  const float *weights;
  unsigned block, k;
  const float *scale, *shift;
  NnAhead *ahead;
} Factor;

/* --- memory ahead --- */

/* Floats of a cache line. */
#define NN_LINE 16

/* Where to fetch from, `step` floats on at each turn. */
typedef struct
{
  const float *data;
  size_t step;
} Fetch;

/* The next lines, one a turn; where there are none, one that is in cache already, again and again. */
NN_INLINE Fetch
fetch_next (NnAhead *ahead, size_t turns, const float *cached)
{
  if (ahead == NULL || ahead->runs == 0)
    return (Fetch){ cached, 0 };

  Fetch fetch = { ahead->data + ahead->done, NN_LINE };
  ahead->done += turns * NN_LINE;
  if (ahead->done >= ahead->run)
    {
      ahead->done = 0;
      ahead->data += ahead->stride;
      ahead->runs--;
    }
  return fetch;
}

/* --- products --- */

NN_INLINE void
finish (float *target, Vector sum, const Factor *factor, unsigned i, After after)
{
  if (after == NN_ADD)
    sum += vector_load (target);
  if (after >= NN_SCALE)
    sum = factor->scale[i] * sum + factor->shift[i];
  if (after == NN_SCALE_RELU)
    sum = vector_relu (sum);
  vector_store (target, sum);
}

/* `n` outputs of one cell, the number literal, so that the sums stay in registers. */
NN_INLINE void
outputs (float *to, size_t to_channel, const float *from, const Factor *factor, unsigned n, unsigned lanes, After after)
{
  for (unsigned lane = 0; lane < lanes; lane += 2 * NN_VECTOR)
    {
      Vector sums[2 * NN_MOST] = { 0 };
      Fetch fetch = fetch_next (factor->ahead, factor->k, from);

      for (unsigned j = 0; j < factor->k; j++)
        {
          Vector low = vector_load (from + (size_t)j * lanes + lane);
          Vector high = vector_load (from + (size_t)j * lanes + lane + NN_VECTOR);

          __builtin_prefetch (fetch.data + j * fetch.step, 0, 2);
#pragma GCC unroll 12
          for (unsigned i = 0; i < n; i++)
            {
              sums[2 * i] += factor->weights[(size_t)j * factor->block + i] * low;
              sums[2 * i + 1] += factor->weights[(size_t)j * factor->block + i] * high;
            }
        }
#pragma GCC unroll 12
      for (unsigned i = 0; i < n; i++)
        {
          finish (to + i * to_channel + lane, sums[2 * i], factor, i, after);
          finish (to + i * to_channel + lane + NN_VECTOR, sums[2 * i + 1], factor, i, after);
        }
    }
}

NN_INLINE void
cells (NnView to, NnView from, const Factor *factor, unsigned n, NnExtent extent, unsigned lanes, After after)
{
  for (unsigned row = 0; row < extent.rows; row++)
    for (unsigned column = 0; column < extent.columns; column++)
      outputs (to.data + row * to.row + column * to.pixel, to.channel, from.data + row * from.row + column * from.pixel,
               factor, n, lanes, after);
}

/* As many outputs at a time as there are registers for. */
NN_INLINE void
all_outputs (NnView to, NnView from, Factor factor, unsigned n, NnExtent extent, unsigned lanes, After after)
{
  static const unsigned sizes[] = { NN_MOST, 4, 2, 1 };

#pragma GCC unroll 4
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (; n >= sizes[i]; n -= sizes[i])
      {
        cells (to, from, &factor, sizes[i], extent, lanes, after);
        factor.weights += sizes[i];
        if (after >= NN_SCALE)
          {
            factor.scale += sizes[i];
            factor.shift += sizes[i];
          }
        to.data += sizes[i] * to.channel;
      }
}

NN_INLINE void
multiply_variant (NnView to, NnView from, Factor factor, unsigned n, NnExtent extent, After after)
{
  if (extent.lanes == NN_USUAL_LANES)
    all_outputs (to, from, factor, n, extent, NN_USUAL_LANES, after);
  else
    all_outputs (to, from, factor, n, extent, extent.lanes, after);
}

void
NN_NAME (multiply) (NnView to, NnView from, const float *weights, unsigned block, unsigned n, unsigned k,
                    NnExtent extent, int accumulate, NnAhead *ahead)
{
  Factor factor = { weights, block, k, NULL, NULL, ahead };

  if (accumulate)
    multiply_variant (to, from, factor, n, extent, NN_ADD);
  else
    multiply_variant (to, from, factor, n, extent, NN_WRITE);
}

void
NN_NAME (multiply_scaled) (NnView to, NnView from, const float *weights, unsigned block, unsigned n, unsigned k,
                           NnExtent extent, const float *scale, const float *shift, int relu, NnAhead *ahead)
{
  Factor factor = { weights, block, k, scale, shift, ahead };

  if (relu)
    multiply_variant (to, from, factor, n, extent, NN_SCALE_RELU);
  else
    multiply_variant (to, from, factor, n, extent, NN_SCALE);
}
