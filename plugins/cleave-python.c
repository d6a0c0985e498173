/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Python is started by libpeas's loader when it loads Cleave's own importer (python/cleave_importer.py), and that
 * imports the plugins. The importer is a GInitable, for PyGObject forwards what a method raises only as a GError. */

#include "cleave-python.h"

#include "cleave-locate.h"

#define IMPORTER "cleave_importer"

/* Variables that Python and GObject introspection read when they start. */
static const char *const variables[] = { "PYTHONPATH", "GI_TYPELIB_PATH", "PYTHONHOME", "PATH" };

/* After the user's own folders. */
static void
append_folder (const char *variable, const char *folder)
{
  const char *given = g_getenv (variable);
  g_autofree char *path = given != NULL && *given != '\0' ? g_strjoin (":", given, folder, NULL) : g_strdup (folder);

  g_setenv (variable, path, TRUE);
}

/* Starts Python with Cleave's folders. The loader has been built for one Python and its PyGObject: it finds their files
 * by itself, but where PYTHONHOME or PATH lead to another Python, the process would end, or lack PyGObject. Programs
 * started later get the user's variables as they were. */
static gboolean
load_importer (PeasEngine *engine, PeasPluginInfo *info, const char *python, const char *typelib, GError **error)
{
  char *given[G_N_ELEMENTS (variables)];

  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    given[i] = g_strdup (g_getenv (variables[i]));
  append_folder ("PYTHONPATH", python);
  append_folder ("GI_TYPELIB_PATH", typelib);
  g_unsetenv ("PYTHONHOME");
  g_unsetenv ("PATH");
  peas_engine_load_plugin (engine, info);
  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    {
      if (given[i] != NULL)
        g_setenv (variables[i], given[i], TRUE);
      else
        g_unsetenv (variables[i]);
      g_free (given[i]);
    }
  return peas_plugin_info_is_available (info, error);
}

/* The importer's libpeas record, Python started. */
static PeasPluginInfo *
find_importer (PeasEngine *engine, const CleavePluginDescription *plugin, GError **error)
{
  g_autofree char *python = cleave_locate_python ();
  g_autofree char *typelib = cleave_locate_typelib ();
  g_autoptr (GError) problem = NULL;
  PeasPluginInfo *info;

  if (python == NULL || typelib == NULL)
    {
      g_set_error (
          error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
          "%s: it is in Python, and this Cleave was built or installed without Cleave-1.0.typelib (see meson's "
          "option introspection)",
          plugin->name);
      return NULL;
    }
  info = peas_engine_get_plugin_info (engine, IMPORTER);
  if (info == NULL)
    {
      peas_engine_enable_loader (engine, "python3");
      peas_engine_add_search_path (engine, python, NULL);
      info = peas_engine_get_plugin_info (engine, IMPORTER);
    }
  if (info != NULL && (peas_plugin_info_is_loaded (info) || load_importer (engine, info, python, typelib, &problem)))
    return info;
  g_set_error (
      error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
      "%s: it is in Python, which can't be started; that needs libpeas's loader for python3, and PyGObject (in "
      "Debian python3-gi) for the Python that the loader was built for: %s",
      plugin->name, problem != NULL ? problem->message : "the importer is not found");
  return NULL;
}

GObject *
cleave_python_create (PeasEngine *engine, const CleavePluginDescription *plugin, GError **error)
{
  PeasPluginInfo *info = find_importer (engine, plugin, error);
  g_autoptr (GObject) importer = NULL;
  g_autoptr (GError) problem = NULL;
  GObject *component = NULL;

  if (info == NULL)
    return NULL;
  importer = (GObject *)peas_engine_create_extension (engine, info, G_TYPE_INITABLE, NULL);
  if (importer != NULL)
    {
      g_object_set (importer, "folder", plugin->folder, "plugin", plugin->name, "kind",
                    cleave_kind_to_string (plugin->kind), NULL);
      if (g_initable_init (G_INITABLE (importer), NULL, &problem))
        g_object_get (importer, "component", &component, NULL);
    }
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  else if (component == NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: Python gave no component", plugin->name);
  return component;
}
