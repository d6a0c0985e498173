/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-network-builder.h>

G_BEGIN_DECLS

struct _CleaveNetwork
{
  gatomicrefcount references;
  GArray *ops;         /* CleaveOp */
  GArray *blocks;      /* CleaveBlock */
  GStringChunk *names; /* what the names in ops and blocks point to */
  guint in_channels, in_height, in_width;
  guint cut;
};

/* "cells.3.bn1": what the names of an op's parameters begin with; parts that are empty or NULL leave no dot. */
char *cleave_network_join_name (const char *block, const char *op, const char *parameter);

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

/* Keeps the first mistake, with where it was made. */
void cleave_network_builder_fail (CleaveNetworkBuilder *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Whether a size is in MINIMUM … 65535, and whether a × b × c elements are not too many; a mistake if not. */
gboolean cleave_network_builder_check_dimension (CleaveNetworkBuilder *self, const char *what, guint64 value,
                                                 guint minimum);
gboolean cleave_network_builder_check_elements (CleaveNetworkBuilder *self, const char *what, guint64 a, guint64 b,
                                                guint64 c);

G_END_DECLS
