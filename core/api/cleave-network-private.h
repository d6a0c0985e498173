/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-network.h>

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

G_END_DECLS
