/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A chain of convolutions of 3×3 or 5×5, cut after any of them. */
#include <cleave/cleave.h>

#define N_BLOCKS 3

static const char *const names[N_BLOCKS] = { "first", "second", "third" };
static const char *const kernels[] = { "3x3", "5x5" };

typedef struct
{
  GObject parent_instance;
  guint channels; /* the parameter that is declared below */
  CleaveDatasetInfo dataset;
} MyPlugin;

/* Each variable with its categories; the last is the split point. */
static GVariant *
my_plugin_variables (CleaveSpace *space, GError **error)
{
  return g_variant_new_parsed ("[('first', ['3x3', '5x5']), ('second', ['3x3', '5x5']), ('third', ['3x3', '5x5']), "
                               "('split', ['0', '1', '2'])]");
}

static gboolean
my_plugin_set_dataset (CleaveSpace *space, const CleaveDatasetInfo *info, GError **error)
{
  static const CleaveDatasetInfo usual = { .n_classes = 10, .channels = 3, .height = 32, .width = 32 };

  ((MyPlugin *)space)->dataset = info != NULL ? *info : usual;
  return TRUE;
}

static CleaveNetwork *
my_plugin_build (CleaveSpace *space, CleaveCandidate *candidate, GError **error)
{
  MyPlugin *self = (MyPlugin *)space;
  const CleaveDatasetInfo *info = &self->dataset;
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (info->channels, info->height, info->width);

  for (guint i = 0; i < N_BLOCKS; i++)
    {
      guint choice = cleave_candidate_get (candidate, i);

      cleave_network_builder_block (builder, names[i], kernels[choice]);
      cleave_network_builder_conv_norm_relu (builder, self->channels << i, 3 + 2 * choice, 2);
      if (cleave_candidate_get_split (candidate) == i)
        cleave_network_builder_cut (builder);
    }
  cleave_network_builder_block (builder, "pool", NULL);
  cleave_network_builder_pool (builder);
  cleave_network_builder_block (builder, "fc", NULL);
  cleave_network_builder_linear (builder, NULL, info->n_classes);
  return cleave_network_builder_build (builder, error);
}

CLEAVE_PLUGIN_BEGIN (MyPlugin, my_plugin, SPACE)
  CLEAVE_PARAMETER (channels, UINT, "", 1, 256, 16, "Channels behind the first convolution; each other doubles them")
  CLEAVE_METHOD (variables, my_plugin_variables)
  CLEAVE_METHOD (set_dataset, my_plugin_set_dataset)
  CLEAVE_METHOD (build, my_plugin_build)
CLEAVE_PLUGIN_END
