/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* BLIS's single-precision micro-kernel, called on operands that already lie as it wants them.
 *
 * `lanes` floats lie side by side as the innermost dimension, of as many images or of two pixels of half as many, so
 * the activations of one pixel (or two), [k][lanes], are a packed panel as they are, and the product, [n][lanes], is a
 * micro-tile at any channel stride. Only weights are packed. This is the only file that knows BLIS, and it checks what
 * would make BLIS abort. */

#include "cpu.h"
#include "kernels/kernels.h"

G_BEGIN_DECLS

typedef struct _NnGemm NnGemm;

/* Sets BLIS up for this level, before its first call in the process; later calls must ask for the same. */
const NnGemm *nn_gemm_get (NnCpu cpu, GError **error);
/* Floats side by side: the micro-tile's size in the direction that the kernel stores in rows. */
guint nn_gemm_lanes (const NnGemm *gemm);
/* Floats that n × k packed weights take. */
gsize nn_gemm_packed_size (const NnGemm *gemm, guint n, guint k);
/* Outputs of a packed block: packed weights are cut after multiples of it. */
guint nn_gemm_block (const NnGemm *gemm);
/* packed ← the matrix whose element (row, column) is scale[row]·weights[row·row_stride + column·column_stride]; n rows
 * are outputs, k columns inputs; without SCALE it is 1. Whole blocks: n is padded with zeros. */
void nn_gemm_pack (const NnGemm *gemm, float *packed, const float *weights, const float *scale, guint n, guint k,
                   gsize row_stride, gsize column_stride);

/* Packed weights, or some of their columns. */
typedef struct
{
  const float *data;
  guint n, k;
  guint packed_k; /* columns that the packed blocks have */
} NnGemmWeights;

/* Columns `first` to first + k and outputs first_output (whole blocks) to first_output + n of what was packed. */
NnGemmWeights nn_gemm_part (const NnGemm *gemm, const float *packed, guint packed_k, guint first_output, guint n,
                            guint first, guint k);
/* For each cell of the extent's rows and columns: output[n][lanes] ← beta·output + weights · input[k][lanes]; beta is 0
 * or 1. The input's channels follow each other; input and output are aligned to a vector at every cell. Where AHEAD
 * is given, a kernel of our own does it all and fetches that memory on the way. */
void nn_gemm_multiply (const NnGemm *gemm, NnGemmWeights weights, NnView input, NnView output, NnExtent extent,
                       float beta, NnAhead *ahead);
/* output[i] ← scale[i]·product + shift[i], or its ReLU. */
void nn_gemm_multiply_scaled (const NnGemm *gemm, NnGemmWeights weights, NnView input, NnView output, NnExtent extent,
                              const float *scale, const float *shift, gboolean relu, NnAhead *ahead);

G_END_DECLS
