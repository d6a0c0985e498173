/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-locate.h"

#include <cleave/cleave.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

char *
cleave_locate_library (void)
{
  Dl_info info;
  char *path = NULL;
  g_autofree char *folder = NULL;

  /* One of libcleave's functions: this file is part of the command. */
  if (dladdr ((void *)cleave_plugin_register, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  path = realpath (info.dli_fname, NULL);
  if (path != NULL)
    folder = g_path_get_dirname (path);
  free (path);
  return g_steal_pointer (&folder);
}

static char *
folder_if_there (char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return path;
  g_free (path);
  return NULL;
}

/* Cleave's folder INSTALLED in an installation, or BUILT in a build tree, beside the library in both. */
static char *
locate_folder (const char *installed, const char *built)
{
  g_autofree char *library = cleave_locate_library ();
  char *folder;

  if (library == NULL)
    return NULL;
  folder = folder_if_there (g_build_filename (library, "cleave-1.0", installed, NULL));
  return folder != NULL ? folder : folder_if_there (g_build_filename (library, built, NULL));
}

char *
cleave_locate_plugins (void)
{
  return locate_folder ("plugins", "components");
}

char *
cleave_locate_python (void)
{
  return locate_folder ("python", "python");
}

char *
cleave_locate_typelib (void)
{
  g_autofree char *library = cleave_locate_library ();
  static const char *const places[] = { "girepository-1.0", "" };

  for (gsize i = 0; library != NULL && i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *folder = g_build_filename (library, places[i], NULL);
      g_autofree char *file = g_build_filename (folder, "Cleave-1.0.typelib", NULL);

      if (g_file_test (file, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&folder);
    }
  return NULL;
}

/* In the build tree the library's folder and data/ are neighbours; installed, CLEAVE_LIB_TO_EXPERIMENTS leads from the
 * library's folder by way of the prefix, as meson.build makes it of libdir and datadir. */
static char *
locate_experiments_folder (void)
{
  g_autofree char *library = cleave_locate_library ();
  static const char *const places[] = { CLEAVE_LIB_TO_EXPERIMENTS, "../data/experiments" };

  for (gsize i = 0; library != NULL && i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *path = g_build_filename (library, places[i], NULL);
      char *folder = folder_if_there (g_canonicalize_filename (path, NULL));

      if (folder != NULL)
        return folder;
    }
  return NULL;
}

char *
cleave_locate_experiment (const char *name)
{
  g_autofree char *folder = locate_experiments_folder ();
  g_autofree char *file = g_strconcat (name, ".ini", NULL);
  g_autofree char *path = NULL;

  if (folder == NULL || strchr (name, '/') != NULL)
    return NULL;
  path = g_build_filename (folder, file, NULL);
  return g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&path) : NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GStrv
cleave_locate_experiments (void)
{
  g_autofree char *folder = locate_experiments_folder ();
  g_autoptr (GDir) dir = folder != NULL ? g_dir_open (folder, 0, NULL) : NULL;
  GPtrArray *names = g_ptr_array_new ();
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (entry, ".ini"))
      g_ptr_array_add (names, g_strndup (entry, strlen (entry) - strlen (".ini")));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (GStrv)g_ptr_array_free (names, FALSE);
}
