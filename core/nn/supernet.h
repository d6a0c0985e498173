/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nn.h"

G_BEGIN_DECLS

struct _NnSupernet
{
  guint64 seed;
  gboolean is_hollow; /* arrays have shapes, but no values */
  GPtrArray *arrays;  /* NnArray, in the order of making */
  GHashTable *by_key; /* key → NnArray */
  GPtrArray *touched; /* NnArray, (not owned): those that this step's gradients reached, in order */
  GHashTable *touched_set;
};

/* The array of an op's parameter ("weight", "bias", "running_mean", "running_var"); NULL if it is not there. */
NnArray *nn_supernet_find_parameter (NnSupernet *supernet, CleaveNetwork *network, guint op, const char *parameter);
/* Before a gradient is added to: at the first touch in a step it is set to zero. */
void nn_supernet_touch (NnSupernet *supernet, NnArray *array);

G_END_DECLS
