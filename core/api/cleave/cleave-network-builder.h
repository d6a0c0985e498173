/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-network.h>

G_BEGIN_DECLS

#define CLEAVE_TYPE_NETWORK_BUILDER (cleave_network_builder_get_type ())

/**
 * CleaveNetworkBuilder:
 *
 * Builds a [struct@Network] op by op, resolving shapes on the way. The first mistake (groups that do not divide the
 * channels, a kernel larger than its padded input, …) is kept and reported by [method@NetworkBuilder.build], so calls
 * need no checks between them.
 */
typedef struct _CleaveNetworkBuilder CleaveNetworkBuilder;

CLEAVE_EXPORT GType cleave_network_builder_get_type (void);
CLEAVE_EXPORT CleaveNetworkBuilder *cleave_network_builder_new (guint channels, guint height, guint width);
CLEAVE_EXPORT CleaveNetworkBuilder *cleave_network_builder_ref (CleaveNetworkBuilder *self);
CLEAVE_EXPORT void cleave_network_builder_unref (CleaveNetworkBuilder *self);
/* Ops from here on belong to the block NAME; CHOICE is its category, NULL for a fixed block. */
CLEAVE_EXPORT void cleave_network_builder_block (CleaveNetworkBuilder *self, const char *name, const char *choice);
CLEAVE_EXPORT void cleave_network_builder_conv (CleaveNetworkBuilder *self, const char *name, guint out_channels,
                                                guint kernel, guint stride, guint padding, guint groups);
CLEAVE_EXPORT void cleave_network_builder_norm (CleaveNetworkBuilder *self, const char *name);
CLEAVE_EXPORT void cleave_network_builder_relu (CleaveNetworkBuilder *self);
CLEAVE_EXPORT void cleave_network_builder_shuffle (CleaveNetworkBuilder *self, guint groups);
/* SOURCE: what cleave_network_builder_get_last_op() gave when the op to add had just been made. */
CLEAVE_EXPORT void cleave_network_builder_add (CleaveNetworkBuilder *self, gint source);
CLEAVE_EXPORT void cleave_network_builder_pool (CleaveNetworkBuilder *self);
CLEAVE_EXPORT void cleave_network_builder_linear (CleaveNetworkBuilder *self, const char *name, guint out_features);
CLEAVE_EXPORT void cleave_network_builder_identity (CleaveNetworkBuilder *self);
/* conv NAME.conv, norm NAME.bn, ReLU, padded by kernel / 2. */
CLEAVE_EXPORT void cleave_network_builder_conv_norm_relu (CleaveNetworkBuilder *self, guint out_channels, guint kernel,
                                                          guint stride);
/* FBNet's block: conv1 1×1 to mid_channels, bn1, ReLU, shuffle if groups > 1, depthwise conv2, bn2, ReLU. */
CLEAVE_EXPORT void cleave_network_builder_expand_depthwise (CleaveNetworkBuilder *self, guint mid_channels,
                                                            guint kernel, guint stride, guint groups);
/* conv3 1×1, bn3: the second part of FBNet's block. */
CLEAVE_EXPORT void cleave_network_builder_project (CleaveNetworkBuilder *self, guint out_channels, guint groups);
/* The network is cut after the op made last. */
CLEAVE_EXPORT void cleave_network_builder_cut (CleaveNetworkBuilder *self);
/* The op made last; −1 before the first. */
CLEAVE_EXPORT gint cleave_network_builder_get_last_op (CleaveNetworkBuilder *self);
CLEAVE_EXPORT guint cleave_network_builder_get_channels (CleaveNetworkBuilder *self);
CLEAVE_EXPORT guint cleave_network_builder_get_height (CleaveNetworkBuilder *self);
CLEAVE_EXPORT guint cleave_network_builder_get_width (CleaveNetworkBuilder *self);
CLEAVE_EXPORT CleaveNetwork *cleave_network_builder_build (CleaveNetworkBuilder *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveNetworkBuilder, cleave_network_builder_unref)

G_END_DECLS
