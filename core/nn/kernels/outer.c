/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The weight gradient of a 1×1 convolution: lane-wise products in a block of registers, summed over lanes at the end.
 */
#include "table.h"

/* Products in registers at once, by how many registers there are. */
#if NN_VECTOR == 16
#define NN_ROWS 4
#define NN_COLUMNS 6
#else
#define NN_ROWS 2
#define NN_COLUMNS 4
#endif

static inline __attribute__ ((always_inline)) void
block (float *product, size_t row_stride, const float *left, size_t left_pixel, unsigned rows, const float *right,
       size_t right_pixel, unsigned columns, unsigned pixels, unsigned lanes)
{
  Vector sums[NN_ROWS][NN_COLUMNS] = { 0 };

  for (unsigned pixel = 0; pixel < pixels; pixel++, left += left_pixel, right += right_pixel)
    for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
      {
        Vector a[NN_ROWS], b[NN_COLUMNS];

        for (unsigned i = 0; i < rows; i++)
          a[i] = vector_load (left + (size_t)i * lanes + lane);
        for (unsigned j = 0; j < columns; j++)
          b[j] = vector_load (right + (size_t)j * lanes + lane);
        for (unsigned i = 0; i < rows; i++)
          for (unsigned j = 0; j < columns; j++)
            sums[i][j] += a[i] * b[j];
      }
  for (unsigned i = 0; i < rows; i++)
    for (unsigned j = 0; j < columns; j++)
      product[i * row_stride + j] = vector_sum (sums[i][j]);
}

void
NN_NAME (outer) (float *product, size_t row_stride, const float *left, size_t left_pixel, unsigned n,
                 const float *right, size_t right_pixel, unsigned k, unsigned pixels, unsigned lanes)
{
  for (unsigned row = 0; row < n; row += NN_ROWS)
    for (unsigned column = 0; column < k; column += NN_COLUMNS)
      {
        float *to = product + row * row_stride + column;
        const float *a = left + (size_t)row * lanes, *b = right + (size_t)column * lanes;
        unsigned rows = n - row < NN_ROWS ? n - row : NN_ROWS;
        unsigned columns = k - column < NN_COLUMNS ? k - column : NN_COLUMNS;

        if (rows == NN_ROWS && columns == NN_COLUMNS)
          block (to, row_stride, a, left_pixel, NN_ROWS, b, right_pixel, NN_COLUMNS, pixels, lanes);
        else
          block (to, row_stride, a, left_pixel, rows, b, right_pixel, columns, pixels, lanes);
      }
}
