/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernels of the instruction set being compiled, under their full names. */

#include "vector.h"

void NN_NAME (transform) (NnView to, NnView from, const NnTransform *transform, NnExtent extent);
void NN_NAME (transform_backward) (NnView to, NnView gradient, NnView value, const NnTransform *transform,
                                   NnExtent extent, NnMoments moments);
void NN_NAME (norm_backward) (NnView to, NnView gradient, NnView value, const float *a, const float *b, const float *c,
                              NnExtent extent);
void NN_NAME (multiply) (NnView to, NnView from, const float *weights, unsigned block, unsigned n, unsigned k,
                         NnExtent extent, int accumulate, NnAhead *ahead);
void NN_NAME (multiply_scaled) (NnView to, NnView from, const float *weights, unsigned block, unsigned n, unsigned k,
                                NnExtent extent, const float *scale, const float *shift, int relu, NnAhead *ahead);
void NN_NAME (offset) (NnView to, NnView from, const float *shift, NnExtent extent);
void NN_NAME (add) (NnView to, NnView from, NnExtent extent);
void NN_NAME (mean) (float *to, const float *from, size_t step, unsigned pixels, unsigned lanes);
void NN_NAME (moments) (NnView x, NnView y, NnExtent extent, NnMoments moments);
void NN_NAME (depthwise) (float *to, const float *from, const float *weights, const NnPlane *plane, NnMoments moments,
                          const NnActivation *activation);
double NN_NAME (depthwise_masked) (float *to, const float *from, const float *weights, const NnPlane *plane,
                                   const NnMask *mask);
void NN_NAME (depthwise_weights) (float *weights, const float *from, const float *other, const NnPlane *plane);
void NN_NAME (outer) (float *product, size_t left_stride, size_t right_stride, NnFactor left, NnFactor right,
                      unsigned rows, unsigned columns, unsigned lanes, int accumulate);
double NN_NAME (square) (const float *x, size_t n);
void NN_NAME (descend) (float *restrict x, float *restrict momentum, const float *restrict gradient, size_t n,
                        float scale, float decay, float m, float rate);
void NN_NAME (reduce) (float *restrict to, const float *restrict parts, size_t stride, size_t n_parts, size_t n);
