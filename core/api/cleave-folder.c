/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-folder-private.h"
#include <cleave/cleave-error.h>

#include <string.h>
#include <sys/stat.h>

/* A folder named by mistake, such as a home, should fail soon and not be listed for minutes. */
#define MOST_FILES 100000

static gboolean
fail (const char *folder, const char *reason, GError **error)
{
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: can't be read: %s", folder, reason);
  return FALSE;
}

/* Adds the files of ROOT/SUBFOLDER to FILES, its folders to PENDING. */
static gboolean
list_one (const char *root, const char *subfolder, GHashTable *visited, GPtrArray *files, GPtrArray *pending,
          GError **error)
{
  g_autofree char *path = g_build_filename (root, subfolder, NULL);
  g_autoptr (GError) open_error = NULL;
  struct stat status;

  if (stat (path, &status) != 0) /* gone meanwhile */
    return TRUE;
  char *identity
      = g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64)status.st_dev, (guint64)status.st_ino);
  if (!g_hash_table_add (visited, identity))
    return TRUE;

  g_autoptr (GDir) directory = g_dir_open (path, 0, &open_error);
  if (directory == NULL)
    return fail (path, open_error->message, error);

  const char *name;
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *relative = *subfolder != '\0' ? g_build_filename (subfolder, name, NULL) : g_strdup (name);
      g_autofree char *full = g_build_filename (root, relative, NULL);
      if (stat (full, &status) != 0)
        continue; /* a dangling or looping link */
      if (S_ISDIR (status.st_mode))
        g_ptr_array_add (pending, g_steal_pointer (&relative));
      else if (S_ISREG (status.st_mode))
        g_ptr_array_add (files, g_steal_pointer (&relative));
      if (files->len + pending->len > MOST_FILES)
        return fail (root, "more than " G_STRINGIFY (MOST_FILES) " files", error);
    }
  return TRUE;
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
cleave_folder_list (const char *folder, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) pending = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) visited = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_ptr_array_add (pending, g_strdup (""));
  while (pending->len > 0)
    {
      g_autofree char *subfolder = g_ptr_array_steal_index (pending, pending->len - 1);
      if (!list_one (folder, subfolder, visited, files, pending, error))
        return NULL;
    }
  g_ptr_array_sort (files, compare_paths);
  return g_steal_pointer (&files);
}
