/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution of one channel's padded plane, [row][column][lane]. Sizes are literal in the inlined bodies, so
 * that weights and sums stay in registers. */
#include "table.h"

#define NN_RUN 4 /* outputs of a row at once */
#define NN_MAX_KERNEL 7

static inline __attribute__ ((always_inline)) void
outputs (float *to, const float *from, const float *weights, unsigned kernel, unsigned stride, unsigned count,
         unsigned padded_width, unsigned lanes)
{
  Vector sums[NN_RUN] = { 0 };

  for (unsigned row = 0; row < kernel; row++)
    for (unsigned column = 0; column < kernel; column++)
      for (unsigned i = 0; i < count; i++)
        sums[i] += weights[row * kernel + column]
                   * vector_load (from + ((size_t)row * padded_width + column + i * stride) * lanes);
  for (unsigned i = 0; i < count; i++)
    vector_store (to + (size_t)i * lanes, sums[i]);
}

static inline __attribute__ ((always_inline)) void
convolve (float *to, const float *padded, const float *weights, unsigned kernel, unsigned stride, const NnPlane *plane)
{
  unsigned lanes = plane->lanes;

  for (unsigned y = 0; y < plane->out_height; y++)
    for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
      {
        const float *from = padded + (size_t)y * stride * plane->padded_width * lanes + lane;
        float *row = to + (size_t)y * plane->out_width * lanes + lane;
        unsigned x = 0;

        for (; x + NN_RUN <= plane->out_width; x += NN_RUN)
          outputs (row + (size_t)x * lanes, from + (size_t)x * stride * lanes, weights, kernel, stride, NN_RUN,
                   plane->padded_width, lanes);
        for (; x < plane->out_width; x++)
          outputs (row + (size_t)x * lanes, from + (size_t)x * stride * lanes, weights, kernel, stride, 1,
                   plane->padded_width, lanes);
      }
}

void
NN_NAME (depthwise) (float *to, const float *padded, const float *weights, const NnPlane *plane)
{
  if (plane->kernel == 3 && plane->stride == 1)
    convolve (to, padded, weights, 3, 1, plane);
  else if (plane->kernel == 5 && plane->stride == 1)
    convolve (to, padded, weights, 5, 1, plane);
  else if (plane->kernel == 3 && plane->stride == 2)
    convolve (to, padded, weights, 3, 2, plane);
  else if (plane->kernel == 5 && plane->stride == 2)
    convolve (to, padded, weights, 5, 2, plane);
  else
    convolve (to, padded, weights, plane->kernel, plane->stride, plane);
}

/* One row of taps at a time: that many sums in registers, each gradient loaded once. */
static inline __attribute__ ((always_inline)) void
tap_row (float *weights, const float *padded, const float *gradient, unsigned taps, unsigned stride,
         const NnPlane *plane)
{
  Vector sums[NN_MAX_KERNEL] = { 0 };
  unsigned lanes = plane->lanes;

  for (unsigned y = 0; y < plane->out_height; y++)
    for (unsigned x = 0; x < plane->out_width; x++)
      for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
        {
          Vector g = vector_load (gradient + ((size_t)y * plane->out_width + x) * lanes + lane);
          const float *from = padded + ((size_t)y * stride * plane->padded_width + x * stride) * lanes + lane;

          for (unsigned tap = 0; tap < taps; tap++)
            sums[tap] += g * vector_load (from + (size_t)tap * lanes);
        }
  for (unsigned tap = 0; tap < taps; tap++)
    weights[tap] = vector_sum (sums[tap]);
}

void
NN_NAME (depthwise_weights) (float *weights, const float *padded, const float *gradient, const NnPlane *plane)
{
  unsigned kernel = plane->kernel;

  for (unsigned row = 0; row < kernel; row++)
    {
      const float *from = padded + (size_t)row * plane->padded_width * plane->lanes;

      if (kernel == 3)
        tap_row (weights + row * kernel, from, gradient, 3, plane->stride, plane);
      else if (kernel == 5)
        tap_row (weights + row * kernel, from, gradient, 5, plane->stride, plane);
      else
        for (unsigned first = 0; first < kernel; first += NN_MAX_KERNEL)
          tap_row (weights + row * kernel + first, from + (size_t)first * plane->lanes, gradient,
                   kernel - first < NN_MAX_KERNEL ? kernel - first : NN_MAX_KERNEL, plane->stride, plane);
    }
}
