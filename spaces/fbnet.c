/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* fbnet.c — FBNet's search space (Wu et al., CVPR 2019). */

#include "fbnet-family.h"

typedef FbnetFamily Fbnet;

static const FbnetChoice choices[] = { FBNET_CHOICES };

static GVariant *
fbnet_variables (CleaveSpace *space, GError **error)
{
  return fbnet_family_variables (choices, G_N_ELEMENTS (choices));
}

static CleaveNetwork *
fbnet_build (CleaveSpace *space, CleaveCandidate *candidate, GError **error)
{
  return fbnet_family_build (space, choices, candidate, error);
}

CLEAVE_PLUGIN_BEGIN (Fbnet, fbnet, SPACE)
  FBNET_FAMILY_PARAMETERS
  CLEAVE_METHOD (variables, fbnet_variables)
  CLEAVE_METHOD (build, fbnet_build)
  CLEAVE_METHOD (set_dataset, fbnet_family_set_dataset)
CLEAVE_PLUGIN_END
