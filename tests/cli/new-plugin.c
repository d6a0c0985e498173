/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The projects that cleave new-plugin writes, as text; tests/install/check builds and runs them. */

#include "test.h"

#include <string.h>

static const char *const kinds[] = { "space", "oracle", "channel", "optimizer", "dataset" };

static guint
count_lines (const char *text)
{
  guint n = 0;

  while ((text = strchr (text, '\n')) != NULL)
    {
      text++;
      n++;
    }
  return n;
}

/* The lines of a file of a project called two-words, in which nothing of the template's name may be left. */
static guint
check_file (const char *folder, const char *name)
{
  static const char *const left[] = { "my-plugin", "my_plugin", "MyPlugin", "My plugin", "SPDX" };
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;

  if (!EXPECT_TRUE (g_file_get_contents (path, &text, NULL, NULL)))
    return 0;
  for (gsize i = 0; i < G_N_ELEMENTS (left); i++)
    test_check (strstr (text, left[i]) == NULL && strstr (name, left[i]) == NULL, __FILE__, __LINE__, "%s holds %s",
                path, left[i]);
  return count_lines (text);
}

static guint
check_project (const char *folder)
{
  g_autoptr (GDir) listing = g_dir_open (folder, 0, NULL);
  const char *name;
  guint n_lines = 0;

  while (listing != NULL && (name = g_dir_read_name (listing)) != NULL)
    n_lines += check_file (folder, name);
  return n_lines;
}

static void
check_contents (const char *folder, const char *name, const char *part)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;

  EXPECT_TRUE (g_file_get_contents (path, &text, NULL, NULL));
  REQUIRE (text != NULL);
  test_check (strstr (text, part) != NULL, __FILE__, __LINE__, "%s has no %s", path, part);
}

TEST (NewPlugin, WritesASmallProjectOfEachKindInC)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *folder = g_build_filename (test_temporary_folder (), kinds[i], NULL);
      g_autofree char *kind_line = g_strdup_printf ("\nX-Cleave-Kind=%s\n", kinds[i]);

      EXPECT_INT (test_run_cleave (NULL, NULL, "new-plugin", "--kind", kinds[i], "two-words", folder, NULL), 0);
      guint n_lines = check_project (folder);
      test_check (n_lines > 50 && n_lines < 120, __FILE__, __LINE__, "%s: %u lines", kinds[i], n_lines);
      check_contents (folder, "two-words.plugin", "\nModule=two-words\nName=Two words\n");
      check_contents (folder, "two-words.plugin", kind_line);
      check_contents (folder, "two-words.c", "CLEAVE_PLUGIN_BEGIN (TwoWords, two_words, ");
      check_contents (folder, "test.c", "#include \"two-words.c\"\n");
      check_contents (folder, "meson.build", "shared_module('two-words', 'two-words.c',");
    }
}

TEST (NewPlugin, WritesASmallProjectOfEachKindInPython)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *folder = g_build_filename (test_temporary_folder (), kinds[i], NULL);
      g_autofree char *kind_line = g_strdup_printf ("\nX-Cleave-Kind=%s\n", kinds[i]);

      EXPECT_INT (test_run_cleave (NULL, NULL, "new-plugin", "--kind", kinds[i], "--language", "python", "two-words",
                                   folder, NULL),
                  0);
      guint n_lines = check_project (folder);
      test_check (n_lines > 20 && n_lines < 50, __FILE__, __LINE__, "%s: %u lines", kinds[i], n_lines);
      check_contents (folder, "two-words.plugin", "\nModule=two-words\nLoader=python3\nName=Two words\n");
      check_contents (folder, "two-words.plugin", kind_line);
      check_contents (folder, "two-words.py", "class TwoWords(GObject.Object, Cleave.");
      check_contents (folder, "test.py", "importlib.import_module(\"two-words\").TwoWords(");
    }
}

TEST (NewPlugin, TakesItsNameForTheFolder)
{
  g_autofree char *folder = g_build_filename (test_temporary_folder (), "link", NULL);
  g_autofree char *out = NULL;
  g_autofree char *expected = g_strdup_printf ("%s/link.c\n", folder);

  EXPECT_INT (test_run_cleave (&out, NULL, "new-plugin", "--kind", "channel", "link", folder, NULL), 0);
  test_check (strstr (out, expected) != NULL, __FILE__, __LINE__, "%s is not in:\n%s", expected, out);
  test_check (strstr (out, "--set channel.plugin=link --plugin-path build") != NULL, __FILE__, __LINE__, "%s", out);
}

static void
expect_refused (const char *kind, const char *language, const char *name, const char *folder, const char *message)
{
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (NULL, &err, "new-plugin", "--kind", kind, "--language", language, name, folder, NULL),
              2);
  test_check (strstr (err, message) != NULL, __FILE__, __LINE__, "%s is not in:\n%s", message, err);
}

TEST (NewPlugin, RefusesWhatCanNotBe)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *new_folder = g_build_filename (folder, "new", NULL);
  g_autofree char *file = g_build_filename (folder, "note", NULL);

  expect_refused ("oracel", "c", "link", new_folder, "--kind oracel: expected space, oracle, channel, optimizer or");
  expect_refused ("oracle", "rust", "link", new_folder, "--language rust: expected c or python");
  expect_refused ("oracle", "c", "My link", new_folder, "My link: expected a name of small letters and digits");
  expect_refused ("oracle", "c", "link-", new_folder, "link-: expected a name");
  expect_refused ("oracle", "c", "test", new_folder, "test: a name that the build, GLib or Cleave has");
  expect_refused ("oracle", "c", "cleave-channel", new_folder, "cleave-channel: a name that the build, GLib or");
  expect_refused ("oracle", "c", "g-object", new_folder, "g-object: a name that the build, GLib or Cleave has");
  expect_refused ("oracle", "c", "o2", new_folder, "o2: expected a name of small letters and digits, three or more");
  expect_refused ("oracle", "c", "asng", new_folder, "asng: there is a plugin of this name already: ");
  EXPECT_TRUE (!g_file_test (new_folder, G_FILE_TEST_EXISTS));
  EXPECT_TRUE (g_file_set_contents (file, "mine", -1, NULL));
  expect_refused ("oracle", "c", "link", folder, "this folder is not empty");
}
