/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The engine's own kernels: plain C over plain arrays, no GLib inside. Innermost lie `lanes` floats of as many images,
 * or of as many pixels of half as many images, so every kernel is a loop over whole vectors; lanes is a multiple of two
 * vectors, in kernels that see single pixels of one, and arrays are aligned to a vector. What is a pixel or a column to
 * a kernel fills the lanes. A view's strides are in floats. */

#include <stddef.h>
#include <stdint.h>

typedef struct
{
  float *data;
  size_t row;     /* from a row of pixels to the next */
  size_t pixel;   /* from a pixel to the next of its row */
  size_t channel; /* from a channel to the next */
} NnView;

typedef struct
{
  unsigned channels;
  unsigned rows, columns;
  unsigned lanes;
} NnExtent;

/* What a reader does to raw channel index[j] to get channel j: relu (scale·x + shift). */
typedef struct
{
  const float *scale; /* NULL: no scale and shift; by raw channel, like shift */
  const float *shift;
  const uint32_t *index;
  int relu;
} NnTransform;

/* Σx and Σx·y of each channel, added to what is there; of every `images` lanes only the first `valid` count. */
typedef struct
{
  double *sums; /* [channel][2]; NULL: none are wanted */
  unsigned valid, images;
} NnMoments;

/* What is done to outputs before they are written: shift added, then ReLU. */
typedef struct
{
  float shift;
  int relu;
} NnActivation;

/* Outputs become 0 where what lies at data[row·row + column·column] is not positive. */
typedef struct
{
  const float *data;
  size_t row, column;
} NnMask;

/* A convolution of one channel's plane, a column being one pixel. Output (y, x) is at to[y·to_row + (x div
 * side)·to_cell
 * + (x mod side)·lanes]; the first element of its window is at from[(y·from_row + x·lanes)·stride]. */
typedef struct
{
  unsigned rows, columns; /* of outputs */
  unsigned kernel_rows, kernel_columns, stride;
  unsigned lanes;
  unsigned side; /* 1 or 2 */
  size_t to_row, to_cell, from_row;
} NnPlane;

/* One side of an outer product, by pixels: n channels next to each other. */
typedef struct
{
  const float *data;
  size_t row, pixel;
  unsigned n;
} NnFactor;

/* Memory that is wanted soon, in runs of floats. A product fetches it into the second-level cache while it computes, a
 * line at a time: so memory and arithmetic work at once, which they don't where one pass reads and another computes. */
typedef struct
{
  const float *data;
  size_t run;    /* floats next to each other */
  size_t stride; /* from a run to the next */
  size_t runs;
  size_t done; /* floats of the present run */
} NnAhead;

typedef struct
{
  unsigned vector; /* floats in a vector */
  /* to[j] ← transform (from[index[j]]) */
  void (*transform) (NnView to, NnView from, const NnTransform *transform, NnExtent extent);
  /* to[index[j]] ← gradient[j] where the transform of value[index[j]] passed its ReLU, else 0; moments of that result
   * and the value, by raw channel */
  void (*transform_backward) (NnView to, NnView gradient, NnView value, const NnTransform *transform, NnExtent extent,
                              NnMoments moments);
  /* to[j] ← a[j]·gradient[j] + b[j]·value[j] + c[j]: batch-norm's backward; a copy where a is NULL */
  void (*norm_backward) (NnView to, NnView gradient, NnView value, const float *a, const float *b, const float *c,
                         NnExtent extent);
  /* The channels of `from` follow each other; `ahead` may be NULL. to[i] ← or + Σ over j < k of weights[j·block +
   * i]·from[j], for i < n */
  void (*multiply) (NnView to, NnView from, const float *weights, unsigned block, unsigned n, unsigned k,
                    NnExtent extent, int accumulate, NnAhead *ahead);
  /* to[i] ← scale[i]·Σ + shift[i] of the same, or its ReLU */
  void (*multiply_scaled) (NnView to, NnView from, const float *weights, unsigned block, unsigned n, unsigned k,
                           NnExtent extent, const float *scale, const float *shift, int relu, NnAhead *ahead);
  /* to[j] ← shift[j] + from[j]; without SHIFT or from's data, 0 in their place */
  void (*offset) (NnView to, NnView from, const float *shift, NnExtent extent);
  /* to[j] ← to[j] + from[j] */
  void (*add) (NnView to, NnView from, NnExtent extent);
  /* to ← the mean over pixels of `from`, `step` floats from each to the next, lane by lane */
  void (*mean) (float *to, const float *from, size_t step, unsigned pixels, unsigned lanes);
  /* moments of x and y */
  void (*moments) (NnView x, NnView y, NnExtent extent, NnMoments moments);
  /* Depthwise convolution of one plane; weights [kernel_rows][kernel_columns]; either moments of the output and itself,
   * or an activation (nullable) */
  void (*depthwise) (float *to, const float *from, const float *weights, const NnPlane *plane, NnMoments moments,
                     const NnActivation *activation);
  /* The same of stride 1 under a mask; gives the sum of the outputs */
  double (*depthwise_masked) (float *to, const float *from, const float *weights, const NnPlane *plane,
                              const NnMask *mask);
  /* weights[kernel_rows][kernel_columns] ← Σ other · source under each tap, of stride 1; `other` lies as the plane's
   * `to`, with one pixel a cell */
  void (*depthwise_weights) (float *weights, const float *from, const float *other, const NnPlane *plane);
  /* product[i·left_stride + j·right_stride] ← or + Σ over pixels and lanes of left[i]·right[j] */
  void (*outer) (float *product, size_t left_stride, size_t right_stride, NnFactor left, NnFactor right, unsigned rows,
                 unsigned columns, unsigned lanes, int accumulate);
  /* Σ x² */
  double (*square) (const float *x, size_t n);
  /* momentum ← m·momentum + scale·gradient + decay·x; x ← x − rate·momentum */
  void (*descend) (float *x, float *momentum, const float *gradient, size_t n, float scale, float decay, float m,
                   float rate);
  /* to[i] += Σ over parts, in order and in double, of parts[part·stride + i] */
  void (*reduce) (float *to, const float *parts, size_t stride, size_t n_parts, size_t n);
} NnKernels;

extern const NnKernels nn_kernels_baseline;
#ifdef NN_HAVE_X86
extern const NnKernels nn_kernels_avx2;
extern const NnKernels nn_kernels_avx512;
#endif
