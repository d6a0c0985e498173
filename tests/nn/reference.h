/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A network's forward and backward in double, op by op, as the ops are defined: what the engine should give, written
 * to be read. */

#include "nn.h"

G_BEGIN_DECLS

/* [n, channels, height, width] */
typedef struct
{
  guint channels, height, width;
  gsize area; /* elements a channel */
  gsize size; /* elements of all images */
  double *values, *gradient;
} ReferenceTensor;

typedef struct
{
  CleaveNetwork *network;
  guint n;                  /* images */
  GPtrArray *arrays;        /* the network's NnArrays, in the order of its ops */
  double **gradients;       /* as many: the gradient of each */
  ReferenceTensor *tensors; /* the input, then what each op gives */
  ReferenceTensor *input, *output;
  /* The least |x| but 0 that a ReLU met: where it is a rounding error, the engine may see the other sign. An exact 0 is
   * lost or made by another ReLU, and is so in the engine. */
  double relu_margin;
} Reference;

/* SUPERNET has the arrays of the network; each pass reads what is then in them. */
Reference *reference_new (CleaveNetwork *network, NnSupernet *supernet, guint n);
void reference_free (Reference *self);
/* Statistics of the batch. ARRIVED and DROP_RATE as in nn_plan_forward_tail(). */
void reference_forward (Reference *self, const float *images, const guint8 *arrived, double drop_rate);
/* Once after a forward, with the same losses. */
void reference_backward (Reference *self, const float *output_gradient, const guint8 *arrived, double drop_rate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reference, reference_free)

G_END_DECLS
