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
  Vector sum, square;
} LaneSums;

/* Outputs of a row at once: twice as many sums as an addition takes turns at the least, and no more than there are
 * registers for. */
#if NN_VECTOR == 16
#define NN_RUN 16
#else
#define NN_RUN 8
#endif

/* `count` outputs of a row, next to each other from an even column on, of one vector of lanes. */
NN_INLINE void
outputs (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows, unsigned columns,
         unsigned stride, unsigned count, unsigned lanes, unsigned side, After after, const NnActivation *activation,
         LaneSums *sums)
{
  Vector results[NN_RUN] = { 0 }, sum[2] = { 0 }, square[2] = { 0 };

#pragma GCC unroll 5
  for (unsigned row = 0; row < rows; row++)
#pragma GCC unroll 5
    for (unsigned column = 0; column < columns; column++)
#pragma GCC unroll 16
      for (unsigned i = 0; i < count; i++)
        results[i] += weights[row * columns + column]
                      * vector_load (from + row * plane->from_row + (size_t)(column + i * stride) * lanes);
#pragma GCC unroll 16
  for (unsigned i = 0; i < count; i++)
    {
      if (after == NN_ACTIVATE)
        {
          results[i] = activation->scale * results[i] + activation->shift;
          results[i] = activation->relu ? vector_relu (results[i]) : results[i];
        }
      vector_store (to + i / side * plane->to_cell + i % side * lanes, results[i]);
      if (after == NN_GATHER)
        {
          sum[i % 2] += results[i];
          square[i % 2] += results[i] * results[i];
        }
    }
  /* Once a run, lest each output wait for the one before. */
  if (after == NN_GATHER)
    {
      sums->sum += sum[0] + sum[1];
      sums->square += square[0] + square[1];
    }
}

/* One row of outputs of one vector of lanes. */
NN_INLINE void
convolve_row (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows, unsigned columns,
              unsigned stride, unsigned lanes, unsigned side, After after, const NnActivation *activation,
              LaneSums *sums)
{
  size_t from_pixel = (size_t)stride * lanes;
  unsigned x = 0;

#if NN_RUN > 8
  for (; x + NN_RUN <= plane->columns; x += NN_RUN)
    outputs (to + x / side * plane->to_cell, from + x * from_pixel, weights, plane, rows, columns, stride, NN_RUN,
             lanes, side, after, activation, sums);
#endif
  for (; x + 8 <= plane->columns; x += 8)
    outputs (to + x / side * plane->to_cell, from + x * from_pixel, weights, plane, rows, columns, stride, 8, lanes,
             side, after, activation, sums);
  for (; x + 4 <= plane->columns; x += 4)
    outputs (to + x / side * plane->to_cell, from + x * from_pixel, weights, plane, rows, columns, stride, 4, lanes,
             side, after, activation, sums);
  for (; x < plane->columns; x++)
    outputs (to + x / side * plane->to_cell + x % side * lanes, from + x * from_pixel, weights, plane, rows, columns,
             stride, 1, lanes, side, after, activation, sums);
}

NN_INLINE void
convolve (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows, unsigned columns,
          unsigned stride, unsigned lanes, unsigned side, After after, NnMoments moments,
          const NnActivation *activation)
{
  for (unsigned y = 0; y < plane->rows; y++)
    for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
      {
        LaneSums sums = { 0 };

        convolve_row (to + y * plane->to_row + lane, from + (size_t)y * stride * plane->from_row + lane, weights, plane,
                      rows, columns, stride, lanes, side, after, activation, &sums);
        if (after != NN_GATHER)
          continue;
        if (moments.valid < lane + NN_VECTOR)
          {
            sums.sum = vector_keep (sums.sum, lane, moments.valid, lanes);
            sums.square = vector_keep (sums.square, lane, moments.valid, lanes);
          }
        moments.sums[0] += vector_wide_sum (sums.sum);
        moments.sums[1] += vector_wide_sum (sums.square);
      }
}

#define NN_SHAPE(r, c, s)                                                                                              \
  case 100 * r + 10 * c + s:                                                                                           \
    convolve (to, from, weights, plane, r, c, s, NN_USUAL_IMAGES, side, after, moments, activation);                   \
    return;

/* Sizes 3 and 5 and strides 1 and 2 forwards; back, where nothing is done to outputs, the phases of such strides. */
NN_INLINE void
convolve_shape (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned side, After after,
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
  convolve (to, from, weights, plane, plane->kernel_rows, plane->kernel_columns, plane->stride, NN_USUAL_IMAGES, side,
            after, moments, activation);
}
#undef NN_SHAPE

void
NN_NAME (depthwise) (float *to, const float *from, const float *weights, const NnPlane *plane, NnMoments moments,
                     const NnActivation *activation)
{
  After after = moments.sums != NULL ? NN_GATHER : activation != NULL ? NN_ACTIVATE : NN_PLAIN;

  if (plane->lanes != NN_USUAL_IMAGES || (after != NN_PLAIN && plane->side != 2))
    convolve (to, from, weights, plane, plane->kernel_rows, plane->kernel_columns, plane->stride, plane->lanes,
              plane->side, after, moments, activation);
  else if (after == NN_GATHER)
    convolve_shape (to, from, weights, plane, 2, NN_GATHER, moments, NULL);
  else if (after == NN_ACTIVATE)
    convolve_shape (to, from, weights, plane, 2, NN_ACTIVATE, moments, activation);
  else if (plane->side == 1)
    convolve_shape (to, from, weights, plane, 1, NN_PLAIN, moments, NULL);
  else
    convolve_shape (to, from, weights, plane, 2, NN_PLAIN, moments, NULL);
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
          Vector g = vector_load (gradient + y * plane->to_row + x / plane->side * plane->to_cell
                                  + x % plane->side * lanes + lane);
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

  if (plane->lanes == NN_USUAL_IMAGES && kernel == 3 && stride == 1)
    all_taps (weights, from, gradient, plane, 3, 1, NN_USUAL_IMAGES);
  else if (plane->lanes == NN_USUAL_IMAGES && kernel == 5 && stride == 1)
    all_taps (weights, from, gradient, plane, 5, 1, NN_USUAL_IMAGES);
  else if (plane->lanes == NN_USUAL_IMAGES && kernel == 3 && stride == 2)
    all_taps (weights, from, gradient, plane, 3, 2, NN_USUAL_IMAGES);
  else if (plane->lanes == NN_USUAL_IMAGES && kernel == 5 && stride == 2)
    all_taps (weights, from, gradient, plane, 5, 2, NN_USUAL_IMAGES);
  else
    for (unsigned row = 0; row < plane->kernel_rows; row++)
      for (unsigned first = 0; first < kernel; first += NN_MAX_KERNEL)
        tap_rows (weights + row * kernel + first, from + row * plane->from_row + (size_t)first * plane->lanes, gradient,
                  plane, 1, kernel - first < NN_MAX_KERNEL ? kernel - first : NN_MAX_KERNEL, stride, plane->lanes);
}
