/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

/**
 * CleaveOpKind:
 * @CLEAVE_OP_CONV: convolution without bias; weight [out, in/groups, kernel, kernel]
 * @CLEAVE_OP_NORM: batch normalisation (eps 1e-5, momentum 0.1); weight, bias, running_mean, running_var
 * @CLEAVE_OP_RELU: max(0, x)
 * @CLEAVE_OP_SHUFFLE: channel shuffle: channels seen as [groups, C/groups], transposed
 * @CLEAVE_OP_ADD: adds the output of an earlier op
 * @CLEAVE_OP_POOL: global average over height and width
 * @CLEAVE_OP_LINEAR: fully connected, with bias; weight [out, in]; its input is 1×1
 * @CLEAVE_OP_IDENTITY: passes its input on; it marks that a block is there
 *
 * What an op computes. Each op reads the output of the op before it.
 */
typedef enum
{
  CLEAVE_OP_CONV,
  CLEAVE_OP_NORM,
  CLEAVE_OP_RELU,
  CLEAVE_OP_SHUFFLE,
  CLEAVE_OP_ADD,
  CLEAVE_OP_POOL,
  CLEAVE_OP_LINEAR,
  CLEAVE_OP_IDENTITY,
} CleaveOpKind;

/**
 * CleaveOp:
 * @kind: what it computes
 * @name: (nullable): its name inside the block, such as `conv1`; %NULL where it has no parameters or where they carry
 *   the block's own name (`fc.weight`)
 * @block: the block it belongs to
 * @in_channels: channels in
 * @in_height: rows in
 * @in_width: columns in
 * @out_channels: channels out
 * @out_height: rows out
 * @out_width: columns out
 * @kernel: conv: rows and columns of the kernel
 * @stride: conv: stride
 * @padding: conv: zeros on each side
 * @groups: conv, shuffle: groups
 * @source: add: the op whose output is added, −1 for the network's input
 * @flops: computation cost by eqs. 8 and 9: conv and linear their multiply-accumulates, norm 5 an output element,
 * others 0
 * @bytes: bytes read and written in fp32: inputs, outputs, weights
 *
 * One operation with all its shapes resolved.
 */
typedef struct
{
  CleaveOpKind kind;
  const char *name;
  guint block;
  guint in_channels, in_height, in_width;
  guint out_channels, out_height, out_width;
  guint kernel, stride, padding, groups;
  gint source;
  double flops;
  double bytes;
} CleaveOp;

/**
 * CleaveBlock:
 * @name: what its parameters' names begin with, such as `cells.3`; may be empty
 * @choice: (nullable): the category chosen here, such as `k3_e6`; %NULL for a fixed block
 * @first_op: its first op
 * @end_op: one past its last op
 *
 * A run of ops that is chosen together. The supernet keeps weights by block and choice.
 */
typedef struct
{
  const char *name;
  const char *choice;
  guint first_op;
  guint end_op;
} CleaveBlock;

#define CLEAVE_TYPE_OP (cleave_op_get_type ())
#define CLEAVE_TYPE_BLOCK (cleave_block_get_type ())
#define CLEAVE_TYPE_NETWORK (cleave_network_get_type ())

/**
 * CleaveNetwork:
 *
 * A neural network, cut in two: ops before the cut are the head, the others the tail. Immutable, reference counted,
 * made by a [struct@NetworkBuilder]. Ops and blocks that it hands out are valid while it lives.
 */
typedef struct _CleaveNetwork CleaveNetwork;

CLEAVE_EXPORT GType cleave_op_get_type (void);
CLEAVE_EXPORT GType cleave_block_get_type (void);
CLEAVE_EXPORT const char *cleave_op_kind_to_string (CleaveOpKind kind);

CLEAVE_EXPORT GType cleave_network_get_type (void);
CLEAVE_EXPORT CleaveNetwork *cleave_network_ref (CleaveNetwork *self);
CLEAVE_EXPORT void cleave_network_unref (CleaveNetwork *self);
CLEAVE_EXPORT guint cleave_network_get_n_ops (CleaveNetwork *self);
CLEAVE_EXPORT const CleaveOp *cleave_network_get_op (CleaveNetwork *self, guint index);
CLEAVE_EXPORT guint cleave_network_get_n_blocks (CleaveNetwork *self);
CLEAVE_EXPORT const CleaveBlock *cleave_network_get_block (CleaveNetwork *self, guint index);
CLEAVE_EXPORT guint cleave_network_get_in_channels (CleaveNetwork *self);
CLEAVE_EXPORT guint cleave_network_get_in_height (CleaveNetwork *self);
CLEAVE_EXPORT guint cleave_network_get_in_width (CleaveNetwork *self);
CLEAVE_EXPORT guint cleave_network_get_cut (CleaveNetwork *self);
CLEAVE_EXPORT gsize cleave_network_get_payload_elements (CleaveNetwork *self);
CLEAVE_EXPORT double cleave_network_get_flops (CleaveNetwork *self, guint first_op, guint end_op);
CLEAVE_EXPORT char *cleave_network_parameter_name (CleaveNetwork *self, guint op, const char *parameter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveNetwork, cleave_network_unref)

G_END_DECLS
