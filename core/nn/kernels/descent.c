/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done to weights and their gradients: plain runs over arrays that need no alignment. */
#include "table.h"

/* Sums side by side, so that the compiler may use vectors and the order is fixed. */
#define NN_SUMS 32

double
NN_NAME (square) (const float *x, size_t n)
{
  double sums[NN_SUMS] = { 0 }, total = 0;
  size_t i = 0;

  for (; i + NN_SUMS <= n; i += NN_SUMS)
    for (unsigned j = 0; j < NN_SUMS; j++)
      sums[j] += (double)x[i + j] * x[i + j];
  for (; i < n; i++)
    total += (double)x[i] * x[i];
  for (unsigned j = 0; j < NN_SUMS; j++)
    total += sums[j];
  return total;
}

void
NN_NAME (descend) (float *restrict x, float *restrict momentum, const float *restrict gradient, size_t n, float scale,
                   float decay, float m, float rate)
{
  for (size_t i = 0; i < n; i++)
    {
      momentum[i] = m * momentum[i] + (scale * gradient[i] + decay * x[i]);
      x[i] -= rate * momentum[i];
    }
}

void
NN_NAME (reduce) (float *restrict to, const float *restrict parts, size_t stride, size_t n_parts, size_t n)
{
  for (size_t first = 0; first < n; first += NN_SUMS)
    {
      size_t count = n - first < NN_SUMS ? n - first : NN_SUMS;
      double sums[NN_SUMS] = { 0 };

      for (size_t part = 0; part < n_parts; part++)
        if (count == NN_SUMS)
          for (unsigned j = 0; j < NN_SUMS; j++)
            sums[j] += parts[part * stride + first + j];
        else
          for (size_t j = 0; j < count; j++)
            sums[j] += parts[part * stride + first + j];
      for (size_t j = 0; j < count; j++)
        to[first + j] += sums[j];
    }
}
