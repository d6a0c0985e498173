/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The components that a run is made of. */

#include "cleave-config.h"

typedef struct
{
  const char *section;
  CleaveKind kind;
  gsize offset; /* in CleaveComponents */
} Slot;

static const Slot slots[] = {
  { "dataset", CLEAVE_KIND_DATASET, G_STRUCT_OFFSET (CleaveComponents, dataset) },
  { "space", CLEAVE_KIND_SPACE, G_STRUCT_OFFSET (CleaveComponents, space) },
  { "device", CLEAVE_KIND_ORACLE, G_STRUCT_OFFSET (CleaveComponents, device) },
  { "server", CLEAVE_KIND_ORACLE, G_STRUCT_OFFSET (CleaveComponents, server) },
  { "channel", CLEAVE_KIND_CHANNEL, G_STRUCT_OFFSET (CleaveComponents, channel) },
  { "optimizer", CLEAVE_KIND_OPTIMIZER, G_STRUCT_OFFSET (CleaveComponents, optimizer) },
};

CleaveComponents *
cleave_components_new (CleaveHost *host, CleaveConfig *config, GError **error)
{
  g_autoptr (CleaveComponents) self = g_new0 (CleaveComponents, 1);
  g_autoptr (CleaveDatasetInfo) info = NULL;

  g_return_val_if_fail (CLEAVE_IS_HOST (host) && CLEAVE_IS_CONFIG (config), NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (slots); i++)
    {
      GObject *component = cleave_config_create (config, slots[i].section, host, slots[i].kind, error);

      if (component == NULL)
        return NULL;
      G_STRUCT_MEMBER (GObject *, self, slots[i].offset) = component;
    }
  info = cleave_dataset_get_info (CLEAVE_DATASET (self->dataset), error);
  if (info == NULL)
    {
      g_prefix_error (error, "[dataset] ");
      return NULL;
    }
  cleave_space_set_classes (CLEAVE_SPACE (self->space), info->n_classes);
  return g_steal_pointer (&self);
}

void
cleave_components_free (CleaveComponents *self)
{
  g_return_if_fail (self != NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (slots); i++)
    g_clear_object (&G_STRUCT_MEMBER (GObject *, self, slots[i].offset));
  g_free (self);
}

void
cleave_components_append_resolved (CleaveComponents *self, CleaveConfig *config, GString *text)
{
  g_return_if_fail (self != NULL && CLEAVE_IS_CONFIG (config) && text != NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (slots); i++)
    {
      g_autofree char *plugin = cleave_config_get (config, slots[i].section, "plugin");

      cleave_config_append_resolved (text, slots[i].section, plugin,
                                     G_STRUCT_MEMBER (GObject *, self, slots[i].offset));
    }
}
