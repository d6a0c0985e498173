/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution of one channel's plane, [row][column][lane]. Sizes are literal in the inlined bodies, so that
 * weights and sums stay in registers. */
#include "table.h"

#define NN_MAX_KERNEL 7

/* --- convolution --- */

/* What happens to outputs while they are in registers. */
typedef enum
{
  NN_PLAIN,
  NN_GATHER,   /* their moments are taken */
  NN_ACTIVATE, /* the activation is applied */
} After;

typedef struct
{
  Vector sum[2], square[2];
} LaneSums;

/* Outputs of a row at once: twice as many sums, of two vectors of lanes, as an addition takes turns at the least, and
 * no more than there are registers for. */
#if NN_VECTOR == 16
#define NN_RUN 8
#else
#define NN_RUN 4
#endif

/* `count` outputs of a row, next to each other, of two vectors of lanes. */
NN_INLINE void
outputs (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows, unsigned columns,
         unsigned stride, unsigned count, unsigned lanes, After after, const NnActivation *activation, LaneSums *sums)
{
  Vector results[2 * NN_RUN] = { 0 }, sum[2] = { 0 }, square[2] = { 0 };

#pragma GCC unroll 5
  for (unsigned row = 0; row < rows; row++)
#pragma GCC unroll 5
    for (unsigned column = 0; column < columns; column++)
#pragma GCC unroll 16
      for (unsigned i = 0; i < 2 * count; i++)
        results[i] += weights[row * columns + column]
                      * vector_load (from + row * plane->from_row + (size_t)(column + i / 2 * stride) * lanes
                                     + i % 2 * NN_VECTOR);
#pragma GCC unroll 16
  for (unsigned i = 0; i < 2 * count; i++)
    {
      if (after == NN_ACTIVATE)
        {
          results[i] = activation->scale * results[i] + activation->shift;
          results[i] = activation->relu ? vector_relu (results[i]) : results[i];
        }
      vector_store (to + i / 2 * plane->to_pixel + i % 2 * NN_VECTOR, results[i]);
      if (after == NN_GATHER)
        {
          sum[i % 2] += results[i];
          square[i % 2] += results[i] * results[i];
        }
    }
  /* Once a run, lest each output wait for the one before. */
  if (after == NN_GATHER)
    for (unsigned i = 0; i < 2; i++)
      {
        sums->sum[i] += sum[i];
        sums->square[i] += square[i];
      }
}

/* One row of outputs of two vectors of lanes. */
NN_INLINE void
convolve_row (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows, unsigned columns,
              unsigned stride, unsigned lanes, After after, const NnActivation *activation, LaneSums *sums)
{
  size_t to_pixel = plane->to_pixel, from_pixel = (size_t)stride * lanes;
  unsigned x = 0;

#if NN_RUN > 4
  for (; x + NN_RUN <= plane->columns; x += NN_RUN)
    outputs (to + x * to_pixel, from + x * from_pixel, weights, plane, rows, columns, stride, NN_RUN, lanes, after,
             activation, sums);
#endif
  for (; x + 4 <= plane->columns; x += 4)
    outputs (to + x * to_pixel, from + x * from_pixel, weights, plane, rows, columns, stride, 4, lanes, after,
             activation, sums);
  for (; x < plane->columns; x++)
    outputs (to + x * to_pixel, from + x * from_pixel, weights, plane, rows, columns, stride, 1, lanes, after,
             activation, sums);
}

NN_INLINE void
convolve (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows, unsigned columns,
          unsigned stride, unsigned lanes, After after, NnMoments moments, const NnActivation *activation)
{
  for (unsigned y = 0; y < plane->rows; y++)
    for (unsigned lane = 0; lane < lanes; lane += 2 * NN_VECTOR)
      {
        LaneSums sums = { 0 };

        convolve_row (to + y * plane->to_row + lane, from + (size_t)y * stride * plane->from_row + lane, weights, plane,
                      rows, columns, stride, lanes, after, activation, &sums);
        if (after != NN_GATHER)
          continue;
        for (unsigned i = 0; i < 2; i++)
          {
            unsigned first = lane + i * NN_VECTOR;

            if (moments.valid < first + NN_VECTOR)
              {
                sums.sum[i] = vector_keep (sums.sum[i], first, moments.valid);
                sums.square[i] = vector_keep (sums.square[i], first, moments.valid);
              }
            moments.sums[0] += vector_wide_sum (sums.sum[i]);
            moments.sums[1] += vector_wide_sum (sums.square[i]);
          }
      }
}

#define NN_SHAPE(r, c, s)                                                                                              \
  case 100 * r + 10 * c + s:                                                                                           \
    convolve (to, from, weights, plane, r, c, s, NN_USUAL_LANES, after, moments, activation);                          \
    return;

/* Sizes 3 and 5 and strides 1 and 2 forwards; back, where nothing is done to outputs, the phases of such strides. */
NN_INLINE void
convolve_shape (float *to, const float *from, const float *weights, const NnPlane *plane, After after,
                NnMoments moments, const NnActivation *activation)
{
  int one_digit_each = plane->kernel_rows < 10 && plane->kernel_columns < 10 && plane->stride < 10;
  unsigned shape = one_digit_each ? 100 * plane->kernel_rows + 10 * plane->kernel_columns + plane->stride : 0;

  switch (shape)
    {
      NN_SHAPE (3, 3, 1)
      NN_SHAPE (5, 5, 1)
    }
  if (after == NN_PLAIN)
    switch (shape)
      {
        NN_SHAPE (1, 1, 1)
        NN_SHAPE (1, 2, 1)
        NN_SHAPE (2, 1, 1)
        NN_SHAPE (2, 2, 1)
        NN_SHAPE (2, 3, 1)
        NN_SHAPE (3, 2, 1)
      }
  else
    switch (shape)
      {
        NN_SHAPE (3, 3, 2)
        NN_SHAPE (5, 5, 2)
      }
  convolve (to, from, weights, plane, plane->kernel_rows, plane->kernel_columns, plane->stride, NN_USUAL_LANES, after,
            moments, activation);
}
#undef NN_SHAPE

void
NN_NAME (depthwise) (float *to, const float *from, const float *weights, const NnPlane *plane, NnMoments moments,
                     const NnActivation *activation)
{
  if (plane->lanes != NN_USUAL_LANES)
    convolve (to, from, weights, plane, plane->kernel_rows, plane->kernel_columns, plane->stride, plane->lanes,
              moments.sums != NULL ? NN_GATHER
              : activation != NULL ? NN_ACTIVATE
                                   : NN_PLAIN,
              moments, activation);
  else if (moments.sums != NULL)
    convolve_shape (to, from, weights, plane, NN_GATHER, moments, NULL);
  else if (activation != NULL)
    convolve_shape (to, from, weights, plane, NN_ACTIVATE, moments, activation);
  else
    convolve_shape (to, from, weights, plane, NN_PLAIN, moments, NULL);
}

/* --- weights' gradient --- */

/* `rows` rows of taps at a time: that many sums in registers, each gradient loaded once. */
NN_INLINE void
tap_rows (float *weights, const float *from, const float *gradient, const NnPlane *plane, unsigned rows,
          unsigned columns, unsigned stride, unsigned lanes)
{
  Vector sums[25] = { 0 };

  for (unsigned y = 0; y < plane->rows; y++)
    for (unsigned x = 0; x < plane->columns; x++)
      for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
        {
          Vector g = vector_load (gradient + y * plane->to_row + x * plane->to_pixel + lane);
          const float *window = from + (size_t)y * stride * plane->from_row + (size_t)x * stride * lanes + lane;

#pragma GCC unroll 5
          for (unsigned row = 0; row < rows; row++)
#pragma GCC unroll 5
            for (unsigned column = 0; column < columns; column++)
              sums[row * columns + column] += g * vector_load (window + row * plane->from_row + column * lanes);
        }
#pragma GCC unroll 25
  for (unsigned tap = 0; tap < rows * columns; tap++)
    weights[tap] = vector_sum (sums[tap]);
}

/* All taps at once where there are registers for it. */
#if NN_VECTOR == 16
#define NN_TAP_ROWS(kernel) (kernel)
#else
#define NN_TAP_ROWS(kernel) 1
#endif

NN_INLINE void
all_taps (float *weights, const float *from, const float *gradient, const NnPlane *plane, unsigned kernel,
          unsigned stride, unsigned lanes)
{
  for (unsigned row = 0; row < kernel; row += NN_TAP_ROWS (kernel))
    tap_rows (weights + row * kernel, from + row * plane->from_row, gradient, plane, NN_TAP_ROWS (kernel), kernel,
              stride, lanes);
}

void
NN_NAME (depthwise_weights) (float *weights, const float *from, const float *gradient, const NnPlane *plane)
{
  unsigned kernel = plane->kernel_columns, stride = plane->stride;

  if (plane->lanes == NN_USUAL_LANES && kernel == 3 && stride == 1)
    all_taps (weights, from, gradient, plane, 3, 1, NN_USUAL_LANES);
  else if (plane->lanes == NN_USUAL_LANES && kernel == 5 && stride == 1)
    all_taps (weights, from, gradient, plane, 5, 1, NN_USUAL_LANES);
  else if (plane->lanes == NN_USUAL_LANES && kernel == 3 && stride == 2)
    all_taps (weights, from, gradient, plane, 3, 2, NN_USUAL_LANES);
  else if (plane->lanes == NN_USUAL_LANES && kernel == 5 && stride == 2)
    all_taps (weights, from, gradient, plane, 5, 2, NN_USUAL_LANES);
  else
    for (unsigned row = 0; row < plane->kernel_rows; row++)
      for (unsigned first = 0; first < kernel; first += NN_MAX_KERNEL)
        tap_rows (weights + row * kernel + first, from + row * plane->from_row + (size_t)first * plane->lanes, gradient,
                  plane, 1, kernel - first < NN_MAX_KERNEL ? kernel - first : NN_MAX_KERNEL, stride, plane->lanes);
}
