/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What other code can link with: the functions of <cleave/cleave.h> alone, and of a plugin its registration. */
#include "cleave-host.h"
#include "test.h"
#include <string.h>

/* The symbols that LIBRARY defines for others. */
static GPtrArray *
list_exported (const char *library)
{
  const char *const argv[] = { "nm", "--dynamic", "--defined-only", "--format=posix", library, NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL;
  g_auto (GStrv) lines = NULL;
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  int status = -1;

  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, &status, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_INT (status, 0);
  lines = g_strsplit (out != NULL ? out : "", "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      g_ptr_array_add (names, g_strndup (lines[i], strcspn (lines[i], " ")));
  return names;
}

/* The symbols of tests/api/exported-symbols.txt, in its order. */
static GPtrArray *
list_expected (void)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  EXPECT_TRUE (g_file_get_contents (TEST_SOURCE_ROOT "/tests/api/exported-symbols.txt", &text, NULL, NULL));
  lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      g_ptr_array_add (names, g_strdup (lines[i]));
  return names;
}

static gboolean
has (GPtrArray *names, const char *name)
{
  return g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL);
}

/* Every public header, one after another. */
static char *
read_headers (void)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GDir) folder = g_dir_open (TEST_SOURCE_ROOT "/core/api/cleave", 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = g_build_filename (TEST_SOURCE_ROOT, "core", "api", "cleave", name, NULL);
      g_autofree char *header = NULL;

      EXPECT_TRUE (g_file_get_contents (path, &header, NULL, NULL));
      g_string_append (text, header);
    }
  return g_string_free (text, FALSE);
}

/* The first group of every place in TEXT that PATTERN matches. */
static GPtrArray *
list_matches (const char *pattern, const char *text)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  for (g_regex_match (regex, text, 0, &match); g_match_info_matches (match); g_match_info_next (match, NULL))
    g_ptr_array_add (names, g_match_info_fetch (match, 1));
  return names;
}

TEST (Symbols, the_library_exports_what_the_list_has)
{
  g_autofree char *folder = g_path_get_dirname (test_cleave_path ());
  g_autofree char *library = g_build_filename (folder, "..", "..", "plugins", "libcleave-1.0.so", NULL);
  g_autoptr (GPtrArray) exported = list_exported (library);
  g_autoptr (GPtrArray) expected = list_expected ();

  for (guint i = 0; i < exported->len; i++)
    {
      const char *name = g_ptr_array_index (exported, i);

      test_check (has (expected, name), __FILE__, __LINE__, "%s is exported but not in exported-symbols.txt", name);
    }
  for (guint i = 0; i < expected->len; i++)
    {
      const char *name = g_ptr_array_index (expected, i);

      test_check (has (exported, name), __FILE__, __LINE__, "%s is in exported-symbols.txt but not exported", name);
      EXPECT_TRUE (i == 0 || strcmp (g_ptr_array_index (expected, i - 1), name) < 0);
    }
}

TEST (Symbols, the_public_headers_declare_what_the_list_has)
{
  g_autofree char *headers = read_headers ();
  g_autoptr (GPtrArray) expected = list_expected ();
  g_autoptr (GPtrArray) named = list_matches ("\\b(cleave_\\w+) \\(", headers);
  g_autoptr (GPtrArray) exported = list_matches ("CLEAVE_EXPORT[^(;]*\\b(cleave_\\w+) \\(", headers);

  for (guint i = 0; i < expected->len; i++)
    {
      const char *name = g_ptr_array_index (expected, i);

      test_check (has (named, name), __FILE__, __LINE__, "no header declares %s", name);
    }
  EXPECT_TRUE (exported->len > 100);
  for (guint i = 0; i < exported->len; i++)
    {
      const char *name = g_ptr_array_index (exported, i);

      test_check (has (expected, name), __FILE__, __LINE__, "%s is declared but not in exported-symbols.txt", name);
    }
}

TEST (Symbols, a_plugin_exports_its_registration_alone)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autoptr (GPtrArray) plugins = NULL;

  REQUIRE_NO_ERROR (error);
  plugins = cleave_host_list (host);
  EXPECT_TRUE (plugins->len > 10);
  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = g_ptr_array_index (plugins, i);
      g_autofree char *file = g_strdup_printf ("lib%s.so", plugin->name);
      g_autofree char *module = g_build_filename (plugin->folder, file, NULL);
      g_autoptr (GPtrArray) exported = NULL;

      if (!g_str_equal (plugin->loader, "c"))
        continue;
      exported = list_exported (module);
      for (guint j = 0; j < exported->len; j++)
        EXPECT_STRING (g_ptr_array_index (exported, j), "peas_register_types");
      EXPECT_INT (exported->len, 1);
    }
}
