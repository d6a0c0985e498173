/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <cleave/cleave-error.h>
#include <cleave/cleave-network-builder.h>

#include "cleave-network-private.h"

G_DEFINE_BOXED_TYPE (CleaveNetworkBuilder, cleave_network_builder, cleave_network_builder_ref,
                     cleave_network_builder_unref)

/* No dimension, kernel, stride or padding is larger, and no activation or weight has more elements: so every product
 * of the shapes here fits 64 bits, and every count of elements fits the engine's. */
#define MAX_DIMENSION 65535
#define MAX_ELEMENTS (G_GUINT64_CONSTANT (1) << 31)

void
cleave_network_builder_fail (CleaveNetworkBuilder *self, const char *format, ...)
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

gboolean
cleave_network_builder_check_dimension (CleaveNetworkBuilder *self, const char *what, guint64 value, guint minimum)
{
  if (value >= minimum && value <= MAX_DIMENSION)
    return TRUE;
  cleave_network_builder_fail (self, "%s is %" G_GUINT64_FORMAT ", expected %u–%u", what, value, minimum,
                               MAX_DIMENSION);
  return FALSE;
}

gboolean
cleave_network_builder_check_elements (CleaveNetworkBuilder *self, const char *what, guint64 a, guint64 b, guint64 c)
{
  guint64 elements;
  if (g_uint64_checked_mul (&elements, a, b) && g_uint64_checked_mul (&elements, elements, c)
      && elements <= MAX_ELEMENTS)
    return TRUE;
  cleave_network_builder_fail (
      self, "%s has more than 2^31 elements (%" G_GUINT64_FORMAT " × %" G_GUINT64_FORMAT " × %" G_GUINT64_FORMAT ")",
      what, a, b, c);
  return FALSE;
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
  if (cleave_network_builder_check_dimension (self, "the images' number of channels", channels, 1)
      && cleave_network_builder_check_dimension (self, "the images' height", height, 1)
      && cleave_network_builder_check_dimension (self, "the images' width", width, 1))
    cleave_network_builder_check_elements (self, "an image", channels, height, width);
  return self;
}

/**
 * cleave_network_builder_ref:
 * @self: a builder
 *
 * Takes a reference.
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
 * Gives a reference back; the last one frees the builder. Networks that it has built live on.
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
      cleave_network_builder_fail (self, "the block has no op");
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
    cleave_network_builder_fail (self, "the cut comes before the first op");
  else if (self->cut > 0)
    cleave_network_builder_fail (self, "a second cut; the first is after op %u", self->cut - 1);
  else
    self->cut = self->ops->len;
}

/**
 * cleave_network_builder_get_last_op:
 * @self: a builder
 *
 * Gets the index of the op made last, for [method@NetworkBuilder.add] to add its output later.
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
 * Gets the channels of the output of the op made last; before the first op those of an image.
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
 * Gets the rows of the output of the op made last; before the first op those of an image.
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
 * Gets the columns of the output of the op made last; before the first op those of an image.
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
    cleave_network_builder_fail (self, "it has no op");
  else if (g_array_index (self->blocks, CleaveBlock, self->blocks->len - 1).first_op == self->ops->len)
    cleave_network_builder_fail (self, "the block has no op");
  else if (self->cut == self->ops->len)
    cleave_network_builder_fail (self, "no op comes after the cut");
  for (guint i = self->cut; self->cut > 0 && self->error == NULL && i < self->ops->len; i++)
    {
      const CleaveOp *op = &g_array_index (self->ops, CleaveOp, i);
      if (op->kind == CLEAVE_OP_ADD && op->source < (gint)self->cut - 1)
        cleave_network_builder_fail (
            self, "the cut after op %u lies between the add, op %u, and its source, op %d: two arrays would cross",
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
