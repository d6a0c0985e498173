/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-manifest.h"

#include <string.h>

void
cleave_plugin_description_free (CleavePluginDescription *self)
{
  g_free (self->name);
  g_free (self->description);
  g_free (self->version);
  g_strfreev (self->authors);
  g_strfreev (self->dependencies);
  g_free (self->not_additive);
  g_free (self->website);
  g_free (self->folder);
  g_free (self->manifest);
  g_free (self->loader);
  g_free (self->problem);
  g_free (self);
}

/* A key of the manifest; what is wrong with it, if it must be there, goes to PROBLEM unless that is set. */
static char *
read_key (GKeyFile *keys, const char *key, gboolean required, char **problem)
{
  g_autofree char *value = g_key_file_get_string (keys, "Plugin", key, NULL);

  if (value != NULL && *g_strstrip (value) != '\0')
    return g_steal_pointer (&value);
  if (required && *problem == NULL)
    *problem = g_strdup_printf ("[Plugin] %s: missing", key);
  return NULL;
}

static void
read_kind (CleavePluginDescription *self, GKeyFile *keys)
{
  g_autofree char *text = read_key (keys, "X-Cleave-Kind", TRUE, &self->problem);

  if (text == NULL)
    return;
  for (guint kind = 0; kind < CLEAVE_N_KINDS; kind++)
    if (g_str_equal (text, cleave_kind_to_string (kind)))
      {
        self->kind = kind;
        return;
      }
  if (self->problem == NULL)
    self->problem = g_strdup_printf ("X-Cleave-Kind = %s: expected space, oracle, channel, optimizer or dataset", text);
}

static void
read_api (CleavePluginDescription *self, GKeyFile *keys)
{
  g_autofree char *text = read_key (keys, "X-Cleave-API", TRUE, &self->problem);

  if (text != NULL && !g_str_equal (text, CLEAVE_API) && self->problem == NULL)
    self->problem
        = g_strdup_printf ("X-Cleave-API = %s: made for another version of Cleave, expected %s", text, CLEAVE_API);
}

static void
read_loader (CleavePluginDescription *self, GKeyFile *keys)
{
  g_autofree char *text = read_key (keys, "Loader", FALSE, &self->problem);

  self->loader = g_ascii_strdown (text != NULL ? text : "c", -1);
  if (!g_str_equal (self->loader, "c") && !g_str_equal (self->loader, "python3") && self->problem == NULL)
    self->problem = g_strdup_printf ("Loader = %s: expected C or python3", text);
}

CleavePluginDescription *
cleave_manifest_read (const char *path)
{
  g_autoptr (CleavePluginDescription) self = g_new0 (CleavePluginDescription, 1);
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *title = NULL;

  self->manifest = g_strdup (path);
  self->folder = g_path_get_dirname (path);
  if (!g_key_file_load_from_file (keys, path, G_KEY_FILE_NONE, &error))
    self->problem = g_strdup_printf ("the manifest can't be read: %s", error->message);
  else if (!g_key_file_has_group (keys, "Plugin"))
    self->problem = g_strdup ("the manifest has no section [Plugin]");

  self->name = read_key (keys, "Module", TRUE, &self->problem);
  title = read_key (keys, "Name", TRUE, &self->problem);
  self->description = read_key (keys, "Description", FALSE, &self->problem);
  self->version = read_key (keys, "Version", FALSE, &self->problem);
  self->authors = g_key_file_get_string_list (keys, "Plugin", "Authors", NULL, NULL);
  self->dependencies = g_key_file_get_string_list (keys, "Plugin", "Depends", NULL, NULL);
  self->not_additive = read_key (keys, "X-Cleave-Not-Additive", FALSE, &self->problem);
  self->website = read_key (keys, "Website", FALSE, &self->problem);
  read_loader (self, keys);
  read_api (self, keys);
  read_kind (self, keys);

  if (self->name == NULL)
    {
      self->name = g_path_get_basename (path);
      self->name[strlen (self->name) - strlen (".plugin")] = '\0';
    }
  if (self->description == NULL)
    self->description = g_strdup (title != NULL ? title : "");
  if (self->version == NULL)
    self->version = g_strdup ("");
  return g_steal_pointer (&self);
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
list_folder (GPtrArray *paths, const char *folder, guint depth)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, entry, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        {
          if (depth > 0)
            list_folder (paths, path, depth - 1);
        }
      else if (g_str_has_suffix (entry, ".plugin"))
        g_ptr_array_add (paths, g_steal_pointer (&path));
    }
}

GPtrArray *
cleave_manifest_list (const char *folder)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);

  list_folder (paths, folder, 1);
  g_ptr_array_sort (paths, compare_paths);
  return paths;
}
