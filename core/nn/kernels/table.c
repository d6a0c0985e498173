/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

const NnKernels NN_NAME (kernels) = {
  .vector = NN_VECTOR,
  .transform = NN_NAME (transform),
  .transform_backward = NN_NAME (transform_backward),
  .norm_backward = NN_NAME (norm_backward),
  .multiply = NN_NAME (multiply),
  .multiply_scaled = NN_NAME (multiply_scaled),
  .offset = NN_NAME (offset),
  .add = NN_NAME (add),
  .mean = NN_NAME (mean),
  .moments = NN_NAME (moments),
  .depthwise = NN_NAME (depthwise),
  .depthwise_masked = NN_NAME (depthwise_masked),
  .depthwise_weights = NN_NAME (depthwise_weights),
  .outer = NN_NAME (outer),
  .square = NN_NAME (square),
  .descend = NN_NAME (descend),
  .reduce = NN_NAME (reduce),
};
