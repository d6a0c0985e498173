/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Vectors of NN_VECTOR floats in the compiler's own notation, so that one source serves every instruction set. Each
 * kernel file is compiled once a set, with NN_VECTOR and NN_SUFFIX given by the build. */

#include "kernels.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define NN_INLINE static inline __attribute__ ((always_inline))

typedef float Vector __attribute__ ((vector_size (NN_VECTOR * sizeof (float)), may_alias));
typedef int Mask __attribute__ ((vector_size (NN_VECTOR * sizeof (float)), may_alias));
typedef float Half __attribute__ ((vector_size (NN_VECTOR / 2 * sizeof (float)), may_alias));
typedef double Wide __attribute__ ((vector_size (NN_VECTOR / 2 * sizeof (double))));

/* Floats side by side in most configurations of BLIS, and those of a pixel where two pixels share them: where lanes has
 * this value, kernels have it as a literal. */
#define NN_USUAL_LANES (NN_VECTOR == 4 ? 16 : 2 * NN_VECTOR)
#define NN_USUAL_IMAGES (NN_USUAL_LANES / 2)

#define NN_PASTE2(a, b) a##_##b
#define NN_PASTE(a, b) NN_PASTE2 (a, b)
/* transform → transform_avx512 */
#define NN_NAME(name) NN_PASTE (nn_##name, NN_SUFFIX)

NN_INLINE Vector
vector_load (const float *from)
{
  return *(const Vector *)from;
}

NN_INLINE void
vector_store (float *to, Vector value)
{
  *(Vector *)to = value;
}

NN_INLINE Vector
vector_splat (float value)
{
  return (Vector){ 0 } + value;
}

/* max (0, x); a NaN stays one, so that it reaches the loss. */
NN_INLINE Vector
vector_relu (Vector x)
{
#if defined(__AVX512F__) && NN_VECTOR == 16 /* gcc 12 takes two instructions for it */
  return (Vector)_mm512_max_ps (_mm512_setzero_ps (), (__m512)x);
#else
  return (Vector)((Mask)x & ~(x < 0));
#endif
}

/* value where x > 0, else 0. */
NN_INLINE Vector
vector_where_positive (Vector x, Vector value)
{
  return (Vector)((Mask)value & (x > 0));
}

/* Sum of a vector's elements: halves onto halves, the same tree at every call. */
NN_INLINE float
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

/* The same in double: where a sum's digits are to cancel, as in a variance. */
NN_INLINE double
vector_wide_sum (Vector x)
{
#if NN_VECTOR == 16
  Half low = __builtin_shufflevector (x, x, 0, 1, 2, 3, 4, 5, 6, 7);
  Half high = __builtin_shufflevector (x, x, 8, 9, 10, 11, 12, 13, 14, 15);
#elif NN_VECTOR == 8
  Half low = __builtin_shufflevector (x, x, 0, 1, 2, 3), high = __builtin_shufflevector (x, x, 4, 5, 6, 7);
#else
  Half low = __builtin_shufflevector (x, x, 0, 1), high = __builtin_shufflevector (x, x, 2, 3);
#endif
  Wide sum = __builtin_convertvector(low, Wide) + __builtin_convertvector(high, Wide);

#if NN_VECTOR == 16
  sum += __builtin_shufflevector (sum, sum, 4, 5, 6, 7, 0, 1, 2, 3);
#endif
#if NN_VECTOR >= 8
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
#else
  return sum[0] + sum[1];
#endif
}

/* x in the first `valid` of every `images` lanes, the vector's first being `lane`; 0 in the others. */
static inline Vector
vector_keep (Vector x, unsigned lane, unsigned valid, unsigned images)
{
  for (unsigned i = 0; i < NN_VECTOR; i++)
    if ((lane + i) % images >= valid)
      x[i] = 0;
  return x;
}

/* A pattern for each quarter of four floats, of two vectors a and b; i and j count within the quarter. */
#if NN_VECTOR == 16
#define NN_QUARTERS(a, b, i0, b0, i1, b1, i2, b2, i3, b3)                                                              \
  __builtin_shufflevector (a, b, i0 + 16 * b0, i1 + 16 * b1, i2 + 16 * b2, i3 + 16 * b3, i0 + 16 * b0 + 4,             \
                           i1 + 16 * b1 + 4, i2 + 16 * b2 + 4, i3 + 16 * b3 + 4, i0 + 16 * b0 + 8, i1 + 16 * b1 + 8,   \
                           i2 + 16 * b2 + 8, i3 + 16 * b3 + 8, i0 + 16 * b0 + 12, i1 + 16 * b1 + 12,                   \
                           i2 + 16 * b2 + 12, i3 + 16 * b3 + 12)
#elif NN_VECTOR == 8
#define NN_QUARTERS(a, b, i0, b0, i1, b1, i2, b2, i3, b3)                                                              \
  __builtin_shufflevector (a, b, i0 + 8 * b0, i1 + 8 * b1, i2 + 8 * b2, i3 + 8 * b3, i0 + 8 * b0 + 4, i1 + 8 * b1 + 4, \
                           i2 + 8 * b2 + 4, i3 + 8 * b3 + 4)
#else
#define NN_QUARTERS(a, b, i0, b0, i1, b1, i2, b2, i3, b3)                                                              \
  __builtin_shufflevector (a, b, i0 + 4 * b0, i1 + 4 * b1, i2 + 4 * b2, i3 + 4 * b3)
#endif

/* totals[i] ← the sum of vector i's elements, for four vectors: pairs are folded into each other, so that one shuffle
 * serves several vectors. */
NN_INLINE void
vector_sums_of_four (float *totals, Vector a, Vector b, Vector c, Vector d)
{
  Vector ab = NN_QUARTERS (a, b, 0, 0, 0, 1, 1, 0, 1, 1) + NN_QUARTERS (a, b, 2, 0, 2, 1, 3, 0, 3, 1);
  Vector cd = NN_QUARTERS (c, d, 0, 0, 0, 1, 1, 0, 1, 1) + NN_QUARTERS (c, d, 2, 0, 2, 1, 3, 0, 3, 1);
  Vector all = NN_QUARTERS (ab, cd, 0, 0, 1, 0, 0, 1, 1, 1) + NN_QUARTERS (ab, cd, 2, 0, 3, 0, 2, 1, 3, 1);

#if NN_VECTOR == 16
  all += __builtin_shufflevector (all, all, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  all += __builtin_shufflevector (all, all, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
#elif NN_VECTOR == 8
  all += __builtin_shufflevector (all, all, 4, 5, 6, 7, 0, 1, 2, 3);
#endif
  for (unsigned i = 0; i < 4; i++)
    totals[i] = all[i];
}

/* totals[i] ← the sum of vectors[i]'s elements. */
NN_INLINE void
vector_sums (float *totals, const Vector *vectors, unsigned n)
{
  unsigned i = 0;

#pragma GCC unroll 7
  for (; i + 4 <= n; i += 4)
    vector_sums_of_four (totals + i, vectors[i], vectors[i + 1], vectors[i + 2], vectors[i + 3]);
#pragma GCC unroll 3
  for (; i < n; i++)
    totals[i] = vector_sum (vectors[i]);
}
