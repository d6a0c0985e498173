/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* fbnet.c — FBNet's search space (Wu et al., CVPR 2019) in the macro-architectures of HW-NAS-Bench (Li et al.,
 * ICLR 2021), with the split point of NASC as one more variable: 0 cuts after the stem, k after block k. */

#include <cleave/cleave.h>

#define N_STAGES 7
#define N_BLOCKS 22

typedef struct
{
  GObject parent_instance;
  char *macro_architecture;
  guint classes;
  guint dataset_classes; /* 0: not known */
} Fbnet;

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

/* The order is the table's. An expansion of 0 marks the skip. */
static const struct
{
  const char *name;
  guint kernel, expansion, groups;
} choices[] = {
  { "k3_e1", 3, 1, 1 },    { "k3_e1_g2", 3, 1, 2 }, { "k3_e3", 3, 3, 1 }, { "k3_e6", 3, 6, 1 }, { "k5_e1", 5, 1, 1 },
  { "k5_e1_g2", 5, 1, 2 }, { "k5_e3", 5, 3, 1 },    { "k5_e6", 5, 6, 1 }, { "skip", 0, 0, 0 },
};

static GVariant *
fbnet_variables (CleaveSpace *space, GError **error)
{
  g_auto (GVariantBuilder) variables = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sas)"));

  for (guint block = 1; block <= N_BLOCKS; block++)
    {
      g_autofree char *name = g_strdup_printf ("block-%u", block);
      g_variant_builder_open (&variables, G_VARIANT_TYPE ("(sas)"));
      g_variant_builder_add (&variables, "s", name);
      g_variant_builder_open (&variables, G_VARIANT_TYPE ("as"));
      for (guint i = 0; i < G_N_ELEMENTS (choices); i++)
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

static void
build_block (CleaveNetworkBuilder *builder, guint choice, guint out_channels, guint stride)
{
  const gint input = cleave_network_builder_get_last_op (builder);
  const guint in_channels = cleave_network_builder_get_channels (builder);
  const gboolean same_shape = in_channels == out_channels && stride == 1;

  if (choices[choice].expansion > 0)
    {
      cleave_network_builder_expand_depthwise (builder, in_channels * choices[choice].expansion, choices[choice].kernel,
                                               stride, choices[choice].groups);
      cleave_network_builder_project (builder, out_channels, choices[choice].groups);
      if (same_shape)
        cleave_network_builder_add (builder, input);
    }
  else if (same_shape)
    cleave_network_builder_identity (builder);
  else
    cleave_network_builder_conv_norm_relu (builder, out_channels, 1, stride);
}

static CleaveNetwork *
fbnet_build (CleaveSpace *space, CleaveCandidate *candidate, GError **error)
{
  Fbnet *self = (Fbnet *)space;
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
        const guint choice = cleave_candidate_get (candidate, block);
        g_autofree char *name = g_strdup_printf ("cells.%u", block);
        cleave_network_builder_block (builder, name, choices[choice].name);
        build_block (builder, choice, stage_channels[stage], i == 0 ? macro->strides[stage] : 1);
        if (split == block + 1)
          cleave_network_builder_cut (builder);
      }
  cleave_network_builder_block (builder, "header", NULL);
  cleave_network_builder_conv_norm_relu (builder, macro->header_channels, 1, 1);
  cleave_network_builder_block (builder, "avgpool", NULL);
  cleave_network_builder_pool (builder);
  cleave_network_builder_block (builder, "fc", NULL);
  cleave_network_builder_linear (builder, NULL, classes);
  return cleave_network_builder_build (builder, error);
}

static void
fbnet_set_classes (CleaveSpace *space, guint n_classes)
{
  ((Fbnet *)space)->dataset_classes = n_classes;
}

CLEAVE_PLUGIN_BEGIN (Fbnet, fbnet, SPACE)
  CLEAVE_PARAMETER_CHOICE (macro_architecture, "cifar|imagenet", "cifar",
                           "Strides, widths and image size: 32×32 (cifar) or 224×224 (imagenet)")
  CLEAVE_PARAMETER (classes, UINT, "", 0, 65535, 0,
                    "Number of classes; 0 takes the data set's, or else 100 (cifar) or 1000 (imagenet)")
  CLEAVE_METHOD (variables, fbnet_variables)
  CLEAVE_METHOD (build, fbnet_build)
  CLEAVE_METHOD (set_classes, fbnet_set_classes)
CLEAVE_PLUGIN_END
