/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixtures.h"

const char *
fixture_plugins (void)
{
  static char *path;

  if (path == NULL)
    {
      g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
      g_autofree char *folder = g_path_get_dirname (self != NULL ? self : ".");

      path = g_build_filename (folder, "fixtures", "plugins", NULL);
    }
  return path;
}

CleaveHost *
fixture_host (void)
{
  const char *const paths[] = { fixture_plugins (), NULL };
  g_autoptr (GError) error = NULL;
  CleaveHost *host = cleave_host_new (paths, &error);

  EXPECT_NO_ERROR (error);
  return host;
}

char *
fixture_write (const char *folder, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  char *path = g_build_filename (folder, name, NULL);

  g_file_set_contents (path, text, -1, &error);
  EXPECT_NO_ERROR (error);
  return path;
}

char *
fixture_python_plugins (void)
{
  return g_build_filename (fixture_plugins (), "..", "python", NULL);
}

void
fixture_write_python (const char *folder, const char *name, const char *kind, const char *code)
{
  g_autofree char *manifest_name = g_strconcat (name, ".plugin", NULL);
  g_autofree char *module_name = g_strconcat (name, ".py", NULL);
  g_autofree char *manifest = g_strdup_printf ("[Plugin]\nModule=%s\nLoader=python3\nName=%s\nX-Cleave-Kind=%s\n"
                                               "X-Cleave-API=1.0\n",
                                               name, name, kind);
  g_autofree char *module = g_strconcat ("from gi.repository import Cleave, GLib, GObject\n", code, NULL);

  g_free (fixture_write (folder, manifest_name, manifest));
  g_free (fixture_write (folder, module_name, module));
}

gboolean
fixture_has_typelib (void)
{
  g_autofree char *path = g_build_filename (fixture_plugins (), "../../../plugins/Cleave-1.0.typelib", NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}
