/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The product of a few outputs' weights and a pixel's panel: what remains after BLIS's blocks. */
#include "table.h"

/* `n` outputs of one pixel, the number literal, so that the sums stay in registers. */
NN_INLINE void
outputs (float *to, size_t to_channel, const float *from, const float *weights, unsigned block, unsigned n, unsigned k,
         unsigned lanes, int accumulate)
{
  for (unsigned lane = 0; lane < lanes; lane += 2 * NN_VECTOR)
    {
      Vector sums[2 * 4] = { 0 };

      for (unsigned j = 0; j < k; j++)
        {
          Vector low = vector_load (from + (size_t)j * lanes + lane);
          Vector high = vector_load (from + (size_t)j * lanes + lane + NN_VECTOR);

#pragma GCC unroll 4
          for (unsigned i = 0; i < n; i++)
            {
              sums[2 * i] += weights[(size_t)j * block + i] * low;
              sums[2 * i + 1] += weights[(size_t)j * block + i] * high;
            }
        }
#pragma GCC unroll 4
      for (unsigned i = 0; i < n; i++)
        {
          float *target = to + i * to_channel + lane;

          if (accumulate)
            {
              sums[2 * i] += vector_load (target);
              sums[2 * i + 1] += vector_load (target + NN_VECTOR);
            }
          vector_store (target, sums[2 * i]);
          vector_store (target + NN_VECTOR, sums[2 * i + 1]);
        }
    }
}

NN_INLINE void
pixels (NnView to, NnView from, const float *weights, unsigned block, unsigned n, unsigned k, NnExtent extent,
        unsigned lanes, int accumulate)
{
  for (unsigned row = 0; row < extent.rows; row++)
    for (unsigned column = 0; column < extent.columns; column++)
      outputs (to.data + row * to.row + column * to.pixel, to.channel, from.data + row * from.row + column * from.pixel,
               weights, block, n, k, lanes, accumulate);
}

void
NN_NAME (multiply) (NnView to, NnView from, const float *weights, unsigned block, unsigned n, unsigned k,
                    NnExtent extent, int accumulate)
{
  for (; n >= 4; n -= 4, weights += 4, to.data += 4 * to.channel)
    if (extent.lanes == NN_USUAL_LANES)
      pixels (to, from, weights, block, 4, k, extent, NN_USUAL_LANES, accumulate);
    else
      pixels (to, from, weights, block, 4, k, extent, extent.lanes, accumulate);
  for (; n > 0; n--, weights++, to.data += to.channel)
    pixels (to, from, weights, block, 1, k, extent, extent.lanes, accumulate);
}
