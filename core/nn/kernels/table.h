/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernels of the instruction set being compiled, under their full names. */

#include "vector.h"

void NN_NAME (transform) (NnView to, NnView from, const NnTransform *transform, NnExtent extent);
void NN_NAME (transform_backward) (NnView to, NnView gradient, NnView value, const NnTransform *transform,
                                   NnExtent extent);
void NN_NAME (norm_backward) (NnView to, NnView gradient, NnView value, const float *a, const float *b, const float *c,
                              NnExtent extent);
void NN_NAME (add) (NnView to, NnView from, NnExtent extent);
void NN_NAME (moments) (double *sums, NnView x, NnView y, NnExtent extent, unsigned valid);
void NN_NAME (depthwise) (float *to, const float *padded, const float *weights, const NnPlane *plane);
void NN_NAME (depthwise_weights) (float *weights, const float *padded, const float *gradient, const NnPlane *plane);
void NN_NAME (outer) (float *product, size_t row_stride, const float *left, size_t left_pixel, unsigned n,
                      const float *right, size_t right_pixel, unsigned k, unsigned pixels, unsigned lanes);
