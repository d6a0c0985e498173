/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"

#include "cleave-config.h"
#include "cleave-locate.h"
#include "cleave-manifest.h"
#include "cleave-python.h"

#include <gmodule.h>
#include <libpeas/peas.h>
#include <string.h>

struct _CleaveHost
{
  GObject parent_instance;
  PeasEngine *engine;
  GPtrArray *plugins;  /* CleavePluginDescription, in the order found */
  GHashTable *by_name; /* name → the same; the first of a name hides the others */
};

G_DEFINE_FINAL_TYPE (CleaveHost, cleave_host, G_TYPE_OBJECT)

/* --- libpeas tells what went wrong by warnings alone: they are caught and become errors --- */

static const char *const caught_domains[] = { "libpeas", "Cleave", "GLib-GObject" };

typedef struct
{
  guint ids[G_N_ELEMENTS (caught_domains)];
  char *first; /* the first message is the cause, the others follow from it */
} Warnings;

static void
catch_warning (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  Warnings *warnings = data;

  if (warnings->first == NULL)
    warnings->first = g_strdup (message);
}

static void
warnings_catch (Warnings *warnings)
{
  for (gsize i = 0; i < G_N_ELEMENTS (caught_domains); i++)
    warnings->ids[i]
        = g_log_set_handler (caught_domains[i], G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL, catch_warning, warnings);
}

static void
warnings_release (Warnings *warnings)
{
  for (gsize i = 0; i < G_N_ELEMENTS (caught_domains); i++)
    g_log_remove_handler (caught_domains[i], warnings->ids[i]);
}

static void
warnings_clear (Warnings *warnings)
{
  g_free (warnings->first);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Warnings, warnings_clear)

/* --- kinds --- */

const char *
cleave_kind_to_string (CleaveKind kind)
{
  static const char *const names[CLEAVE_N_KINDS] = { "space", "oracle", "channel", "optimizer", "dataset" };

  g_return_val_if_fail (kind < CLEAVE_N_KINDS, NULL);

  return names[kind];
}

GType
cleave_kind_get_interface (CleaveKind kind)
{
  switch (kind)
    {
    case CLEAVE_KIND_SPACE:
      return CLEAVE_TYPE_SPACE;
    case CLEAVE_KIND_ORACLE:
      return CLEAVE_TYPE_ORACLE;
    case CLEAVE_KIND_CHANNEL:
      return CLEAVE_TYPE_CHANNEL;
    case CLEAVE_KIND_OPTIMIZER:
      return CLEAVE_TYPE_OPTIMIZER;
    case CLEAVE_KIND_DATASET:
      return CLEAVE_TYPE_DATASET;
    }
  g_return_val_if_reached (G_TYPE_INVALID);
}

CleaveKind
cleave_kind_of_interface (GType interface)
{
  CleaveKind kind = 0;

  while (kind < CLEAVE_N_KINDS && cleave_kind_get_interface (kind) != interface)
    kind++;
  return kind;
}

/* --- finding --- */

static void
cleave_host_finalize (GObject *object)
{
  CleaveHost *self = CLEAVE_HOST (object);

  g_clear_object (&self->engine);
  g_hash_table_unref (self->by_name);
  g_ptr_array_unref (self->plugins);
  G_OBJECT_CLASS (cleave_host_parent_class)->finalize (object);
}

static void
cleave_host_class_init (CleaveHostClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cleave_host_finalize;
}

static void
cleave_host_init (CleaveHost *self)
{
  self->engine = peas_engine_new ();
  self->plugins = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_plugin_description_free);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
}

static void
add_folder (CleaveHost *self, const char *folder)
{
  /* libpeas joins names to this path and compares it: one form for all. */
  g_autofree char *path = g_canonicalize_filename (folder, NULL);
  g_autoptr (GPtrArray) manifests = cleave_manifest_list (path);
  g_auto (Warnings) warnings = { 0 };

  for (guint i = 0; i < manifests->len; i++)
    {
      g_autoptr (CleavePluginDescription) plugin = cleave_manifest_read (g_ptr_array_index (manifests, i));

      if (g_hash_table_contains (self->by_name, plugin->name))
        continue;
      g_hash_table_insert (self->by_name, plugin->name, plugin);
      g_ptr_array_add (self->plugins, g_steal_pointer (&plugin));
    }
  /* Our own reading of the manifests has said better what is wrong with them. */
  warnings_catch (&warnings);
  peas_engine_add_search_path (self->engine, path, NULL);
  warnings_release (&warnings);
}

CleaveHost *
cleave_host_new (const char *const *plugin_paths, GError **error)
{
  g_autoptr (CleaveHost) self = NULL;
  const char *variable = g_getenv ("CLEAVE_PLUGIN_PATH");
  g_auto (GStrv) folders = g_strsplit (variable != NULL ? variable : "", ":", -1);
  g_autofree char *user = g_build_filename (g_get_user_data_dir (), "cleave", "plugins", NULL);
  g_autofree char *own = cleave_locate_plugins ();

  for (gsize i = 0; plugin_paths != NULL && plugin_paths[i] != NULL; i++)
    if (!g_file_test (plugin_paths[i], G_FILE_TEST_IS_DIR))
      {
        g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "plugin path %s: no such folder", plugin_paths[i]);
        return NULL;
      }

  self = g_object_new (CLEAVE_TYPE_HOST, NULL);
  for (gsize i = 0; plugin_paths != NULL && plugin_paths[i] != NULL; i++)
    add_folder (self, plugin_paths[i]);
  for (gsize i = 0; folders[i] != NULL; i++)
    if (*folders[i] != '\0')
      add_folder (self, folders[i]);
  add_folder (self, user);
  if (own != NULL)
    add_folder (self, own);
  return g_steal_pointer (&self);
}

static int
compare_plugins (gconstpointer a, gconstpointer b)
{
  const CleavePluginDescription *first = *(const CleavePluginDescription *const *)a;
  const CleavePluginDescription *second = *(const CleavePluginDescription *const *)b;

  if (first->kind != second->kind)
    return first->kind < second->kind ? -1 : 1;
  return strcmp (first->name, second->name);
}

static GPtrArray *
list_plugins (CleaveHost *self, gboolean broken)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < self->plugins->len; i++)
    {
      CleavePluginDescription *plugin = g_ptr_array_index (self->plugins, i);

      if ((plugin->problem != NULL) == broken)
        g_ptr_array_add (list, plugin);
    }
  g_ptr_array_sort (list, compare_plugins);
  return list;
}

GPtrArray *
cleave_host_list (CleaveHost *self)
{
  g_return_val_if_fail (CLEAVE_IS_HOST (self), NULL);

  return list_plugins (self, FALSE);
}

GPtrArray *
cleave_host_list_broken (CleaveHost *self)
{
  g_return_val_if_fail (CLEAVE_IS_HOST (self), NULL);

  return list_plugins (self, TRUE);
}

const CleavePluginDescription *
cleave_host_find (CleaveHost *self, const char *name)
{
  g_return_val_if_fail (CLEAVE_IS_HOST (self) && name != NULL, NULL);

  return g_hash_table_lookup (self->by_name, name);
}

/* --- making components --- */

static const char *
kind_article (CleaveKind kind)
{
  return kind == CLEAVE_KIND_ORACLE || kind == CLEAVE_KIND_OPTIMIZER ? "an" : "a";
}

static void
set_unknown_error (CleaveHost *self, CleaveKind kind, const char *name, GError **error)
{
  g_autoptr (GPtrArray) plugins = cleave_host_list (self);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *all = NULL;
  const char *suggestion;

  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = g_ptr_array_index (plugins, i);

      if (plugin->kind == kind)
        g_ptr_array_add (names, plugin->name);
    }
  g_ptr_array_add (names, NULL);
  suggestion = cleave_suggest (name, (const char *const *)names->pdata);
  all = g_strjoinv (", ", (char **)names->pdata);
  if (suggestion != NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "no such %s plugin as %s; did you mean %s?",
                 cleave_kind_to_string (kind), name, suggestion);
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "no such %s plugin as %s; there is: %s",
                 cleave_kind_to_string (kind), name, names->len > 1 ? all : "none");
}

/* Why a module of compiled code can't be loaded. libpeas tells the cause once in a process, so it is asked for again.
 */
static char *
diagnose_module (const CleavePluginDescription *plugin)
{
  g_autofree char *file = g_strdup_printf ("lib%s." G_MODULE_SUFFIX, plugin->name);
  g_autofree char *path = g_build_filename (plugin->folder, file, NULL);
  GModule *module = g_module_open (path, G_MODULE_BIND_LOCAL);
  gpointer symbol;
  char *cause;

  if (module == NULL)
    return g_strdup (g_module_error ());
  cause = g_module_symbol (module, "peas_register_types", &symbol) ? g_strdup ("libpeas refuses it")
                                                                   : g_strdup ("it has no peas_register_types");
  g_module_close (module);
  return cause;
}

/* What a plugin says it can't do without is loaded with it, so it is looked at before any code is. */
static gboolean
check_dependencies (CleaveHost *self, const CleavePluginDescription *plugin, guint depth, GError **error)
{
  for (char **name = plugin->dependencies; name != NULL && *name != NULL; name++)
    {
      const CleavePluginDescription *dependency = cleave_host_find (self, *name);

      if (dependency == NULL || dependency->problem != NULL || depth == CLEAVE_MOST_NESTED)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "plugin %s: it depends on the plugin %s: %s",
                       plugin->name, *name,
                       dependency == NULL            ? "there is none"
                       : dependency->problem != NULL ? dependency->problem
                                                     : "dependencies without end");
          return FALSE;
        }
      if (!check_dependencies (self, dependency, depth + 1, error))
        return FALSE;
    }
  return TRUE;
}

/* The plugin's libpeas record, its code loaded. */
static PeasPluginInfo *
load_plugin (CleaveHost *self, const CleavePluginDescription *plugin, Warnings *warnings, GError **error)
{
  PeasPluginInfo *info = peas_engine_get_plugin_info (self->engine, plugin->name);
  gboolean loaded;

  if (info == NULL || !g_str_equal (peas_plugin_info_get_module_dir (info), plugin->folder))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                   "plugin %s: libpeas does not take its manifest, or another manifest beside it has the same Module",
                   plugin->name);
      return NULL;
    }
  warnings_catch (warnings);
  loaded = peas_engine_load_plugin (self->engine, info);
  warnings_release (warnings);
  if (!loaded)
    {
      g_autofree char *cause = diagnose_module (plugin);

      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "plugin %s: its module can't be loaded: %s", plugin->name,
                   cause);
      return NULL;
    }
  if (!peas_engine_provides_extension (self->engine, info, cleave_kind_get_interface (plugin->kind)))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "plugin %s: its module registers no %s%s%s%s",
                   plugin->name, cleave_kind_to_string (plugin->kind), warnings->first != NULL ? " (" : "",
                   warnings->first != NULL ? warnings->first : "", warnings->first != NULL ? ")" : "");
      return NULL;
    }
  return info;
}

static GObject *
create_native (CleaveHost *self, const CleavePluginDescription *plugin, Warnings *warnings, GError **error)
{
  PeasPluginInfo *info = load_plugin (self, plugin, warnings, error);
  GObject *component;

  if (info == NULL)
    return NULL;
  warnings_catch (warnings);
  component = peas_engine_create_extension (self->engine, info, cleave_kind_get_interface (plugin->kind), NULL);
  warnings_release (warnings);
  if (component == NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "plugin %s: its component can't be made: %s", plugin->name,
                 warnings->first != NULL ? warnings->first : "unknown cause");
  return component;
}

static GObject *
create_python (CleaveHost *self, const CleavePluginDescription *plugin, Warnings *warnings, GError **error)
{
  GObject *component;

  warnings_catch (warnings);
  component = cleave_python_create (self->engine, plugin, error);
  warnings_release (warnings);
  if (component == NULL)
    g_prefix_error (error, "plugin ");
  return component;
}

/* What GObject or the parameters said against a component when it was made: kept with its type, whose class is made
 * only once in a process. */
static gboolean
check_declaration (const CleavePluginDescription *plugin, GObject *component, const char *warning, GError **error)
{
  GQuark quark = g_quark_from_static_string ("cleave-declaration-problem");
  GType type = G_OBJECT_TYPE (component);
  const char *problem;

  if (warning != NULL && g_type_get_qdata (type, quark) == NULL)
    g_type_set_qdata (type, quark, (gpointer)g_intern_string (warning));
  problem = g_type_get_qdata (type, quark);
  if (problem != NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "plugin %s: its component is declared wrong: %s",
                 plugin->name, problem);
  return problem == NULL;
}

static GQuark
plugin_quark (void)
{
  return g_quark_from_static_string ("cleave-component-plugin");
}

GObject *
cleave_host_create_bare (CleaveHost *self, CleaveKind kind, const char *name, GError **error)
{
  const CleavePluginDescription *plugin;
  g_auto (Warnings) warnings = { 0 };
  GObject *component;

  g_return_val_if_fail (CLEAVE_IS_HOST (self) && kind < CLEAVE_N_KINDS && name != NULL, NULL);

  plugin = cleave_host_find (self, name);
  if (plugin == NULL)
    {
      set_unknown_error (self, kind, name, error);
      return NULL;
    }
  if (plugin->problem != NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "plugin %s: %s: %s", name, plugin->manifest,
                   plugin->problem);
      return NULL;
    }
  if (plugin->kind != kind)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s is %s %s, expected %s %s", name,
                   kind_article (plugin->kind), cleave_kind_to_string (plugin->kind), kind_article (kind),
                   cleave_kind_to_string (kind));
      return NULL;
    }
  if (!check_dependencies (self, plugin, 0, error))
    return NULL;
  component = g_str_equal (plugin->loader, "python3") ? create_python (self, plugin, &warnings, error)
                                                      : create_native (self, plugin, &warnings, error);
  if (component == NULL)
    return NULL;
  if (!check_declaration (plugin, component, warnings.first, error))
    g_clear_object (&component);
  else
    g_object_set_qdata (component, plugin_quark (), (gpointer)g_intern_string (name));
  return component;
}

const char *
cleave_component_get_plugin (GObject *component)
{
  g_return_val_if_fail (G_IS_OBJECT (component), NULL);

  return g_object_get_qdata (component, plugin_quark ());
}

/* A component at depth DEPTH, those that it holds included. */
static GObject *
create_whole (CleaveHost *self, CleaveKind kind, const char *name, guint depth, GError **error)
{
  g_autoptr (GObject) component = cleave_host_create_bare (self, kind, name, error);
  g_autoptr (GPtrArray) parameters = component != NULL ? cleave_parameter_list (component) : NULL;

  for (guint i = 0; parameters != NULL && i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      CleaveKind part_kind = cleave_kind_of_interface (parameter->interface);
      g_autoptr (GObject) part = NULL;

      if (parameter->type != CLEAVE_PARAMETER_TYPE_COMPONENT)
        continue;
      if (depth == CLEAVE_MOST_NESTED)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "plugin %s: %s: components nested more than %d deep",
                       name, parameter->name, CLEAVE_MOST_NESTED);
          return NULL;
        }
      part = create_whole (self, part_kind, parameter->default_text, depth + 1, error);
      if (part == NULL)
        {
          if (depth == 0)
            g_prefix_error (error, "plugin %s: its default %s: ", name, parameter->name);
          return NULL;
        }
      g_object_set (component, parameter->name, part, NULL);
    }
  return g_steal_pointer (&component);
}

GObject *
cleave_host_create (CleaveHost *self, CleaveKind kind, const char *name, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_HOST (self) && kind < CLEAVE_N_KINDS && name != NULL, NULL);

  return create_whole (self, kind, name, 0, error);
}
