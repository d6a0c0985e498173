/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The builder's ops: what each needs of its input, and what comes out. */

#include <cleave/cleave-network-builder.h>

#include "cleave-network-private.h"

/* Whether an op may be made: no mistake so far, and a block was begun. */
static gboolean
may_append (CleaveNetworkBuilder *self)
{
  if (self->error == NULL && self->blocks->len == 0)
    cleave_network_builder_fail (self, "an op comes before any block was begun");
  return self->error == NULL;
}

/* Takes NAME for the parameters of the next op. */
static gboolean
claim_name (CleaveNetworkBuilder *self, const char *name)
{
  const CleaveBlock *block = &g_array_index (self->blocks, CleaveBlock, self->blocks->len - 1);
  g_autofree char *joined = cleave_network_join_name (block->name, name, NULL);

  if (*joined == '\0')
    cleave_network_builder_fail (self, "an op with parameters has no name");
  else if (g_hash_table_contains (self->used_names, joined))
    cleave_network_builder_fail (self, "the parameter name “%s” is used twice", joined);
  else
    g_hash_table_add (self->used_names, g_string_chunk_insert (self->names, joined));
  return self->error == NULL;
}

static CleaveOp
begin_op (CleaveNetworkBuilder *self, CleaveOpKind kind, const char *name)
{
  return (CleaveOp){
    .kind = kind,
    .name = name != NULL && *name != '\0' ? g_string_chunk_insert_const (self->names, name) : NULL,
    .block = self->blocks->len - 1,
    .in_channels = self->channels,
    .in_height = self->height,
    .in_width = self->width,
    .out_channels = self->channels,
    .out_height = self->height,
    .out_width = self->width,
    .groups = 1,
    .source = -1,
  };
}

/* OP reads INPUTS arrays of its input's shape, writes one and has WEIGHTS numbers as parameters. */
static void
append_op (CleaveNetworkBuilder *self, CleaveOp *op, guint inputs, double weights)
{
  const double in_elements = (double)op->in_channels * op->in_height * op->in_width;
  const double out_elements = (double)op->out_channels * op->out_height * op->out_width;

  if (inputs > 0)
    op->bytes = sizeof (float) * (inputs * in_elements + out_elements + weights);
  self->channels = op->out_channels;
  self->height = op->out_height;
  self->width = op->out_width;
  g_array_append_val (self->ops, *op);
  g_array_index (self->blocks, CleaveBlock, self->blocks->len - 1).end_op = self->ops->len;
}

/* Output size along one axis, 0 with the mistake kept. */
static guint
resolve_size (CleaveNetworkBuilder *self, const char *axis, guint size, guint kernel, guint stride, guint padding)
{
  const guint64 padded = size + 2 * (guint64)padding;
  if (kernel > padded)
    {
      cleave_network_builder_fail (self, "the kernel (%u) is larger than the padded %s (%u + 2 × %u)", kernel, axis,
                                   size, padding);
      return 0;
    }
  const guint64 result = (padded - kernel) / stride + 1;
  return cleave_network_builder_check_dimension (self, axis, result, 1) ? result : 0;
}

/**
 * cleave_network_builder_conv:
 * @self: a builder
 * @name: (nullable): the op's name inside the block, such as `conv1`
 * @out_channels: channels out
 * @kernel: rows and columns of the kernel
 * @stride: stride
 * @padding: zeros on each side
 * @groups: groups; must divide the channels in and out
 *
 * Appends a convolution without bias. Rows out: ⌊(rows + 2·padding − kernel) ÷ stride⌋ + 1.
 */
void
cleave_network_builder_conv (CleaveNetworkBuilder *self, const char *name, guint out_channels, guint kernel,
                             guint stride, guint padding, guint groups)
{
  g_return_if_fail (self != NULL);

  if (!may_append (self) || !claim_name (self, name)
      || !cleave_network_builder_check_dimension (self, "conv: out_channels", out_channels, 1)
      || !cleave_network_builder_check_dimension (self, "conv: kernel", kernel, 1)
      || !cleave_network_builder_check_dimension (self, "conv: stride", stride, 1)
      || !cleave_network_builder_check_dimension (self, "conv: padding", padding, 0)
      || !cleave_network_builder_check_dimension (self, "conv: groups", groups, 1))
    return;
  if (self->channels % groups != 0 || out_channels % groups != 0)
    {
      cleave_network_builder_fail (self, "conv: %u groups do not divide %u channels in and %u out", groups,
                                   self->channels, out_channels);
      return;
    }
  CleaveOp op = begin_op (self, CLEAVE_OP_CONV, name);
  op.kernel = kernel;
  op.stride = stride;
  op.padding = padding;
  op.groups = groups;
  op.out_channels = out_channels;
  op.out_height = resolve_size (self, "height", self->height, kernel, stride, padding);
  op.out_width = resolve_size (self, "width", self->width, kernel, stride, padding);
  const guint64 window = (guint64)kernel * kernel;
  if (self->error != NULL
      || !cleave_network_builder_check_elements (self, "conv: the output", op.out_channels, op.out_height, op.out_width)
      || !cleave_network_builder_check_elements (self, "conv: the weight", out_channels, self->channels / groups,
                                                 window))
    return;
  const double weights = (double)out_channels * (self->channels / groups) * window;
  op.flops = weights * op.out_height * op.out_width;
  append_op (self, &op, 1, weights);
}

/**
 * cleave_network_builder_norm:
 * @self: a builder
 * @name: (nullable): the op's name inside the block, such as `bn1`
 *
 * Appends a batch normalisation.
 */
void
cleave_network_builder_norm (CleaveNetworkBuilder *self, const char *name)
{
  g_return_if_fail (self != NULL);

  if (!may_append (self) || !claim_name (self, name))
    return;
  CleaveOp op = begin_op (self, CLEAVE_OP_NORM, name);
  op.flops = 5.0 * op.out_channels * op.out_height * op.out_width;
  append_op (self, &op, 1, 4.0 * op.out_channels);
}

/**
 * cleave_network_builder_relu:
 * @self: a builder
 *
 * Appends max(0, x).
 */
void
cleave_network_builder_relu (CleaveNetworkBuilder *self)
{
  g_return_if_fail (self != NULL);

  if (!may_append (self))
    return;
  CleaveOp op = begin_op (self, CLEAVE_OP_RELU, NULL);
  append_op (self, &op, 1, 0);
}

/**
 * cleave_network_builder_shuffle:
 * @self: a builder
 * @groups: groups; must divide the channels
 *
 * Appends a channel shuffle: the channels, seen as [groups, channels ÷ groups], are transposed.
 */
void
cleave_network_builder_shuffle (CleaveNetworkBuilder *self, guint groups)
{
  g_return_if_fail (self != NULL);

  if (!may_append (self) || !cleave_network_builder_check_dimension (self, "shuffle: groups", groups, 1))
    return;
  if (self->channels % groups != 0)
    {
      cleave_network_builder_fail (self, "shuffle: %u groups do not divide %u channels", groups, self->channels);
      return;
    }
  CleaveOp op = begin_op (self, CLEAVE_OP_SHUFFLE, NULL);
  op.groups = groups;
  append_op (self, &op, 1, 0);
}

/**
 * cleave_network_builder_add:
 * @self: a builder
 * @source: what [method@NetworkBuilder.get_last_op] gave when the op to add had just been made; −1 for the network's
 *   input
 *
 * Appends the sum of the present output and that of an earlier op, of the same shape.
 */
void
cleave_network_builder_add (CleaveNetworkBuilder *self, gint source)
{
  g_return_if_fail (self != NULL);

  if (!may_append (self))
    return;
  if (source < -1 || source >= (gint)self->ops->len)
    {
      cleave_network_builder_fail (self, "add: source %d is outside −1–%d", source, (gint)self->ops->len - 1);
      return;
    }
  const CleaveOp *added = source >= 0 ? &g_array_index (self->ops, CleaveOp, source) : NULL;
  const guint channels = added != NULL ? added->out_channels : self->in_channels;
  const guint height = added != NULL ? added->out_height : self->in_height;
  const guint width = added != NULL ? added->out_width : self->in_width;
  if (channels != self->channels || height != self->height || width != self->width)
    {
      cleave_network_builder_fail (self, "add: shapes differ: %u×%u×%u here, %u×%u×%u at op %d", self->channels,
                                   self->height, self->width, channels, height, width, source);
      return;
    }
  CleaveOp op = begin_op (self, CLEAVE_OP_ADD, NULL);
  op.source = source;
  append_op (self, &op, 2, 0);
}

/**
 * cleave_network_builder_pool:
 * @self: a builder
 *
 * Appends a global average over rows and columns.
 */
void
cleave_network_builder_pool (CleaveNetworkBuilder *self)
{
  g_return_if_fail (self != NULL);

  if (!may_append (self))
    return;
  CleaveOp op = begin_op (self, CLEAVE_OP_POOL, NULL);
  op.out_height = 1;
  op.out_width = 1;
  append_op (self, &op, 1, 0);
}

/**
 * cleave_network_builder_linear:
 * @self: a builder
 * @name: (nullable): the op's name inside the block; %NULL where its parameters carry the block's own name
 * @out_features: numbers out
 *
 * Appends a fully connected layer with bias. Its input must be 1×1.
 */
void
cleave_network_builder_linear (CleaveNetworkBuilder *self, const char *name, guint out_features)
{
  g_return_if_fail (self != NULL);

  if (!may_append (self) || !claim_name (self, name)
      || !cleave_network_builder_check_dimension (self, "linear: out_features", out_features, 1))
    return;
  if (self->height != 1 || self->width != 1)
    {
      cleave_network_builder_fail (self, "linear: its input is %u×%u×%u, expected 1×1 in height and width",
                                   self->channels, self->height, self->width);
      return;
    }
  if (!cleave_network_builder_check_elements (self, "linear: the weight", out_features, self->channels, 1))
    return;
  CleaveOp op = begin_op (self, CLEAVE_OP_LINEAR, name);
  op.out_channels = out_features;
  op.flops = (double)op.in_channels * out_features;
  append_op (self, &op, 1, op.flops + out_features);
}

/**
 * cleave_network_builder_identity:
 * @self: a builder
 *
 * Appends an op that passes its input on: a block must have an op.
 */
void
cleave_network_builder_identity (CleaveNetworkBuilder *self)
{
  g_return_if_fail (self != NULL);

  if (!may_append (self))
    return;
  CleaveOp op = begin_op (self, CLEAVE_OP_IDENTITY, NULL);
  append_op (self, &op, 0, 0);
}

/**
 * cleave_network_builder_conv_norm_relu:
 * @self: a builder
 * @out_channels: channels out
 * @kernel: rows and columns of the kernel; padding is kernel ÷ 2
 * @stride: stride
 *
 * Appends conv `conv`, norm `bn` and ReLU.
 */
void
cleave_network_builder_conv_norm_relu (CleaveNetworkBuilder *self, guint out_channels, guint kernel, guint stride)
{
  cleave_network_builder_conv (self, "conv", out_channels, kernel, stride, kernel / 2, 1);
  cleave_network_builder_norm (self, "bn");
  cleave_network_builder_relu (self);
}

/**
 * cleave_network_builder_expand_depthwise:
 * @self: a builder
 * @mid_channels: channels inside the block
 * @kernel: rows and columns of the depthwise kernel; padding is kernel ÷ 2
 * @stride: stride of the depthwise conv
 * @groups: groups of the 1×1 conv
 *
 * Appends the first part of FBNet's block: 1×1 conv `conv1`, norm `bn1`, ReLU, shuffle if there are groups, depthwise
 * conv `conv2`, norm `bn2`, ReLU.
 */
void
cleave_network_builder_expand_depthwise (CleaveNetworkBuilder *self, guint mid_channels, guint kernel, guint stride,
                                         guint groups)
{
  cleave_network_builder_conv (self, "conv1", mid_channels, 1, 1, 0, groups);
  cleave_network_builder_norm (self, "bn1");
  cleave_network_builder_relu (self);
  if (groups > 1)
    cleave_network_builder_shuffle (self, groups);
  cleave_network_builder_conv (self, "conv2", mid_channels, kernel, stride, kernel / 2, mid_channels);
  cleave_network_builder_norm (self, "bn2");
  cleave_network_builder_relu (self);
}

/**
 * cleave_network_builder_project:
 * @self: a builder
 * @out_channels: channels out
 * @groups: groups of the 1×1 conv
 *
 * Appends the second part of FBNet's block: 1×1 conv `conv3` and norm `bn3`.
 */
void
cleave_network_builder_project (CleaveNetworkBuilder *self, guint out_channels, guint groups)
{
  cleave_network_builder_conv (self, "conv3", out_channels, 1, 1, 0, groups);
  cleave_network_builder_norm (self, "bn3");
}
