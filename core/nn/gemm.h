/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* BLIS's single-precision micro-kernel, called on operands that already lie as it wants them.
 *
 * `lanes` images lie side by side as the innermost dimension, so the activations of one pixel, [k][lanes], are a packed
 * panel as they are, and the product, [n][lanes], is a micro-tile at any channel stride. Only weights are packed. This
 * is the only file that knows BLIS, and it checks what would make BLIS abort. */

#include "cpu.h"

G_BEGIN_DECLS

typedef struct _NnGemm NnGemm;

/* Sets BLIS up for this level, before its first call in the process; later calls must ask for the same. */
const NnGemm *nn_gemm_get (NnCpu cpu, GError **error);
/* Images side by side: the micro-tile's size in the direction that the kernel stores in rows. */
guint nn_gemm_lanes (const NnGemm *gemm);
/* Floats that n × k packed weights take. */
gsize nn_gemm_packed_size (const NnGemm *gemm, guint n, guint k);
/* packed ← the matrix whose element (row, column) is at weights[row·row_stride + column·column_stride]; n rows are
 * outputs, k columns inputs. Whole blocks: n is padded with zeros. */
void nn_gemm_pack (const NnGemm *gemm, float *packed, const float *weights, guint n, guint k, gsize row_stride,
                   gsize column_stride);
/* For each of n_pixels: output[n][lanes] ← beta·output + weights · input[k][lanes]; beta is 0 or 1. Strides are in
 * floats; input is aligned to 32 bytes at every pixel. */
void nn_gemm_multiply (const NnGemm *gemm, guint n, guint k, const float *packed, guint n_pixels, const float *input,
                       gsize input_pixel_stride, float *output, gsize output_pixel_stride, gsize output_channel_stride,
                       float beta);

G_END_DECLS
