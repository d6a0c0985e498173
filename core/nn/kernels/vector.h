/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Vectors of NN_VECTOR floats in the compiler's own notation, so that one source serves every instruction set. Each
 * kernel file is compiled once a set, with NN_VECTOR and NN_SUFFIX given by the build. */

#include "kernels.h"

typedef float Vector __attribute__ ((vector_size (NN_VECTOR * sizeof (float)), may_alias));
typedef int Mask __attribute__ ((vector_size (NN_VECTOR * sizeof (float)), may_alias));

#define NN_PASTE2(a, b) a##_##b
#define NN_PASTE(a, b) NN_PASTE2 (a, b)
/* transform → transform_avx512 */
#define NN_NAME(name) NN_PASTE (nn_##name, NN_SUFFIX)

static inline __attribute__ ((always_inline)) Vector
vector_load (const float *from)
{
  return *(const Vector *)from;
}

static inline __attribute__ ((always_inline)) void
vector_store (float *to, Vector value)
{
  *(Vector *)to = value;
}

static inline __attribute__ ((always_inline)) Vector
vector_splat (float value)
{
  return (Vector){ 0 } + value;
}

/* max (0, x); a NaN stays one, so that it reaches the loss. */
static inline __attribute__ ((always_inline)) Vector
vector_relu (Vector x)
{
  return (Vector)((Mask)x & ~(x < 0));
}

/* value where x > 0, else 0. */
static inline __attribute__ ((always_inline)) Vector
vector_where_positive (Vector x, Vector value)
{
  return (Vector)((Mask)value & (x > 0));
}

/* Sum of a vector's elements: halves onto halves, the same tree at every call. */
static inline __attribute__ ((always_inline)) float
vector_sum (Vector x)
{
#if NN_VECTOR == 16
  Vector half = x + __builtin_shufflevector (x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  Vector quarter = half + __builtin_shufflevector (half, half, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
#elif NN_VECTOR == 8
  Vector quarter = x + __builtin_shufflevector (x, x, 4, 5, 6, 7, 0, 1, 2, 3);
#else
  Vector quarter = x;
#endif
  return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}
