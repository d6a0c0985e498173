/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cleave-network-private.h"

static CleaveOp *
cleave_op_copy (const CleaveOp *self)
{
  CleaveOp *copy = g_memdup2 (self, sizeof *self);
  copy->name = g_strdup (self->name);
  return copy;
}

static void
cleave_op_free (CleaveOp *self)
{
  g_free ((char *)self->name);
  g_free (self);
}

static CleaveBlock *
cleave_block_copy (const CleaveBlock *self)
{
  CleaveBlock *copy = g_memdup2 (self, sizeof *self);
  copy->name = g_strdup (self->name);
  copy->choice = g_strdup (self->choice);
  return copy;
}

static void
cleave_block_free (CleaveBlock *self)
{
  g_free ((char *)self->name);
  g_free ((char *)self->choice);
  g_free (self);
}

/* Language bindings copy what a network hands out, and the copy may outlive it: so copies own their names. */
G_DEFINE_BOXED_TYPE (CleaveOp, cleave_op, cleave_op_copy, cleave_op_free)
G_DEFINE_BOXED_TYPE (CleaveBlock, cleave_block, cleave_block_copy, cleave_block_free)
G_DEFINE_BOXED_TYPE (CleaveNetwork, cleave_network, cleave_network_ref, cleave_network_unref)

/**
 * cleave_op_kind_to_string:
 * @kind: what an op computes
 *
 * Names a kind of op, for messages.
 *
 * Returns: its name in lower case, such as `conv`
 */
const char *
cleave_op_kind_to_string (CleaveOpKind kind)
{
  static const char *const names[] = { "conv", "norm", "relu", "shuffle", "add", "pool", "linear", "identity" };

  return (guint)kind < G_N_ELEMENTS (names) ? names[kind] : "unknown op";
}

/**
 * cleave_network_ref:
 * @self: a network
 *
 * Takes a reference.
 *
 * Returns: (transfer full): the same network, with one more reference
 */
CleaveNetwork *
cleave_network_ref (CleaveNetwork *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * cleave_network_unref:
 * @self: (transfer full): a network
 *
 * Gives a reference back; the last one frees the network.
 */
void
cleave_network_unref (CleaveNetwork *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_array_unref (self->ops);
  g_array_unref (self->blocks);
  g_string_chunk_free (self->names);
  g_free (self);
}

/**
 * cleave_network_get_n_ops:
 * @self: a network
 *
 * Gets the number of ops, of head and tail together.
 *
 * Returns: the number of ops, at least 1
 */
guint
cleave_network_get_n_ops (CleaveNetwork *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->ops->len;
}

/**
 * cleave_network_get_op:
 * @self: a network
 * @index: less than [method@Network.get_n_ops]
 *
 * Gets an op.
 *
 * Returns: (transfer none): an op, valid while the network lives
 */
const CleaveOp *
cleave_network_get_op (CleaveNetwork *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->ops->len, NULL);

  return &g_array_index (self->ops, CleaveOp, index);
}

/**
 * cleave_network_get_n_blocks:
 * @self: a network
 *
 * Gets the number of blocks, of head and tail together.
 *
 * Returns: the number of blocks, at least 1
 */
guint
cleave_network_get_n_blocks (CleaveNetwork *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->blocks->len;
}

/**
 * cleave_network_get_block:
 * @self: a network
 * @index: less than [method@Network.get_n_blocks]
 *
 * Gets a block.
 *
 * Returns: (transfer none): a block, valid while the network lives
 */
const CleaveBlock *
cleave_network_get_block (CleaveNetwork *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->blocks->len, NULL);

  return &g_array_index (self->blocks, CleaveBlock, index);
}

/**
 * cleave_network_get_in_channels:
 * @self: a network
 *
 * Gets the channels of the images that the network takes.
 *
 * Returns: channels of an image
 */
guint
cleave_network_get_in_channels (CleaveNetwork *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->in_channels;
}

/**
 * cleave_network_get_in_height:
 * @self: a network
 *
 * Gets the rows of the images that the network takes.
 *
 * Returns: rows of an image
 */
guint
cleave_network_get_in_height (CleaveNetwork *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->in_height;
}

/**
 * cleave_network_get_in_width:
 * @self: a network
 *
 * Gets the columns of the images that the network takes.
 *
 * Returns: columns of an image
 */
guint
cleave_network_get_in_width (CleaveNetwork *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->in_width;
}

/**
 * cleave_network_get_cut:
 * @self: a network
 *
 * Gets where the network is cut: the ops before are the head, on the device, the others the tail, on the server.
 *
 * Returns: the first op of the tail; the number of ops where there is no cut
 */
guint
cleave_network_get_cut (CleaveNetwork *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->cut;
}

/**
 * cleave_network_get_payload_elements:
 * @self: a network
 *
 * Gets the size of the payload: what crosses the link for one image.
 *
 * Returns: elements (channels × rows × columns) an image that cross the cut; 0 where there is no cut
 */
gsize
cleave_network_get_payload_elements (CleaveNetwork *self)
{
  g_return_val_if_fail (self != NULL, 0);

  if (self->cut == self->ops->len)
    return 0;
  const CleaveOp *last = &g_array_index (self->ops, CleaveOp, self->cut - 1);
  return (gsize)last->out_channels * last->out_height * last->out_width;
}

/**
 * cleave_network_get_flops:
 * @self: a network
 * @first_op: the first op of a stretch
 * @end_op: one past its last op, at most [method@Network.get_n_ops]
 *
 * Sums up the computation cost of a stretch for one image (C of eq. 8).
 *
 * Returns: the sum of the ops' computation cost, as [struct@Op] counts it
 */
double
cleave_network_get_flops (CleaveNetwork *self, guint first_op, guint end_op)
{
  g_return_val_if_fail (self != NULL && first_op <= end_op && end_op <= self->ops->len, 0);

  double flops = 0;
  for (guint i = first_op; i < end_op; i++)
    flops += g_array_index (self->ops, CleaveOp, i).flops;
  return flops;
}

char *
cleave_network_join_name (const char *block, const char *op, const char *parameter)
{
  GString *name = g_string_new (block);
  const char *const parts[] = { op, parameter };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i] != NULL && *parts[i] != '\0')
      {
        if (name->len > 0)
          g_string_append_c (name, '.');
        g_string_append (name, parts[i]);
      }
  return g_string_free (name, FALSE);
}

/**
 * cleave_network_parameter_name:
 * @self: a network
 * @op: less than [method@Network.get_n_ops]
 * @parameter: `weight`, `bias`, `running_mean` or `running_var`
 *
 * The name of an op's parameter in a state dict: block, op and parameter with dots between, as in HW-NAS-Bench's model.
 *
 * Returns: (transfer full): a name such as `cells.3.bn1.weight`
 */
char *
cleave_network_parameter_name (CleaveNetwork *self, guint op, const char *parameter)
{
  g_return_val_if_fail (self != NULL && op < self->ops->len && parameter != NULL, NULL);

  const CleaveOp *it = &g_array_index (self->ops, CleaveOp, op);
  return cleave_network_join_name (g_array_index (self->blocks, CleaveBlock, it->block).name, it->name, parameter);
}
