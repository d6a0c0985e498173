/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-network.h>

G_BEGIN_DECLS

#define CLEAVE_TYPE_NETWORK_BUILDER (cleave_network_builder_get_type ())

/**
 * CleaveNetworkBuilder:
 *
 * Builds a [struct@Network] op by op, resolving shapes on the way. Each op takes the output of the one before; an op
 * belongs to the block begun last with [method@NetworkBuilder.block]. The first mistake (groups that do not divide the
 * channels, a kernel larger than its padded input, …) is kept and reported by [method@NetworkBuilder.build], so calls
 * need no checks between them.
 *
 * No size is above 65535, and no output or weight has more than 2³¹ elements.
 */
typedef struct _CleaveNetworkBuilder CleaveNetworkBuilder;

CLEAVE_EXPORT GType cleave_network_builder_get_type (void);
CLEAVE_EXPORT CleaveNetworkBuilder *cleave_network_builder_new (guint channels, guint height, guint width);
CLEAVE_EXPORT CleaveNetworkBuilder *cleave_network_builder_ref (CleaveNetworkBuilder *self);
CLEAVE_EXPORT void cleave_network_builder_unref (CleaveNetworkBuilder *self);
CLEAVE_EXPORT void cleave_network_builder_block (CleaveNetworkBuilder *self, const char *name, const char *choice);
CLEAVE_EXPORT void cleave_network_builder_conv (CleaveNetworkBuilder *self, const char *name, guint out_channels,
                                                guint kernel, guint stride, guint padding, guint groups);
CLEAVE_EXPORT void cleave_network_builder_norm (CleaveNetworkBuilder *self, const char *name);
CLEAVE_EXPORT void cleave_network_builder_relu (CleaveNetworkBuilder *self);
CLEAVE_EXPORT void cleave_network_builder_shuffle (CleaveNetworkBuilder *self, guint groups);
CLEAVE_EXPORT void cleave_network_builder_add (CleaveNetworkBuilder *self, gint source);
CLEAVE_EXPORT void cleave_network_builder_pool (CleaveNetworkBuilder *self);
CLEAVE_EXPORT void cleave_network_builder_linear (CleaveNetworkBuilder *self, const char *name, guint out_features);
CLEAVE_EXPORT void cleave_network_builder_identity (CleaveNetworkBuilder *self);
CLEAVE_EXPORT void cleave_network_builder_conv_norm_relu (CleaveNetworkBuilder *self, guint out_channels, guint kernel,
                                                          guint stride);
CLEAVE_EXPORT void cleave_network_builder_expand_depthwise (CleaveNetworkBuilder *self, guint mid_channels,
                                                            guint kernel, guint stride, guint groups);
CLEAVE_EXPORT void cleave_network_builder_project (CleaveNetworkBuilder *self, guint out_channels, guint groups);
CLEAVE_EXPORT void cleave_network_builder_cut (CleaveNetworkBuilder *self);
CLEAVE_EXPORT gint cleave_network_builder_get_last_op (CleaveNetworkBuilder *self);
CLEAVE_EXPORT guint cleave_network_builder_get_channels (CleaveNetworkBuilder *self);
CLEAVE_EXPORT guint cleave_network_builder_get_height (CleaveNetworkBuilder *self);
CLEAVE_EXPORT guint cleave_network_builder_get_width (CleaveNetworkBuilder *self);
CLEAVE_EXPORT CleaveNetwork *cleave_network_builder_build (CleaveNetworkBuilder *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveNetworkBuilder, cleave_network_builder_unref)

G_END_DECLS
