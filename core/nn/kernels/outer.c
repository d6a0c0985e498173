/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The weight gradient of a convolution: lane-wise products in a block of registers, summed over lanes at the end. The
 * right factor's columns stay in the first-level cache while the left one's rows pass, so the caller gives few pixels
 * at a time, and as left factor the narrower one. */
#include "table.h"

/* Products in registers at once, by how many registers there are. */
#if NN_VECTOR == 16
#define NN_ROWS 4
#define NN_COLUMNS 6
#else
#define NN_ROWS 2
#define NN_COLUMNS 4
#endif

typedef struct
{
  float *product;
  size_t left_stride, right_stride;
  NnFactor left, right;
  unsigned rows, columns, lanes;
  int accumulate;
} Job;

/* `n` × `k` of the products, from left factor i and right factor j on. */
NN_INLINE void
block (const Job *job, unsigned i, unsigned j, unsigned n, unsigned k, unsigned lanes)
{
  Vector sums[NN_ROWS * NN_COLUMNS] = { 0 };
  float totals[NN_ROWS * NN_COLUMNS];

  for (unsigned row = 0; row < job->rows; row++)
    {
      const float *left = job->left.data + row * job->left.row + (size_t)i * lanes;
      const float *right = job->right.data + row * job->right.row + (size_t)j * lanes;

      for (unsigned column = 0; column < job->columns; column++, left += job->left.pixel, right += job->right.pixel)
        for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
          {
            Vector a[NN_ROWS];

#pragma GCC unroll 4
            for (unsigned r = 0; r < n; r++)
              a[r] = vector_load (left + (size_t)r * lanes + lane);
#pragma GCC unroll 6
            for (unsigned c = 0; c < k; c++)
              {
                Vector b = vector_load (right + (size_t)c * lanes + lane);
#pragma GCC unroll 4
                for (unsigned r = 0; r < n; r++)
                  sums[r * k + c] += a[r] * b;
              }
          }
    }
  vector_sums (totals, sums, n * k);
#pragma GCC unroll 4
  for (unsigned r = 0; r < n; r++)
#pragma GCC unroll 6
    for (unsigned c = 0; c < k; c++)
      {
        float *product = job->product + (i + r) * job->left_stride + (j + c) * job->right_stride;
        *product = totals[r * k + c] + (job->accumulate ? *product : 0);
      }
}

/* All rows of `k` columns from j on, the number of columns literal, so that the sums stay in registers at the edge. */
NN_INLINE void
columns (const Job *job, unsigned j, unsigned k, unsigned lanes)
{
  unsigned i = 0;

  for (; i + NN_ROWS <= job->left.n; i += NN_ROWS)
    block (job, i, j, NN_ROWS, k, lanes);
  for (; i < job->left.n; i++)
    block (job, i, j, 1, k, lanes);
}

NN_INLINE void
all_columns (const Job *job, unsigned lanes)
{
  unsigned j = 0;

  for (; j + NN_COLUMNS <= job->right.n; j += NN_COLUMNS)
    columns (job, j, NN_COLUMNS, lanes);
  switch (job->right.n - j)
    {
#if NN_COLUMNS == 6
    case 5:
      columns (job, j, 5, lanes);
      break;
    case 4:
      columns (job, j, 4, lanes);
      break;
#endif
    case 3:
      columns (job, j, 3, lanes);
      break;
    case 2:
      columns (job, j, 2, lanes);
      break;
    case 1:
      columns (job, j, 1, lanes);
      break;
    }
}

void
NN_NAME (outer) (float *product, size_t left_stride, size_t right_stride, NnFactor left, NnFactor right, unsigned rows,
                 unsigned columns_, unsigned lanes, int accumulate)
{
  Job job = { product, left_stride, right_stride, left, right, rows, columns_, lanes, accumulate };

  if (lanes == NN_USUAL_LANES)
    all_columns (&job, NN_USUAL_LANES);
  else
    all_columns (&job, lanes);
}
