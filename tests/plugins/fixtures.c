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
