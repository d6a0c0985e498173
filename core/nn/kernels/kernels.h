/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The engine's own kernels: plain C over plain arrays, no GLib inside. `lanes` images lie side by side innermost, so
 * every kernel is a loop over whole vectors; lanes is a multiple of the vector's length and arrays are aligned to 64
 * bytes. A view's strides are in floats. */

#include <stddef.h>
#include <stdint.h>

typedef struct
{
  float *data;
  size_t pixel;   /* from a pixel to the next */
  size_t channel; /* from a channel to the next */
} NnView;

/* What a reader does to raw channel index[j] to get channel j: relu (scale·x + shift). */
typedef struct
{
  const float *scale; /* NULL: no scale and shift; by raw channel, like shift */
  const float *shift;
  const uint32_t *index;
  int relu;
} NnTransform;

typedef struct
{
  unsigned channels;
  unsigned pixels;
  unsigned lanes;
} NnExtent;

typedef struct
{
  unsigned out_height, out_width;
  unsigned kernel, stride;
  unsigned padded_width; /* of the input plane, borders included */
  unsigned lanes;
} NnPlane;

typedef struct
{
  unsigned vector; /* floats in a vector */
  /* to[j] ← transform (from[index[j]]) */
  void (*transform) (NnView to, NnView from, const NnTransform *transform, NnExtent extent);
  /* to[index[j]] ← gradient[j] where the transform of value[index[j]] passed its ReLU, else 0 */
  void (*transform_backward) (NnView to, NnView gradient, NnView value, const NnTransform *transform, NnExtent extent);
  /* to[j] ← a[j]·gradient[j] + b[j]·value[j] + c[j]: batch-norm's backward; a copy where a is NULL */
  void (*norm_backward) (NnView to, NnView gradient, NnView value, const float *a, const float *b, const float *c,
                         NnExtent extent);
  /* to[j] ← to[j] + from[j] */
  void (*add) (NnView to, NnView from, NnExtent extent);
  /* sums[2j] ← Σ x[j], sums[2j + 1] ← Σ x[j]·y[j], over pixels and the first `valid` lanes */
  void (*moments) (double *sums, NnView x, NnView y, NnExtent extent, unsigned valid);
  /* Depthwise convolution of one padded plane [rows][padded_width][lanes]; weights [kernel][kernel] */
  void (*depthwise) (float *to, const float *padded, const float *weights, const NnPlane *plane);
  /* weights[kernel][kernel] ← Σ gradient · input under each tap; gradient is [out pixels][lanes] */
  void (*depthwise_weights) (float *weights, const float *padded, const float *gradient, const NnPlane *plane);
  /* product[n·row_stride + k] ← Σ over pixels and lanes of left[pixel][n]·right[pixel][k] */
  void (*outer) (float *product, size_t row_stride, const float *left, size_t left_pixel, unsigned n,
                 const float *right, size_t right_pixel, unsigned k, unsigned pixels, unsigned lanes);
} NnKernels;

extern const NnKernels nn_kernels_baseline;
#ifdef NN_HAVE_X86
extern const NnKernels nn_kernels_avx2;
extern const NnKernels nn_kernels_avx512;
#endif
