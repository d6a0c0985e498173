/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

/* What cleave_file_replace() calls the file that it is writing. */
#define LEFTOVER_PREFIX ".cleave-"

static gboolean
fail (const char *folder, const char *what, GError **error)
{
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: %s: %s", folder, what, g_strerror (errno));
  return FALSE;
}

gboolean
cleave_run_folder_make (const char *folder, GError **error)
{
  g_autoptr (GDir) listing = NULL;
  const char *name;

  if (g_mkdir_with_parents (folder, 0777) != 0)
    return fail (folder, "can't make this folder", error);
  listing = g_dir_open (folder, 0, error);
  if (listing == NULL)
    return FALSE;
  while ((name = g_dir_read_name (listing)) != NULL)
    if (!g_str_has_prefix (name, LEFTOVER_PREFIX))
      {
        g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                     "%s: the output folder is not empty (it holds %s); name another with --out, or go on with the run "
                     "in it by --resume",
                     folder, name);
        return FALSE;
      }
  if (g_access (folder, W_OK) != 0)
    return fail (folder, "can't write in this folder", error);
  return TRUE;
}

int
cleave_run_folder_lock (const char *folder, GError **error)
{
  int descriptor = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (descriptor < 0)
    {
      fail (folder, "can't open this folder", error);
      return -1;
    }
  /* Where the file system knows no locks, running without one beats not running. */
  if (flock (descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: another process is running in this folder", folder);
      close (descriptor);
      return -1;
    }
  return descriptor;
}

void
cleave_run_folder_remove_leftovers (const char *folder)
{
  g_autoptr (GDir) listing = g_dir_open (folder, 0, NULL);
  const char *name;

  while (listing != NULL && (name = g_dir_read_name (listing)) != NULL)
    if (g_str_has_prefix (name, LEFTOVER_PREFIX))
      {
        g_autofree char *path = g_build_filename (folder, name, NULL);

        g_unlink (path);
      }
}

/* Adds the keys of FIRST that SECOND lacks or, unless ONLY_MISSING, has otherwise. */
static void
list_differences (GString *differences, const char *name, GKeyFile *first, const char *other_name, GKeyFile *second,
                  gboolean only_missing)
{
  g_auto (GStrv) sections = g_key_file_get_groups (first, NULL);

  for (guint s = 0; sections[s] != NULL; s++)
    {
      g_auto (GStrv) keys = g_key_file_get_keys (first, sections[s], NULL, NULL);

      for (guint k = 0; keys != NULL && keys[k] != NULL; k++)
        {
          g_autofree char *value = g_key_file_get_value (first, sections[s], keys[k], NULL);
          g_autofree char *other = g_key_file_get_value (second, sections[s], keys[k], NULL);

          if (g_strcmp0 (value, other) == 0 || (only_missing && other != NULL))
            continue;
          g_string_append_printf (differences, "%s[%s] %s is %s in %s, ", differences->len > 0 ? "; " : "", sections[s],
                                  keys[k], value, name);
          if (other != NULL)
            g_string_append_printf (differences, "%s in %s", other, other_name);
          else
            g_string_append_printf (differences, "absent in %s", other_name);
        }
    }
}

gboolean
cleave_run_folder_compare_configs (const char *name, const char *text, const char *other_name, const char *other_text,
                                   GError **error)
{
  g_autoptr (GKeyFile) first = g_key_file_new ();
  g_autoptr (GKeyFile) second = g_key_file_new ();
  g_autoptr (GString) differences = g_string_new (NULL);

  if (!g_key_file_load_from_data (first, text, -1, G_KEY_FILE_NONE, NULL)
      || !g_key_file_load_from_data (second, other_text, -1, G_KEY_FILE_NONE, NULL))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s, or the config in %s, is no config", name, other_name);
      return FALSE;
    }
  list_differences (differences, name, first, other_name, second, FALSE);
  list_differences (differences, other_name, second, name, first, TRUE);
  if (differences->len == 0)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s is of another config than %s: %s", other_name, name,
               differences->str);
  return FALSE;
}
