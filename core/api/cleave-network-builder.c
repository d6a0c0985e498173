/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <cleave/cleave-error.h>
#include <cleave/cleave-network-builder.h>

#include "cleave-network-private.h"

/* No dimension, kernel, stride or padding is larger, and no activation or weight has more elements: so every product
 * of the shapes here fits 64 bits, and every count of elements fits the engine's. */
#define MAX_DIMENSION 65535
#define MAX_ELEMENTS (G_GUINT64_CONSTANT (1) << 31)

struct _CleaveNetworkBuilder
{
  gatomicrefcount references;
  GError *error; /* the first mistake */
  GArray *ops;
  GArray *blocks;
  GStringChunk *names;
  GHashTable *used_names;        /* what the names of parameters begin with, owned by names */
  guint channels, height, width; /* present shape */
  guint in_channels, in_height, in_width;
  guint cut; /* 0: none yet */
};

G_DEFINE_BOXED_TYPE (CleaveNetworkBuilder, cleave_network_builder, cleave_network_builder_ref,
                     cleave_network_builder_unref)

static void fail (CleaveNetworkBuilder *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Keeps the first mistake, with where it was made. */
static void
fail (CleaveNetworkBuilder *self, const char *format, ...)
{
  if (self->error != NULL)
    return;

  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  const CleaveBlock *block
      = self->blocks->len > 0 ? &g_array_index (self->blocks, CleaveBlock, self->blocks->len - 1) : NULL;
  if (block != NULL)
    self->error
        = g_error_new (CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED, "network, block “%s”%s%s%s, op %u: %s", block->name,
                       block->choice != NULL ? " (" : "", block->choice != NULL ? block->choice : "",
                       block->choice != NULL ? ")" : "", self->ops->len, what);
  else
    self->error = g_error_new (CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED, "network: %s", what);
}

static gboolean
check_dimension (CleaveNetworkBuilder *self, const char *what, guint64 value, guint minimum)
{
  if (value >= minimum && value <= MAX_DIMENSION)
    return TRUE;
  fail (self, "%s is %" G_GUINT64_FORMAT ", expected %u–%u", what, value, minimum, MAX_DIMENSION);
  return FALSE;
}

static gboolean
check_elements (CleaveNetworkBuilder *self, const char *what, guint64 a, guint64 b, guint64 c)
{
  guint64 elements;
  if (g_uint64_checked_mul (&elements, a, b) && g_uint64_checked_mul (&elements, elements, c)
      && elements <= MAX_ELEMENTS)
    return TRUE;
  fail (self, "%s has more than 2^31 elements (%" G_GUINT64_FORMAT " × %" G_GUINT64_FORMAT " × %" G_GUINT64_FORMAT ")",
        what, a, b, c);
  return FALSE;
}

/* Whether an op may be made: no mistake so far, and a block was begun. */
static gboolean
may_append (CleaveNetworkBuilder *self)
{
  if (self->error == NULL && self->blocks->len == 0)
    fail (self, "an op comes before any block was begun");
  return self->error == NULL;
}

/* Takes NAME for the parameters of the next op. */
static gboolean
claim_name (CleaveNetworkBuilder *self, const char *name)
{
  const CleaveBlock *block = &g_array_index (self->blocks, CleaveBlock, self->blocks->len - 1);
  g_autofree char *joined = cleave_network_join_name (block->name, name, NULL);

  if (*joined == '\0')
    fail (self, "an op with parameters has no name");
  else if (g_hash_table_contains (self->used_names, joined))
    fail (self, "the parameter name “%s” is used twice", joined);
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

/**
 * cleave_network_builder_new:
 * @channels: channels of an image
 * @height: rows
 * @width: columns
 *
 * Begins a network that takes images of this shape.
 *
 * Returns: (transfer full): a new builder
 */
CleaveNetworkBuilder *
cleave_network_builder_new (guint channels, guint height, guint width)
{
  CleaveNetworkBuilder *self = g_new0 (CleaveNetworkBuilder, 1);

  g_atomic_ref_count_init (&self->references);
  self->ops = g_array_new (FALSE, FALSE, sizeof (CleaveOp));
  self->blocks = g_array_new (FALSE, FALSE, sizeof (CleaveBlock));
  self->names = g_string_chunk_new (1024);
  self->used_names = g_hash_table_new (g_str_hash, g_str_equal);
  self->channels = self->in_channels = channels;
  self->height = self->in_height = height;
  self->width = self->in_width = width;
  if (check_dimension (self, "the images' number of channels", channels, 1)
      && check_dimension (self, "the images' height", height, 1)
      && check_dimension (self, "the images' width", width, 1))
    check_elements (self, "an image", channels, height, width);
  return self;
}

/**
 * cleave_network_builder_ref:
 * @self: a builder
 *
 * Returns: (transfer full): the same builder, with one more reference
 */
CleaveNetworkBuilder *
cleave_network_builder_ref (CleaveNetworkBuilder *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * cleave_network_builder_unref:
 * @self: (transfer full): a builder
 *
 * Drops a reference.
 */
void
cleave_network_builder_unref (CleaveNetworkBuilder *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_error (&self->error);
  g_array_unref (self->ops);
  g_array_unref (self->blocks);
  g_hash_table_unref (self->used_names);
  g_string_chunk_free (self->names);
  g_free (self);
}

/**
 * cleave_network_builder_block:
 * @self: a builder
 * @name: what the names of the block's parameters begin with, such as `cells.3`; may be empty
 * @choice: (nullable): the category chosen here, such as `k3_e6`; %NULL for a fixed block
 *
 * Begins a block: ops from here on belong to it. Every block has at least one op.
 */
void
cleave_network_builder_block (CleaveNetworkBuilder *self, const char *name, const char *choice)
{
  g_return_if_fail (self != NULL && name != NULL);

  if (self->error != NULL)
    return;
  if (self->blocks->len > 0
      && g_array_index (self->blocks, CleaveBlock, self->blocks->len - 1).first_op == self->ops->len)
    {
      fail (self, "the block has no op");
      return;
    }
  const CleaveBlock block = {
    .name = g_string_chunk_insert_const (self->names, name),
    .choice = choice != NULL ? g_string_chunk_insert_const (self->names, choice) : NULL,
    .first_op = self->ops->len,
    .end_op = self->ops->len,
  };
  g_array_append_val (self->blocks, block);
}

/* Output size along one axis, 0 with the mistake kept. */
static guint
resolve_size (CleaveNetworkBuilder *self, const char *axis, guint size, guint kernel, guint stride, guint padding)
{
  const guint64 padded = size + 2 * (guint64)padding;
  if (kernel > padded)
    {
      fail (self, "the kernel (%u) is larger than the padded %s (%u + 2 × %u)", kernel, axis, size, padding);
      return 0;
    }
  const guint64 result = (padded - kernel) / stride + 1;
  return check_dimension (self, axis, result, 1) ? result : 0;
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

  if (!may_append (self) || !claim_name (self, name) || !check_dimension (self, "conv: out_channels", out_channels, 1)
      || !check_dimension (self, "conv: kernel", kernel, 1) || !check_dimension (self, "conv: stride", stride, 1)
      || !check_dimension (self, "conv: padding", padding, 0) || !check_dimension (self, "conv: groups", groups, 1))
    return;
  if (self->channels % groups != 0 || out_channels % groups != 0)
    {
      fail (self, "conv: %u groups do not divide %u channels in and %u out", groups, self->channels, out_channels);
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
  if (self->error != NULL || !check_elements (self, "conv: the output", op.out_channels, op.out_height, op.out_width)
      || !check_elements (self, "conv: the weight", out_channels, self->channels / groups, window))
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

  if (!may_append (self) || !check_dimension (self, "shuffle: groups", groups, 1))
    return;
  if (self->channels % groups != 0)
    {
      fail (self, "shuffle: %u groups do not divide %u channels", groups, self->channels);
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
      fail (self, "add: source %d is outside −1–%d", source, (gint)self->ops->len - 1);
      return;
    }
  const CleaveOp *added = source >= 0 ? &g_array_index (self->ops, CleaveOp, source) : NULL;
  const guint channels = added != NULL ? added->out_channels : self->in_channels;
  const guint height = added != NULL ? added->out_height : self->in_height;
  const guint width = added != NULL ? added->out_width : self->in_width;
  if (channels != self->channels || height != self->height || width != self->width)
    {
      fail (self, "add: shapes differ: %u×%u×%u here, %u×%u×%u at op %d", self->channels, self->height, self->width,
            channels, height, width, source);
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
      || !check_dimension (self, "linear: out_features", out_features, 1))
    return;
  if (self->height != 1 || self->width != 1)
    {
      fail (self, "linear: its input is %u×%u×%u, expected 1×1 in height and width", self->channels, self->height,
            self->width);
      return;
    }
  if (!check_elements (self, "linear: the weight", out_features, self->channels, 1))
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

/**
 * cleave_network_builder_cut:
 * @self: a builder
 *
 * Cuts the network after the op made last. There is one cut at most, an op must follow it, and no add may reach across
 * it to an op before the one made last: then more than one array would have to cross.
 */
void
cleave_network_builder_cut (CleaveNetworkBuilder *self)
{
  g_return_if_fail (self != NULL);

  if (self->error != NULL)
    return;
  if (self->ops->len == 0)
    fail (self, "the cut comes before the first op");
  else if (self->cut > 0)
    fail (self, "a second cut; the first is after op %u", self->cut - 1);
  else
    self->cut = self->ops->len;
}

/**
 * cleave_network_builder_get_last_op:
 * @self: a builder
 *
 * Returns: the op made last; −1 before the first
 */
gint
cleave_network_builder_get_last_op (CleaveNetworkBuilder *self)
{
  g_return_val_if_fail (self != NULL, -1);

  return (gint)self->ops->len - 1;
}

/**
 * cleave_network_builder_get_channels:
 * @self: a builder
 *
 * Returns: channels of the present output
 */
guint
cleave_network_builder_get_channels (CleaveNetworkBuilder *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->channels;
}

/**
 * cleave_network_builder_get_height:
 * @self: a builder
 *
 * Returns: rows of the present output
 */
guint
cleave_network_builder_get_height (CleaveNetworkBuilder *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->height;
}

/**
 * cleave_network_builder_get_width:
 * @self: a builder
 *
 * Returns: columns of the present output
 */
guint
cleave_network_builder_get_width (CleaveNetworkBuilder *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->width;
}

/* What only the whole network shows. */
static void
check_whole (CleaveNetworkBuilder *self)
{
  if (self->error != NULL)
    return;
  if (self->ops->len == 0)
    fail (self, "it has no op");
  else if (g_array_index (self->blocks, CleaveBlock, self->blocks->len - 1).first_op == self->ops->len)
    fail (self, "the block has no op");
  else if (self->cut == self->ops->len)
    fail (self, "no op comes after the cut");
  for (guint i = self->cut; self->cut > 0 && self->error == NULL && i < self->ops->len; i++)
    {
      const CleaveOp *op = &g_array_index (self->ops, CleaveOp, i);
      if (op->kind == CLEAVE_OP_ADD && op->source < (gint)self->cut - 1)
        fail (self, "the cut after op %u lies between the add, op %u, and its source, op %d: two arrays would cross",
              self->cut - 1, i, op->source);
    }
}

/**
 * cleave_network_builder_build:
 * @self: a builder
 * @error: return location for an error
 *
 * Ends the network. The builder keeps what it has and may go on from there, with the present cut.
 *
 * Returns: (transfer full): the network, or %NULL with the first mistake as %CLEAVE_ERROR_UNSUPPORTED
 */
CleaveNetwork *
cleave_network_builder_build (CleaveNetworkBuilder *self, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);

  check_whole (self);
  if (self->error != NULL)
    {
      g_propagate_error (error, g_error_copy (self->error));
      return NULL;
    }
  CleaveNetwork *network = g_new0 (CleaveNetwork, 1);
  g_atomic_ref_count_init (&network->references);
  network->ops = g_array_copy (self->ops);
  network->blocks = g_array_copy (self->blocks);
  network->names = g_string_chunk_new (1024);
  network->in_channels = self->in_channels;
  network->in_height = self->in_height;
  network->in_width = self->in_width;
  network->cut = self->cut > 0 ? self->cut : self->ops->len;
  for (guint i = 0; i < network->ops->len; i++)
    {
      CleaveOp *op = &g_array_index (network->ops, CleaveOp, i);
      if (op->name != NULL)
        op->name = g_string_chunk_insert_const (network->names, op->name);
    }
  for (guint i = 0; i < network->blocks->len; i++)
    {
      CleaveBlock *block = &g_array_index (network->blocks, CleaveBlock, i);
      block->name = g_string_chunk_insert_const (network->names, block->name);
      if (block->choice != NULL)
        block->choice = g_string_chunk_insert_const (network->names, block->choice);
    }
  return network;
}
