/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution of one channel's plane, [row][column][lane]. Sizes are literal in the inlined bodies, so that
 * weights and sums stay in registers. */
#include "table.h"

#define NN_MAX_KERNEL 7

/* Where nothing is optimised, as under sanitizers, literal sizes gain nothing and take minutes to compile: the build
 * asks for the general bodies alone, which touch the same memory. */
#ifdef NN_GENERIC
#define NN_IS(size, literal) 0
#else
#define NN_IS(size, literal) ((size) == (literal))
#endif

/* --- convolution --- */

/* What happens to outputs while they are in registers. */
typedef enum
{
  NN_PLAIN,
  NN_GATHER,   /* their moments are taken */
  NN_ACTIVATE, /* the activation is applied */
  NN_MASK,     /* the mask is applied and their sum taken */
} After;

/* What that takes. */
typedef struct
{
  const NnActivation *activation;
  const NnMask *mask;
  const float *mask_row; /* of the present row and lanes */
} Extras;

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

/* Are two rows taken at once? */
#define NN_TALL(rows, columns, stride) (NN_VECTOR == 16 && rows == 3 && columns == 3 && stride == 1)

/* results[i] += output i of a row, each tap's inputs read as they are needed. */
NN_INLINE void
convolve_outputs (Vector *results, const float *from, const float *weights, const NnPlane *plane, unsigned rows,
                  unsigned columns, unsigned stride, unsigned count, unsigned lanes)
{
#pragma GCC unroll 5
  for (unsigned row = 0; row < rows; row++)
#pragma GCC unroll 5
    for (unsigned column = 0; column < columns; column++)
#pragma GCC unroll 16
      for (unsigned i = 0; i < count; i++)
        results[i] += weights[row * columns + column]
                      * vector_load (from + row * plane->from_row + (size_t)(column + i * stride) * lanes);
}

/* The same of several rows, stride 1: each input is read once and serves all outputs that it is under. Where all
 * weights fit into registers, as 3 × 3 do, this spares most of the loads, which take as long as the products. Every
 * output's sum has the same order as above. */
NN_INLINE void
convolve_tile (Vector *results, const float *from, const float *weights, const NnPlane *plane, unsigned rows,
               unsigned columns, unsigned tall, unsigned count, unsigned lanes)
{
#pragma GCC unroll 4
  for (unsigned y = 0; y < rows + tall - 1; y++)
#pragma GCC unroll 10
    for (unsigned x = 0; x < columns + count - 1; x++)
      {
        Vector input = vector_load (from + y * plane->from_row + (size_t)x * lanes);

#pragma GCC unroll 2
        for (unsigned row = 0; row < tall; row++)
#pragma GCC unroll 8
          for (unsigned i = 0; i < count; i++)
            if (y >= row && y - row < rows && x >= i && x - i < columns)
              results[row * count + i] += weights[(y - row) * columns + x - i] * input;
      }
}

/* `count` outputs of each of `tall` rows, next to each other from an even column on, of one vector of lanes. */
NN_INLINE void
outputs (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows, unsigned columns,
         unsigned stride, unsigned tall, unsigned count, unsigned lanes, unsigned side, After after, Extras extras,
         LaneSums *sums)
{
  Vector results[NN_RUN] = { 0 }, sum[2] = { 0 }, square[2] = { 0 };

  if (after == NN_ACTIVATE)
#pragma GCC unroll 16
    for (unsigned i = 0; i < tall * count; i++)
      results[i] = vector_splat (extras.activation->shift);
  if (tall > 1)
    convolve_tile (results, from, weights, plane, rows, columns, tall, count, lanes);
  else
    convolve_outputs (results, from, weights, plane, rows, columns, stride, count, lanes);
#pragma GCC unroll 16
  for (unsigned i = 0; i < tall * count; i++)
    {
      unsigned row = i / count, column = i % count;

      if (after == NN_ACTIVATE && extras.activation->relu)
        results[i] = vector_relu (results[i]);
      if (after == NN_MASK)
        {
          const float *mask = extras.mask_row + row * extras.mask->row + column * extras.mask->column;

          results[i] = vector_where_positive (vector_load (mask), results[i]);
          sum[i % 2] += results[i];
        }
      vector_store (to + row * plane->to_row + column / side * plane->to_cell + column % side * lanes, results[i]);
      if (after == NN_GATHER)
        {
          sum[i % 2] += results[i];
          square[i % 2] += results[i] * results[i];
        }
    }
  /* Once a run, lest each output wait for the one before. */
  if (after == NN_GATHER || after == NN_MASK)
    sums->sum += sum[0] + sum[1];
  if (after == NN_GATHER)
    sums->square += square[0] + square[1];
}

/* Columns from x on, `count` at a time, as long as there are so many. */
NN_INLINE unsigned
convolve_runs (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows,
               unsigned columns, unsigned stride, unsigned tall, unsigned x, unsigned count, unsigned lanes,
               unsigned side, After after, Extras extras, LaneSums *sums)
{
  for (; x + count <= plane->columns; x += count)
    {
      Extras here = extras;

      if (after == NN_MASK)
        here.mask_row += x * extras.mask->column;
      outputs (to + x / side * plane->to_cell + x % side * lanes, from + (size_t)x * stride * lanes, weights, plane,
               rows, columns, stride, tall, count, lanes, side, after, here, sums);
    }
  return x;
}

/* `tall` rows of outputs of one vector of lanes. */
NN_INLINE void
convolve_rows (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows,
               unsigned columns, unsigned stride, unsigned tall, unsigned lanes, unsigned side, After after,
               Extras extras, LaneSums *sums)
{
  unsigned x = 0;

#define NN_RUNS(count)                                                                                                 \
  if (tall * count <= NN_RUN)                                                                                          \
    x = convolve_runs (to, from, weights, plane, rows, columns, stride, tall, x, count, lanes, side, after, extras,    \
                       sums);
  NN_RUNS (16)
  NN_RUNS (8)
  NN_RUNS (4)
  NN_RUNS (1)
#undef NN_RUNS
}

/* Moments are wanted only of NN_GATHER, their first alone of NN_MASK. */
NN_INLINE void
convolve_tall (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows,
               unsigned columns, unsigned stride, unsigned tall, unsigned lanes, unsigned side, After after,
               NnMoments moments, Extras extras)
{
  for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
    {
      LaneSums sums = { 0 };
      Extras here = extras;

      if (after == NN_MASK)
        here.mask_row += lane;
      convolve_rows (to + lane, from + lane, weights, plane, rows, columns, stride, tall, lanes, side, after, here,
                     &sums);
      if (after == NN_MASK)
        moments.sums[0] += vector_wide_sum (sums.sum);
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

NN_INLINE void
convolve (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned rows, unsigned columns,
          unsigned stride, unsigned lanes, unsigned side, After after, NnMoments moments, Extras extras)
{
  unsigned tall = 0;

  for (unsigned y = 0; y < plane->rows; y += tall)
    {
      float *to_row = to + y * plane->to_row;
      const float *from_row = from + (size_t)y * stride * plane->from_row;

      if (after == NN_MASK)
        extras.mask_row = extras.mask->data + y * extras.mask->row;
      tall = NN_TALL (rows, columns, stride) && y + 2 <= plane->rows ? 2 : 1;
      if (NN_TALL (rows, columns, stride) && tall == 2)
        convolve_tall (to_row, from_row, weights, plane, rows, columns, stride, 2, lanes, side, after, moments, extras);
      else
        convolve_tall (to_row, from_row, weights, plane, rows, columns, stride, 1, lanes, side, after, moments, extras);
    }
}

#define NN_SHAPE(r, c, s)                                                                                              \
  case 100 * r + 10 * c + s:                                                                                           \
    convolve (to, from, weights, plane, r, c, s, lanes, side, after, moments, extras);                                 \
    return;

/* Sizes 3 and 5 and strides 1 and 2 forwards; back, the phases of such strides. */
NN_INLINE void
convolve_shape (float *to, const float *from, const float *weights, const NnPlane *plane, unsigned lanes, unsigned side,
                After after, NnMoments moments, Extras extras)
{
  int one_digit_each = plane->kernel_rows < 10 && plane->kernel_columns < 10 && plane->stride < 10;
  unsigned shape = one_digit_each ? 100 * plane->kernel_rows + 10 * plane->kernel_columns + plane->stride : 0;

  switch (shape)
    {
      NN_SHAPE (3, 3, 1)
      NN_SHAPE (5, 5, 1)
    }
  if (after == NN_GATHER || after == NN_ACTIVATE)
    switch (shape)
      {
        NN_SHAPE (3, 3, 2)
        NN_SHAPE (5, 5, 2)
      }
  else
    switch (shape)
      {
        NN_SHAPE (1, 1, 1)
        NN_SHAPE (1, 2, 1)
        NN_SHAPE (2, 1, 1)
        NN_SHAPE (2, 2, 1)
        NN_SHAPE (2, 3, 1)
        NN_SHAPE (3, 2, 1)
      }
  convolve (to, from, weights, plane, plane->kernel_rows, plane->kernel_columns, plane->stride, lanes, side, after,
            moments, extras);
}
#undef NN_SHAPE

/* Lanes and side as they are where two pixels share a cell, in planes and in cells, and where one fills it. */
NN_INLINE void
convolve_usual (float *to, const float *from, const float *weights, const NnPlane *plane, After after,
                NnMoments moments, Extras extras)
{
  if (NN_IS (plane->lanes, NN_USUAL_IMAGES) && plane->side == 2 && after != NN_PLAIN)
    convolve_shape (to, from, weights, plane, NN_USUAL_IMAGES, 2, after, moments, extras);
  else if (NN_IS (plane->lanes, NN_USUAL_IMAGES) && plane->side == 1 && (after == NN_PLAIN || after == NN_MASK))
    convolve_shape (to, from, weights, plane, NN_USUAL_IMAGES, 1, after, moments, extras);
  else if (NN_IS (plane->lanes, NN_USUAL_LANES) && plane->side == 1)
    convolve_shape (to, from, weights, plane, NN_USUAL_LANES, 1, after, moments, extras);
  else
    convolve (to, from, weights, plane, plane->kernel_rows, plane->kernel_columns, plane->stride, plane->lanes,
              plane->side, after, moments, extras);
}

void
NN_NAME (depthwise) (float *to, const float *from, const float *weights, const NnPlane *plane, NnMoments moments,
                     const NnActivation *activation)
{
  Extras extras = { activation, NULL, NULL };

  if (moments.sums != NULL)
    convolve_usual (to, from, weights, plane, NN_GATHER, moments, extras);
  else if (activation != NULL)
    convolve_usual (to, from, weights, plane, NN_ACTIVATE, moments, extras);
  else
    convolve_usual (to, from, weights, plane, NN_PLAIN, moments, extras);
}

double
NN_NAME (depthwise_masked) (float *to, const float *from, const float *weights, const NnPlane *plane,
                            const NnMask *mask)
{
  double sum = 0;

  convolve_usual (to, from, weights, plane, NN_MASK, (NnMoments){ &sum, plane->lanes, plane->lanes },
                  (Extras){ NULL, mask, NULL });
  return sum;
}

/* --- weights' gradient --- */

/* So many rows and columns of taps at a time: as many sums in registers, each of `other` loaded once. */
NN_INLINE void
tap_rows (float *weights, size_t weights_row, const float *from, const float *other, const NnPlane *plane,
          unsigned rows, unsigned columns, unsigned lanes)
{
  Vector sums[25] = { 0 };
  float totals[25];

  for (unsigned y = 0; y < plane->rows; y++)
    for (unsigned x = 0; x < plane->columns; x++)
      for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
        {
          Vector factor = vector_load (other + y * plane->to_row + x * plane->to_cell + lane);
          const float *window = from + (size_t)y * plane->from_row + (size_t)x * lanes + lane;

#pragma GCC unroll 5
          for (unsigned row = 0; row < rows; row++)
#pragma GCC unroll 5
            for (unsigned column = 0; column < columns; column++)
              sums[row * columns + column] += factor * vector_load (window + row * plane->from_row + column * lanes);
        }
  vector_sums (totals, sums, rows * columns);
  for (unsigned row = 0; row < rows; row++)
    for (unsigned column = 0; column < columns; column++)
      weights[row * weights_row + column] = totals[row * columns + column];
}

/* All taps at once where there are registers for it. */
#if NN_VECTOR == 16
#define NN_TAP_ROWS(rows) (rows)
#else
#define NN_TAP_ROWS(rows) 1
#endif

NN_INLINE void
all_taps (float *weights, const float *from, const float *other, const NnPlane *plane, unsigned rows, unsigned columns,
          unsigned lanes)
{
  for (unsigned row = 0; row < rows; row += NN_TAP_ROWS (rows))
    tap_rows (weights + row * columns, columns, from + row * plane->from_row, other, plane, NN_TAP_ROWS (rows), columns,
              lanes);
}

#define NN_SHAPE(r, c)                                                                                                 \
  case 10 * r + c:                                                                                                     \
    all_taps (weights, from, other, plane, r, c, lanes);                                                               \
    return;

NN_INLINE void
taps_of_shape (float *weights, const float *from, const float *other, const NnPlane *plane, unsigned lanes)
{
  unsigned rows = plane->kernel_rows, columns = plane->kernel_columns;

  if (rows < 10 && columns < 10)
    switch (10 * rows + columns)
      {
        NN_SHAPE (5, 5)
        NN_SHAPE (3, 3)
        NN_SHAPE (3, 2)
        NN_SHAPE (2, 3)
        NN_SHAPE (2, 2)
        NN_SHAPE (2, 1)
        NN_SHAPE (1, 2)
        NN_SHAPE (1, 1)
      }
  for (unsigned row = 0; row < rows; row++)
    for (unsigned first = 0; first < columns; first += NN_MAX_KERNEL)
      tap_rows (weights + row * columns + first, columns, from + row * plane->from_row + (size_t)first * lanes, other,
                plane, 1, columns - first < NN_MAX_KERNEL ? columns - first : NN_MAX_KERNEL, lanes);
}
#undef NN_SHAPE

void
NN_NAME (depthwise_weights) (float *weights, const float *from, const float *other, const NnPlane *plane)
{
  if (NN_IS (plane->lanes, NN_USUAL_IMAGES))
    taps_of_shape (weights, from, other, plane, NN_USUAL_IMAGES);
  else if (NN_IS (plane->lanes, NN_USUAL_LANES))
    taps_of_shape (weights, from, other, plane, NN_USUAL_LANES);
  else
    taps_of_shape (weights, from, other, plane, plane->lanes);
}
