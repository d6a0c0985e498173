/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"
#include "shim.h"
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

static GPtrArray *temporary_folders; /* char *, of the running test */

/* TEST_SOURCE_ROOT comes from tests/meson.build. */
static const char *
find_folder (const char *variable, const char *beside)
{
  const char *given = g_getenv (variable);

  /* A folder that was named but is not there should fail tests, not skip them. */
  if (given != NULL)
    return given;
  return g_file_test (beside, G_FILE_TEST_IS_DIR) ? beside : NULL;
}

const char *
test_golden_folder (void)
{
  return find_folder ("CLEAVE_GOLDEN_DIR", TEST_SOURCE_ROOT "/../shared/golden");
}

const char *
test_data_folder (void)
{
  return find_folder ("CLEAVE_DATA_DIR", TEST_SOURCE_ROOT "/../shared/data");
}

char *
test_fixture (const char *name)
{
  return g_build_filename (TEST_SOURCE_ROOT, "tests", "fixtures", name, NULL);
}

const char *
test_temporary_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("cleave-test-XXXXXX", &error);

  if (folder == NULL)
    g_error ("tests need a folder for temporary files: %s", error->message);
  if (temporary_folders == NULL)
    temporary_folders = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (temporary_folders, folder);
  return folder;
}

/* Links are removed, never followed; folders that a test made unwritable are opened up first. */
static void
remove_tree (const char *path)
{
  GStatBuf status;

  if (g_lstat (path, &status) != 0)
    return;
  if (!S_ISDIR (status.st_mode))
    {
      g_unlink (path);
      return;
    }
  g_chmod (path, 0700);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;
  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);
      remove_tree (child);
    }
  g_rmdir (path);
}

void
shim_remove_folders (void)
{
  if (temporary_folders == NULL)
    return;
  for (guint i = 0; i < temporary_folders->len; i++)
    remove_tree (g_ptr_array_index (temporary_folders, i));
  g_clear_pointer (&temporary_folders, g_ptr_array_unref);
}

const char *
test_cleave_path (void)
{
  static char *path;

  if (path == NULL)
    {
      g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
      g_autofree char *folder = g_path_get_dirname (self != NULL ? self : ".");
      path = g_build_filename (folder, "..", "core", "cli", "cleave", NULL);
    }
  return path;
}

int
test_run_cleave (char **out, char **err, const char *first_argument, ...)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *printed = NULL;
  g_autofree char *complained = NULL;
  int status = 0;

  g_ptr_array_add (argv, (gpointer)test_cleave_path ());
  va_list arguments;
  va_start (arguments, first_argument);
  for (const char *argument = first_argument; argument != NULL; argument = va_arg (arguments, const char *))
    g_ptr_array_add (argv, (gpointer)argument);
  va_end (arguments);
  g_ptr_array_add (argv, NULL);

  gboolean ran = g_spawn_sync (NULL, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &printed, &complained,
                               &status, &error);
  test_check (ran, __FILE__, __LINE__, "the cleave command can't be run: %s", ran ? "" : error->message);
  if (out != NULL)
    *out = ran ? g_steal_pointer (&printed) : g_strdup ("");
  if (err != NULL)
    *err = ran ? g_steal_pointer (&complained) : g_strdup ("");
  if (!ran)
    return -1;
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}
