/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a config's sections to objects with parameters, and back. */

#include "cleave-config-private.h"

static const CleaveParameter *
find_parameter (GPtrArray *parameters, const char *name)
{
  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);

      if (g_str_equal (parameter->name, name))
        return parameter;
    }
  return NULL;
}

/* The plugin of this kind, other than OWN, that has the parameter; NULL if none has. */
static const char *
find_owner (CleaveHost *host, CleaveKind kind, const char *own, const char *key)
{
  g_autoptr (GPtrArray) plugins = cleave_host_list (host);

  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = g_ptr_array_index (plugins, i);
      g_autoptr (GObject) component = NULL;
      g_autoptr (GPtrArray) parameters = NULL;

      if (plugin->kind != kind || g_strcmp0 (plugin->name, own) == 0)
        continue;
      /* One that can't be made has no parameters to offer; it is reported where it is asked for. */
      component = cleave_host_create (host, kind, plugin->name, NULL);
      if (component == NULL)
        continue;
      parameters = cleave_parameter_list (component);
      if (find_parameter (parameters, key) != NULL)
        return plugin->name;
    }
  return NULL;
}

static void
warn_once (CleaveConfig *self, const char *message)
{
  if (g_hash_table_add (self->warned, g_strdup (message)))
    g_printerr ("cleave: warning: %s\n", message);
}

/* A key that the object lacks: an error, unless it is another plugin's. */
static gboolean
handle_unknown_key (CleaveConfig *self, const char *section, const char *key, GPtrArray *parameters, CleaveHost *host,
                    CleaveKind kind, GError **error)
{
  g_autofree char *place = cleave_config_describe_place (self, section, key);
  g_autofree char *own = host != NULL ? cleave_config_get (self, section, "plugin") : NULL;
  const char *owner = host != NULL ? find_owner (host, kind, own, key) : NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *whose = own != NULL ? g_strdup_printf ("parameter of %s", own) : g_strdup ("key");
  const char *suggestion;

  if (owner != NULL)
    {
      g_autofree char *message = g_strdup_printf ("%s %s: ignored: a parameter of %s, not of %s", place, key, owner,
                                                  own != NULL ? own : "this component");

      warn_once (self, message);
      return TRUE;
    }
  for (guint i = 0; i < parameters->len; i++)
    g_ptr_array_add (names, (gpointer)((const CleaveParameter *)g_ptr_array_index (parameters, i))->name);
  g_ptr_array_add (names, NULL);
  suggestion = cleave_suggest (key, (const char *const *)names->pdata);
  if (suggestion != NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s %s: no such %s; did you mean %s?", place, key, whose,
                 suggestion);
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s %s: no such %s", place, key, whose);
  return FALSE;
}

static gboolean
apply_value (CleaveConfig *self, const char *section, GObject *object, const CleaveParameter *parameter,
             const char *text, GError **error)
{
  g_autofree char *path = parameter->type == CLEAVE_PARAMETER_TYPE_PATH ? cleave_config_find_path (self, text) : NULL;

  if (!cleave_parameter_set_text (object, parameter, path != NULL ? path : text, error))
    {
      g_autofree char *place = cleave_config_describe_place (self, section, parameter->name);

      g_prefix_error (error, "%s ", place);
      return FALSE;
    }
  return TRUE;
}

gboolean
cleave_config_apply (CleaveConfig *self, const char *section, GObject *object, CleaveHost *host, CleaveKind kind,
                     GError **error)
{
  g_auto (GStrv) keys = NULL;
  g_autoptr (GPtrArray) parameters = NULL;

  g_return_val_if_fail (CLEAVE_IS_CONFIG (self) && section != NULL && G_IS_OBJECT (object), FALSE);

  keys = g_key_file_get_keys (self->keys, section, NULL, NULL);
  parameters = cleave_parameter_list (object);
  for (gsize i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      if ((host == NULL || !g_str_equal (keys[i], "plugin")) && find_parameter (parameters, keys[i]) == NULL
          && !handle_unknown_key (self, section, keys[i], parameters, host, kind, error))
        return FALSE;
    }
  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      g_autofree char *text = cleave_config_get (self, section, parameter->name);

      /* A default that is a path is looked up as well. */
      if (text == NULL && parameter->type == CLEAVE_PARAMETER_TYPE_PATH && *parameter->default_text != '\0')
        text = g_strdup (parameter->default_text);
      if (text != NULL && !apply_value (self, section, object, parameter, text, error))
        return FALSE;
    }
  return TRUE;
}

GObject *
cleave_config_create (CleaveConfig *self, const char *section, CleaveHost *host, CleaveKind kind, GError **error)
{
  g_autofree char *plugin = NULL;
  g_autofree char *place = NULL;
  g_autoptr (GObject) component = NULL;

  g_return_val_if_fail (CLEAVE_IS_CONFIG (self) && section != NULL && CLEAVE_IS_HOST (host), NULL);

  plugin = cleave_config_get (self, section, "plugin");
  place = cleave_config_describe_place (self, section, "plugin");
  if (plugin == NULL || *plugin == '\0')
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "%s plugin: missing, expected the name of a plugin of kind %s", place, cleave_kind_to_string (kind));
      return NULL;
    }
  component = cleave_host_create (host, kind, plugin, error);
  if (component == NULL)
    {
      g_prefix_error (error, "%s plugin = %s: ", place, plugin);
      return NULL;
    }
  if (!cleave_config_apply (self, section, component, host, kind, error))
    return NULL;
  return g_steal_pointer (&component);
}

void
cleave_config_append_resolved (GString *text, const char *section, const char *plugin, GObject *object)
{
  g_autoptr (GPtrArray) parameters = NULL;

  g_return_if_fail (text != NULL && section != NULL && G_IS_OBJECT (object));

  parameters = cleave_parameter_list (object);
  g_string_append_printf (text, "[%s]\n", section);
  if (plugin != NULL)
    g_string_append_printf (text, "plugin = %s\n", plugin);
  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      g_autofree char *value = cleave_parameter_get_text (object, parameter);

      g_string_append_printf (text, "%s = %s\n", parameter->name, value);
    }
}
