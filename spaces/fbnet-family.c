/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fbnet-family.h"

#define N_STAGES 7
#define N_BLOCKS 22

typedef struct
{
  guint image_size;
  guint stem_stride;
  guint strides[N_STAGES];
  guint header_channels;
  guint classes;
} MacroArchitecture;

static const MacroArchitecture cifar = { 32, 1, { 1, 1, 2, 2, 1, 2, 1 }, 1504, 100 };
static const MacroArchitecture imagenet = { 224, 2, { 1, 2, 2, 2, 1, 2, 1 }, 1984, 1000 };

static const guint stage_blocks[N_STAGES] = { 1, 4, 4, 4, 4, 4, 1 };
static const guint stage_channels[N_STAGES] = { 16, 24, 32, 64, 112, 184, 352 };
static const guint stem_channels = 16;

GVariant *
fbnet_family_variables (const FbnetChoice *choices, guint n_choices)
{
  g_auto (GVariantBuilder) variables = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sas)"));

  for (guint block = 1; block <= N_BLOCKS; block++)
    {
      g_autofree char *name = g_strdup_printf ("block-%u", block);
      g_variant_builder_open (&variables, G_VARIANT_TYPE ("(sas)"));
      g_variant_builder_add (&variables, "s", name);
      g_variant_builder_open (&variables, G_VARIANT_TYPE ("as"));
      for (guint i = 0; i < n_choices; i++)
        g_variant_builder_add (&variables, "s", choices[i].name);
      g_variant_builder_close (&variables);
      g_variant_builder_close (&variables);
    }
  g_variant_builder_open (&variables, G_VARIANT_TYPE ("(sas)"));
  g_variant_builder_add (&variables, "s", "split");
  g_variant_builder_open (&variables, G_VARIANT_TYPE ("as"));
  for (guint split = 0; split <= N_BLOCKS; split++)
    {
      g_autofree char *name = g_strdup_printf ("%u", split);
      g_variant_builder_add (&variables, "s", name);
    }
  g_variant_builder_close (&variables);
  g_variant_builder_close (&variables);
  return g_variant_builder_end (&variables);
}

/* A block that compresses is cut where it is narrowest: the depthwise conv, its norm and ReLU belong to the head. */
static void
build_block (CleaveNetworkBuilder *builder, const FbnetChoice *choice, guint out_channels, guint stride, gboolean cut)
{
  const gint input = cleave_network_builder_get_last_op (builder);
  const guint in_channels = cleave_network_builder_get_channels (builder);
  const gboolean same_shape = in_channels == out_channels && stride == 1;
  const gboolean compresses = choice->reduction > 1;

  if (choice->expansion > 0)
    {
      const guint mid_channels = MAX (1, in_channels * choice->expansion / choice->reduction);
      cleave_network_builder_expand_depthwise (builder, mid_channels, choice->kernel, stride, choice->groups);
      if (cut && compresses)
        cleave_network_builder_cut (builder);
      cleave_network_builder_project (builder, out_channels, choice->groups);
      if (same_shape && !compresses)
        cleave_network_builder_add (builder, input);
    }
  else if (same_shape)
    cleave_network_builder_identity (builder);
  else
    cleave_network_builder_conv_norm_relu (builder, out_channels, 1, stride);
  if (cut && !compresses)
    cleave_network_builder_cut (builder);
}

CleaveNetwork *
fbnet_family_build (CleaveSpace *space, const FbnetChoice *choices, CleaveCandidate *candidate, GError **error)
{
  FbnetFamily *self = (FbnetFamily *)space;
  const MacroArchitecture *macro = g_strcmp0 (self->macro_architecture, "imagenet") == 0 ? &imagenet : &cifar;
  const guint classes = self->classes > 0           ? self->classes
                        : self->dataset_classes > 0 ? self->dataset_classes
                                                    : macro->classes;
  const guint split = cleave_candidate_get_split (candidate);
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (3, macro->image_size, macro->image_size);

  cleave_network_builder_block (builder, "stem", NULL);
  cleave_network_builder_conv_norm_relu (builder, stem_channels, 3, macro->stem_stride);
  if (split == 0)
    cleave_network_builder_cut (builder);
  for (guint stage = 0, block = 0; stage < N_STAGES; stage++)
    for (guint i = 0; i < stage_blocks[stage]; i++, block++)
      {
        const FbnetChoice *choice = &choices[cleave_candidate_get (candidate, block)];
        g_autofree char *name = g_strdup_printf ("cells.%u", block);
        cleave_network_builder_block (builder, name, choice->name);
        build_block (builder, choice, stage_channels[stage], i == 0 ? macro->strides[stage] : 1, split == block + 1);
      }
  cleave_network_builder_block (builder, "header", NULL);
  cleave_network_builder_conv_norm_relu (builder, macro->header_channels, 1, 1);
  cleave_network_builder_block (builder, "avgpool", NULL);
  cleave_network_builder_pool (builder);
  cleave_network_builder_block (builder, "fc", NULL);
  cleave_network_builder_linear (builder, NULL, classes);
  return cleave_network_builder_build (builder, error);
}

gboolean
fbnet_family_set_dataset (CleaveSpace *space, const CleaveDatasetInfo *info, GError **error)
{
  ((FbnetFamily *)space)->dataset_classes = info != NULL ? info->n_classes : 0;
  return TRUE;
}
