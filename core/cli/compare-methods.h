/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is compared: configs that can be set side by side. */

#include "cli.h"

G_BEGIN_DECLS

typedef struct
{
  char *name;        /* of the config's file */
  char *config_name; /* as it was given */
  char *config_text; /* resolved */
  guint seed;        /* the first */
  double latency_threshold_ms;
  double drop_rate; /* the channel's */
  double bound_ms;  /* no candidate of the space has a lower latency; NaN where that can't be told */
} CompareMethod;

void compare_method_free (CompareMethod *self);
/* An error unless they have one data set, threshold and drop rate, and names and N_SEEDS seeds of their own. */
GPtrArray *compare_methods_load (const CliShared *shared, GStrv config_names, guint n_seeds, GError **error);
/* The method's resolved config with another seed. */
char *compare_method_set_seed (const CompareMethod *self, guint seed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CompareMethod, compare_method_free)

G_END_DECLS
