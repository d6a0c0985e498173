/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What FBNet's search space (Wu et al., CVPR 2019) and its extension in NASC have in common: the macro-architectures of
 * HW-NAS-Bench (Li et al., ICLR 2021), 22 blocks to choose, and the split point of NASC as one more variable: 0 cuts
 * after the stem, k after block k or, where that compresses, inside it. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

/* A block: 1×1 conv to the mid channels, depthwise conv, 1×1 conv; or a skip. */
typedef struct
{
  const char *name;
  guint kernel;    /* of the depthwise conv */
  guint expansion; /* mid channels = max(1, channels in × expansion ÷ reduction); 0: a skip */
  guint reduction; /* above 1 the block compresses: it never adds its input, and its cut lies inside */
  guint groups;    /* of the 1×1 convs */
} FbnetChoice;

/* FBNet's nine, in the order of HW-NAS-Bench's table. */
#define FBNET_CHOICES                                                                                                  \
  { "k3_e1", 3, 1, 1, 1 }, { "k3_e1_g2", 3, 1, 1, 2 }, { "k3_e3", 3, 3, 1, 1 }, { "k3_e6", 3, 6, 1, 1 },               \
      { "k5_e1", 5, 1, 1, 1 }, { "k5_e1_g2", 5, 1, 1, 2 }, { "k5_e3", 5, 3, 1, 1 }, { "k5_e6", 5, 6, 1, 1 },           \
  {                                                                                                                    \
    "skip", 0, 0, 1, 1                                                                                                 \
  }

/* The instance of each of these spaces. */
typedef struct
{
  GObject parent_instance;
  char *macro_architecture;
  guint classes;
  guint dataset_classes; /* 0: not known */
} FbnetFamily;

/* Their parameters, between CLEAVE_PLUGIN_BEGIN and CLEAVE_PLUGIN_END. */
#define FBNET_FAMILY_PARAMETERS                                                                                        \
  CLEAVE_PARAMETER_CHOICE (macro_architecture, "cifar|imagenet", "cifar",                                              \
                           "Strides, widths and image size: 32×32 (cifar) or 224×224 (imagenet)")                      \
  CLEAVE_PARAMETER (classes, UINT, "", 0, 65535, 0,                                                                    \
                    "Number of classes; 0 takes the data set's, or else 100 (cifar) or 1000 (imagenet)")

GVariant *fbnet_family_variables (const FbnetChoice *choices, guint n_choices);
CleaveNetwork *fbnet_family_build (CleaveSpace *space, const FbnetChoice *choices, CleaveCandidate *candidate,
                                   GError **error);
gboolean fbnet_family_set_dataset (CleaveSpace *space, const CleaveDatasetInfo *info, GError **error);

G_END_DECLS
