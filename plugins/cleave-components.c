/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The components that a run is made of. */

#include "cleave-config-private.h"

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

/* What a component of a kind can't do without; offset is in its interface. */
typedef struct
{
  CleaveKind kind;
  const char *name;
  gsize offset;
} Method;

static const Method methods[] = {
  { CLEAVE_KIND_SPACE, "variables", G_STRUCT_OFFSET (CleaveSpaceInterface, variables) },
  { CLEAVE_KIND_SPACE, "build", G_STRUCT_OFFSET (CleaveSpaceInterface, build) },
  { CLEAVE_KIND_ORACLE, "estimate", G_STRUCT_OFFSET (CleaveOracleInterface, estimate) },
  { CLEAVE_KIND_CHANNEL, "bits", G_STRUCT_OFFSET (CleaveChannelInterface, bits) },
  { CLEAVE_KIND_CHANNEL, "seconds", G_STRUCT_OFFSET (CleaveChannelInterface, seconds) },
  { CLEAVE_KIND_CHANNEL, "draw_losses", G_STRUCT_OFFSET (CleaveChannelInterface, draw_losses) },
  { CLEAVE_KIND_OPTIMIZER, "start", G_STRUCT_OFFSET (CleaveOptimizerInterface, start) },
  { CLEAVE_KIND_OPTIMIZER, "ask", G_STRUCT_OFFSET (CleaveOptimizerInterface, ask) },
  { CLEAVE_KIND_OPTIMIZER, "tell", G_STRUCT_OFFSET (CleaveOptimizerInterface, tell) },
  { CLEAVE_KIND_OPTIMIZER, "recommend", G_STRUCT_OFFSET (CleaveOptimizerInterface, recommend) },
  { CLEAVE_KIND_OPTIMIZER, "save", G_STRUCT_OFFSET (CleaveOptimizerInterface, save) },
  { CLEAVE_KIND_OPTIMIZER, "load", G_STRUCT_OFFSET (CleaveOptimizerInterface, load) },
  { CLEAVE_KIND_DATASET, "info", G_STRUCT_OFFSET (CleaveDatasetInterface, info) },
  { CLEAVE_KIND_DATASET, "load", G_STRUCT_OFFSET (CleaveDatasetInterface, load) },
};

/* A method that is missing would else be found when it is first called, hours into a run. */
static gboolean
check_methods (CleaveConfig *config, const char *section, const char *key, CleaveKind kind, GObject *component,
               GError **error)
{
  gpointer interface = g_type_interface_peek (G_OBJECT_GET_CLASS (component), cleave_kind_get_interface (kind));

  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (methods[i].kind == kind && G_STRUCT_MEMBER (gpointer, interface, methods[i].offset) == NULL)
      {
        g_autofree char *place = cleave_config_describe_place (config, section, key);

        g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s %s = %s: the plugin has no method %s", place, key,
                     cleave_component_get_plugin (component), methods[i].name);
        return FALSE;
      }
  return TRUE;
}

/* The methods of the components that COMPONENT, described by SECTION, holds. */
static gboolean
check_held (CleaveConfig *config, const char *section, GObject *component, GError **error)
{
  g_autoptr (GPtrArray) parameters = cleave_parameter_list (component);

  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      CleaveKind kind = cleave_kind_of_interface (parameter->interface);
      g_autofree char *own_section = g_strdup_printf ("%s.%s", section, parameter->name);
      g_autoptr (GObject) held = NULL;

      if (parameter->type != CLEAVE_PARAMETER_TYPE_COMPONENT)
        continue;
      g_object_get (component, parameter->name, &held, NULL);
      if (!check_methods (config, section, parameter->name, kind, held, error)
          || !check_held (config, own_section, held, error))
        return FALSE;
    }
  return TRUE;
}

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
      if (!check_methods (config, slots[i].section, "plugin", slots[i].kind, component, error)
          || !check_held (config, slots[i].section, component, error))
        return NULL;
    }
  info = cleave_dataset_get_info (CLEAVE_DATASET (self->dataset), error);
  if (info == NULL)
    {
      g_prefix_error (error, "[dataset] ");
      return NULL;
    }
  if (!cleave_space_set_dataset (CLEAVE_SPACE (self->space), info, error))
    {
      g_prefix_error (error, "[space] ");
      return NULL;
    }
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
