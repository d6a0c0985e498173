/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hw-nas-bench.c — measured latencies of FBNet's blocks on one device (Li et al., HW-NAS-Bench, ICLR 2021). A network's
 * latency is the sum over its blocks. A block's key in the table follows from its ops, whatever space made it. */

#include "latency-table.h"

#include <cleave/cleave.h>

#include <math.h>

typedef struct
{
  GObject parent_instance;
  char *table;
  char *device;
  GHashTable *entries; /* key → double *, milliseconds; read at the first estimate */
  char *entries_of;    /* what file and device they are of */
} HwNasBench;

/* Whether the block's ops, an add at the end apart, are of these kinds. */
static gboolean
match (CleaveNetwork *network, const CleaveBlock *block, guint end_op, const CleaveOpKind *kinds, guint n_kinds)
{
  if (end_op - block->first_op != n_kinds)
    return FALSE;
  for (guint i = 0; i < n_kinds; i++)
    if (cleave_network_get_op (network, block->first_op + i)->kind != kinds[i])
      return FALSE;
  return TRUE;
}

#define MATCH(network, block, end_op, ...)                                                                             \
  match (network, block, end_op, (const CleaveOpKind[]){ __VA_ARGS__ },                                                \
         G_N_ELEMENTS (((const CleaveOpKind[]){ __VA_ARGS__ })))

/* conv 1×1 in g groups, norm, ReLU, shuffle if g > 1, depthwise conv, norm, ReLU, conv 1×1 in g groups, norm; and the
 * block's input added where the shape allows, as the table's blocks do. */
static char *
expanding_block_key (CleaveNetwork *network, const CleaveBlock *block)
{
  const CleaveOp *first = cleave_network_get_op (network, block->first_op);
  const CleaveOp *last = cleave_network_get_op (network, block->end_op - 1);
  const gboolean adds = last->kind == CLEAVE_OP_ADD && last->source == (gint)block->first_op - 1;
  const guint end = block->end_op - (adds ? 1 : 0);
  const guint shuffles = first->groups > 1 ? 1 : 0;

  if (!(shuffles ? MATCH (network, block, end, CLEAVE_OP_CONV, CLEAVE_OP_NORM, CLEAVE_OP_RELU, CLEAVE_OP_SHUFFLE,
                          CLEAVE_OP_CONV, CLEAVE_OP_NORM, CLEAVE_OP_RELU, CLEAVE_OP_CONV, CLEAVE_OP_NORM)
                 : MATCH (network, block, end, CLEAVE_OP_CONV, CLEAVE_OP_NORM, CLEAVE_OP_RELU, CLEAVE_OP_CONV,
                          CLEAVE_OP_NORM, CLEAVE_OP_RELU, CLEAVE_OP_CONV, CLEAVE_OP_NORM)))
    return NULL;
  const CleaveOp *depthwise = cleave_network_get_op (network, block->first_op + 3 + shuffles);
  const CleaveOp *project = cleave_network_get_op (network, end - 2);
  const gboolean same_shape = depthwise->stride == 1 && first->in_channels == project->out_channels;
  if (first->kernel != 1 || first->stride != 1 || first->padding != 0 || first->out_channels % first->in_channels != 0
      || depthwise->groups != depthwise->in_channels || depthwise->out_channels != depthwise->in_channels
      || depthwise->padding != depthwise->kernel / 2 || project->kernel != 1 || project->stride != 1
      || project->padding != 0 || project->groups != first->groups || adds != same_shape
      || (shuffles && cleave_network_get_op (network, block->first_op + 3)->groups != first->groups))
    return NULL;
  return g_strdup_printf ("ConvBlock_H%u_W%u_Cin%u_Cout%u_exp%u_kernel%u_stride%u_group%u", first->in_height,
                          first->in_width, first->in_channels, project->out_channels,
                          first->out_channels / first->in_channels, depthwise->kernel, depthwise->stride,
                          first->groups);
}

/* The table's key of a block, NULL where it has none of this form. */
static char *
block_key (CleaveNetwork *network, const CleaveBlock *block)
{
  const CleaveOp *first = cleave_network_get_op (network, block->first_op);
  const gboolean searchable = block->choice != NULL;

  if (searchable && MATCH (network, block, block->end_op, CLEAVE_OP_IDENTITY))
    return g_strdup_printf ("Skip_H%u_W%u_Cin%u_Cout%u_stride1", first->in_height, first->in_width, first->in_channels,
                            first->out_channels);
  if (MATCH (network, block, block->end_op, CLEAVE_OP_CONV, CLEAVE_OP_NORM, CLEAVE_OP_RELU)
      && first->padding == first->kernel / 2)
    {
      if (!searchable)
        return g_strdup_printf ("ConvNorm_H%u_W%u_Cin%u_Cout%u_kernel%u_stride%u_group%u", first->in_height,
                                first->in_width, first->in_channels, first->out_channels, first->kernel, first->stride,
                                first->groups);
      if (first->kernel == 1 && first->groups == 1)
        return g_strdup_printf ("Skip_H%u_W%u_Cin%u_Cout%u_stride%u", first->in_height, first->in_width,
                                first->in_channels, first->out_channels, first->stride);
    }
  if (!searchable && MATCH (network, block, block->end_op, CLEAVE_OP_POOL))
    return g_strdup_printf ("AvgP_H%u_W%u_Cin%u_Cout%u_kernel%u_stride1", first->in_height, first->in_width,
                            first->in_channels, first->out_channels, first->in_height);
  if (!searchable && MATCH (network, block, block->end_op, CLEAVE_OP_LINEAR))
    return g_strdup_printf ("FC_Cin%u_Cout%u", first->in_channels, first->out_channels);
  return expanding_block_key (network, block);
}

/* Reads the table once, and again only where file or device was changed since. */
static gboolean
ensure_entries (HwNasBench *self, GError **error)
{
  if (self->table == NULL || *self->table == '\0' || self->device == NULL || *self->device == '\0')
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "hw-nas-bench: the parameter “%s” is not set, expected %s",
                   self->table == NULL || *self->table == '\0' ? "table" : "device",
                   self->table == NULL || *self->table == '\0' ? "HW-NAS-Bench's file (JSON or pickle)"
                                                               : "a device of the table, such as raspi4");
      return FALSE;
    }
  g_autofree char *wanted = g_strdup_printf ("%s\n%s", self->device, self->table);
  if (g_strcmp0 (wanted, self->entries_of) == 0)
    return TRUE;
  GHashTable *entries = latency_table_read (self->table, self->device, error);
  if (entries == NULL)
    return FALSE;
  g_clear_pointer (&self->entries, g_hash_table_unref);
  g_free (self->entries_of);
  self->entries = entries;
  self->entries_of = g_steal_pointer (&wanted);
  return TRUE;
}

/* Milliseconds of a block, NaN with an error. */
static double
block_latency_ms (HwNasBench *self, CleaveNetwork *network, const CleaveBlock *block, GError **error)
{
  g_autofree char *key = block_key (network, block);

  if (key == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED,
                   "the block %s%s%s is of no form that HW-NAS-Bench has measured, expected an oracle that estimates "
                   "single ops, such as flops",
                   block->name, block->choice != NULL ? ", " : "", block->choice != NULL ? block->choice : "");
      return NAN;
    }
  const double *milliseconds = g_hash_table_lookup (self->entries, key);
  if (milliseconds == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s has no entry %s for %s (block %s)", self->table, key,
                   self->device, block->name);
      return NAN;
    }
  return *milliseconds;
}

static double
hw_nas_bench_estimate (CleaveOracle *oracle, CleaveNetwork *network, guint first_op, guint end_op, GError **error)
{
  HwNasBench *self = (HwNasBench *)oracle;
  double total_ms = 0;

  if (!ensure_entries (self, error))
    return NAN;
  for (guint i = cleave_network_get_op (network, first_op)->block; i < cleave_network_get_n_blocks (network); i++)
    {
      const CleaveBlock *block = cleave_network_get_block (network, i);
      if (block->first_op >= end_op)
        break;
      if (block->first_op < first_op || block->end_op > end_op)
        {
          g_set_error (
              error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED,
              "ops %u–%u cover only a part of block %s; a table has whole blocks only, expected an oracle that "
              "estimates single ops, such as flops",
              first_op, end_op - 1, block->name);
          return NAN;
        }
      const double block_ms = block_latency_ms (self, network, block, error);
      if (isnan (block_ms))
        return NAN;
      total_ms += block_ms;
    }
  return total_ms / 1000;
}

static void
hw_nas_bench_finalize (gpointer object)
{
  HwNasBench *self = object;

  g_clear_pointer (&self->entries, g_hash_table_unref);
  g_free (self->entries_of);
}

CLEAVE_PLUGIN_BEGIN (HwNasBench, hw_nas_bench, ORACLE)
  CLEAVE_PARAMETER_PATH (table, NULL, "HW-NAS-Bench's table: the published pickle, or its FBNet part as JSON")
  CLEAVE_PARAMETER_STRING (device, NULL, "A device of the table: raspi4, edgegpu, pixel3, fpga, eyeriss")
  CLEAVE_METHOD (estimate, hw_nas_bench_estimate)
  CLEAVE_FINALIZE (hw_nas_bench_finalize)
CLEAVE_PLUGIN_END
