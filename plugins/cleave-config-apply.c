/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a config's sections to objects with parameters, and back. */

#include "cleave-config-private.h"

#include <string.h>

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

/* The parameter of this name that is a component, and so has a section of its own. */
static const CleaveParameter *
find_component (GPtrArray *parameters, const char *name)
{
  const CleaveParameter *parameter = find_parameter (parameters, name);

  return parameter != NULL && parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT ? parameter : NULL;
}

/* The plugin of this kind, other than OWN, with a parameter that FIND finds; NULL if none has. */
static const char *
find_owner (CleaveHost *host, CleaveKind kind, const char *own, const char *key,
            const CleaveParameter *(*find) (GPtrArray *parameters, const char *name))
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
      component = cleave_host_create_bare (host, kind, plugin->name, NULL);
      if (component == NULL)
        continue;
      parameters = cleave_parameter_list (component);
      if (find (parameters, key) != NULL)
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

/* What an object that a section describes is. */
typedef struct
{
  CleaveHost *host; /* nullable: the object is no component, and the rest has no meaning */
  CleaveKind kind;
  const char *plugin;
} Origin;

/* A key that the object lacks: an error, unless it is another plugin's. */
static gboolean
handle_unknown_key (CleaveConfig *self, const char *section, const char *key, GPtrArray *parameters,
                    const Origin *origin, GError **error)
{
  g_autofree char *place = cleave_config_describe_place (self, section, key);
  const char *own = origin->plugin;
  const char *owner = own != NULL ? find_owner (origin->host, origin->kind, own, key, find_parameter) : NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *whose = own != NULL ? g_strdup_printf ("parameter of %s", own) : g_strdup ("key");
  const char *suggestion;

  if (owner != NULL)
    {
      g_autofree char *message
          = g_strdup_printf ("%s %s: ignored: a parameter of %s, not of %s", place, key, owner, own);

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

/* A key must be one of the object's; "plugin" is the component's own, but of a nested one it stands a section higher.
 */
static gboolean
check_keys (CleaveConfig *self, const char *section, GPtrArray *parameters, const Origin *origin, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (self->keys, section, NULL, NULL);
  const char *dot = strrchr (section, '.');

  for (gsize i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      gboolean names_plugin = origin->plugin != NULL && g_str_equal (keys[i], "plugin");

      if (names_plugin && dot != NULL)
        {
          g_autofree char *place = cleave_config_describe_place (self, section, keys[i]);

          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s plugin: expected as %s in [%.*s]", place, dot + 1,
                       (int)(dot - section), section);
          return FALSE;
        }
      if (!names_plugin && find_parameter (parameters, keys[i]) == NULL
          && !handle_unknown_key (self, section, keys[i], parameters, origin, error))
        return FALSE;
    }
  return TRUE;
}

/* A section below must be that of a component which the object holds, or which one of another plugin holds. */
static gboolean
check_nested_sections (CleaveConfig *self, const char *section, GPtrArray *parameters, const Origin *origin,
                       GError **error)
{
  g_auto (GStrv) all = g_key_file_get_groups (self->keys, NULL);
  g_autofree char *prefix = g_strconcat (section, ".", NULL);
  g_autoptr (GPtrArray) known = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);

      if (parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT)
        g_ptr_array_add (known, g_strconcat (prefix, parameter->name, NULL));
    }
  g_ptr_array_add (known, NULL);
  for (gsize i = 0; all[i] != NULL; i++)
    {
      const char *rest = g_str_has_prefix (all[i], prefix) ? all[i] + strlen (prefix) : NULL;
      g_autofree char *name = rest != NULL ? g_strndup (rest, strcspn (rest, ".")) : NULL;
      const char *owner = NULL;
      g_autofree char *message = NULL;

      if (name == NULL || find_component (parameters, name) != NULL)
        continue;
      if (origin->plugin != NULL)
        owner = find_owner (origin->host, origin->kind, origin->plugin, name, find_component);
      if (owner == NULL)
        {
          cleave_config_set_section_error (self, all[i], (const char *const *)known->pdata, error);
          return FALSE;
        }
      message = g_strdup_printf ("%s: [%s]: ignored: %s is a component of %s, not of %s", self->label, all[i], name,
                                 owner, origin->plugin);
      warn_once (self, message);
    }
  return TRUE;
}

static GObject *create (CleaveConfig *self, const char *section, const char *key, const char *default_plugin,
                        const char *own_section, CleaveHost *host, CleaveKind kind, GError **error);

/* Makes the component that a parameter is. */
static gboolean
apply_component (CleaveConfig *self, const char *section, GObject *object, const CleaveParameter *parameter,
                 CleaveHost *host, GError **error)
{
  g_autofree char *own_section = g_strdup_printf ("%s.%s", section, parameter->name);
  g_autoptr (GObject) component = NULL;
  guint depth = 0;

  for (const char *c = own_section; *c != '\0'; c++)
    depth += *c == '.';
  if (depth > CLEAVE_MOST_NESTED)
    {
      g_autofree char *place = cleave_config_describe_place (self, section, parameter->name);

      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s %s: expected components nested at most %d deep", place,
                   parameter->name, CLEAVE_MOST_NESTED);
      return FALSE;
    }
  component = create (self, section, parameter->name, parameter->default_text, own_section, host,
                      cleave_kind_of_interface (parameter->interface), error);
  if (component == NULL)
    return FALSE;
  g_object_set (object, parameter->name, component, NULL);
  return TRUE;
}

static gboolean
apply (CleaveConfig *self, const char *section, GObject *object, const Origin *origin, GError **error)
{
  g_autoptr (GPtrArray) parameters = cleave_parameter_list (object);

  if (!check_keys (self, section, parameters, origin, error)
      || !check_nested_sections (self, section, parameters, origin, error))
    return FALSE;
  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      g_autofree char *text = NULL;

      if (parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT)
        {
          if (!apply_component (self, section, object, parameter, origin->host, error))
            return FALSE;
          continue;
        }
      text = cleave_config_get (self, section, parameter->name);
      /* A default that is a path is looked up as well. */
      if (text == NULL && parameter->type == CLEAVE_PARAMETER_TYPE_PATH && *parameter->default_text != '\0')
        text = g_strdup (parameter->default_text);
      if (text != NULL && !apply_value (self, section, object, parameter, text, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
cleave_config_apply (CleaveConfig *self, const char *section, GObject *object, GError **error)
{
  const Origin none = { 0 };

  g_return_val_if_fail (CLEAVE_IS_CONFIG (self) && section != NULL && G_IS_OBJECT (object), FALSE);

  return apply (self, section, object, &none, error);
}

/* The component of the plugin that KEY of SECTION names, else DEFAULT_PLUGIN (nullable), described by OWN_SECTION. */
static GObject *
create (CleaveConfig *self, const char *section, const char *key, const char *default_plugin, const char *own_section,
        CleaveHost *host, CleaveKind kind, GError **error)
{
  g_autofree char *given = cleave_config_get (self, section, key);
  g_autofree char *place = cleave_config_describe_place (self, section, key);
  const Origin origin = { host, kind, given != NULL ? given : default_plugin };
  g_autoptr (GObject) component = NULL;

  if (origin.plugin == NULL || *origin.plugin == '\0')
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s %s: missing, expected the name of a plugin of kind %s",
                   place, key, cleave_kind_to_string (kind));
      return NULL;
    }
  component = cleave_host_create_bare (host, kind, origin.plugin, error);
  if (component == NULL)
    {
      g_prefix_error (error, "%s %s = %s: ", place, key, origin.plugin);
      return NULL;
    }
  if (!apply (self, own_section, component, &origin, error))
    return NULL;
  return g_steal_pointer (&component);
}

GObject *
cleave_config_create (CleaveConfig *self, const char *section, CleaveHost *host, CleaveKind kind, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_CONFIG (self) && section != NULL && CLEAVE_IS_HOST (host), NULL);

  return create (self, section, "plugin", NULL, section, host, kind, error);
}

/* The value of a parameter as a config gives it. */
static char *
describe_value (GObject *object, const CleaveParameter *parameter)
{
  g_autoptr (GObject) component = NULL;

  if (parameter->type != CLEAVE_PARAMETER_TYPE_COMPONENT)
    return cleave_parameter_get_text (object, parameter);
  g_object_get (object, parameter->name, &component, NULL);
  return g_strdup (cleave_component_get_plugin (component));
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
      g_autofree char *value = describe_value (object, parameter);

      g_string_append_printf (text, "%s = %s\n", parameter->name, value);
    }
  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      g_autofree char *own_section = g_strdup_printf ("%s.%s", section, parameter->name);
      g_autoptr (GObject) component = NULL;

      if (parameter->type != CLEAVE_PARAMETER_TYPE_COMPONENT)
        continue;
      g_object_get (object, parameter->name, &component, NULL);
      cleave_config_append_resolved (text, own_section, NULL, component);
    }
}
