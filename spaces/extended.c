/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* extended.c — NASC's extended search space: FBNet's choices and six that compress what would cross the link. */

#include "fbnet-family.h"

typedef FbnetFamily Extended;

static const FbnetChoice choices[] = {
  FBNET_CHOICES,
  { "c3_e1/2", 3, 1, 2, 1 },
  { "c3_e1/4", 3, 1, 4, 1 },
  { "c3_e1/8", 3, 1, 8, 1 },
  { "c5_e1/2", 5, 1, 2, 1 },
  { "c5_e1/4", 5, 1, 4, 1 },
  { "c5_e1/8", 5, 1, 8, 1 },
};

static GVariant *
extended_variables (CleaveSpace *space, GError **error)
{
  return fbnet_family_variables (choices, G_N_ELEMENTS (choices));
}

static CleaveNetwork *
extended_build (CleaveSpace *space, CleaveCandidate *candidate, GError **error)
{
  return fbnet_family_build (space, choices, candidate, error);
}

CLEAVE_PLUGIN_BEGIN (Extended, extended, SPACE)
  FBNET_FAMILY_PARAMETERS
  CLEAVE_METHOD (variables, extended_variables)
  CLEAVE_METHOD (build, extended_build)
  CLEAVE_METHOD (set_dataset, fbnet_family_set_dataset)
CLEAVE_PLUGIN_END
