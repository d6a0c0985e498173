/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The weight gradient of a 1×1 convolution: lane-wise products in a block of registers, summed over lanes at the end.
 */
#include "table.h"

/* Products in registers at once, by how many registers there are; row_of_blocks() has a case for each width below. */
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

/* The same with the number of columns made literal, so that the sums stay in registers at the edge too. */
static inline __attribute__ ((always_inline)) void
row_of_blocks (float *product, size_t row_stride, const float *left, size_t left_pixel, unsigned rows,
               const float *right, size_t right_pixel, unsigned k, unsigned pixels, unsigned lanes)
{
  unsigned column = 0;

  for (; column + NN_COLUMNS <= k; column += NN_COLUMNS)
    block (product + column, row_stride, left, left_pixel, rows, right + (size_t)column * lanes, right_pixel,
           NN_COLUMNS, pixels, lanes);
  product += column;
  right += (size_t)column * lanes;
  switch (k - column)
    {
#if NN_COLUMNS == 6
    case 5:
      block (product, row_stride, left, left_pixel, rows, right, right_pixel, 5, pixels, lanes);
      break;
    case 4:
      block (product, row_stride, left, left_pixel, rows, right, right_pixel, 4, pixels, lanes);
      break;
#endif
    case 3:
      block (product, row_stride, left, left_pixel, rows, right, right_pixel, 3, pixels, lanes);
      break;
    case 2:
      block (product, row_stride, left, left_pixel, rows, right, right_pixel, 2, pixels, lanes);
      break;
    case 1:
      block (product, row_stride, left, left_pixel, rows, right, right_pixel, 1, pixels, lanes);
      break;
    }
}

void
NN_NAME (outer) (float *product, size_t row_stride, const float *left, size_t left_pixel, unsigned n,
                 const float *right, size_t right_pixel, unsigned k, unsigned pixels, unsigned lanes)
{
  unsigned row = 0;

  for (; row + NN_ROWS <= n; row += NN_ROWS)
    row_of_blocks (product + row * row_stride, row_stride, left + (size_t)row * lanes, left_pixel, NN_ROWS, right,
                   right_pixel, k, pixels, lanes);
  for (; row < n; row++)
    row_of_blocks (product + row * row_stride, row_stride, left + (size_t)row * lanes, left_pixel, 1, right,
                   right_pixel, k, pixels, lanes);
}
