/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The code in plugins/README.md is what new-plugin writes. */

#include "test.h"

#include <string.h>

static void
expect_shown (const char *guide, const char *folder, const char *file)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_autofree char *text = NULL;
  g_autofree char *block = NULL;

  REQUIRE (g_file_get_contents (path, &text, NULL, NULL));
  block = g_strdup_printf ("\n%s```\n", text);
  test_check (strstr (guide, block) != NULL, __FILE__, __LINE__, "plugins/README.md does not show %s as it is:\n%s",
              file, text);
}

TEST (Guide, ShowsTheTemplates)
{
  g_autofree char *guide = NULL;
  g_autofree char *c = g_build_filename (test_temporary_folder (), "c", NULL);
  g_autofree char *python = g_build_filename (test_temporary_folder (), "python", NULL);

  REQUIRE (g_file_get_contents (TEST_SOURCE_ROOT "/plugins/README.md", &guide, NULL, NULL));
  EXPECT_INT (test_run_cleave (NULL, NULL, "new-plugin", "--kind", "channel", "my-link", c, NULL), 0);
  expect_shown (guide, c, "my-link.plugin");
  expect_shown (guide, c, "my-link.c");
  expect_shown (guide, c, "test.c");
  expect_shown (guide, c, "meson.build");
  EXPECT_INT (
      test_run_cleave (NULL, NULL, "new-plugin", "--kind", "channel", "--language", "python", "my-link", python, NULL),
      0);
  expect_shown (guide, python, "my-link.py");
}
