/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"
#include <glib/gstdio.h>
#include <math.h>

TEST (Shim, TemporaryFoldersAreNewAndEmpty)
{
  const char *first = test_temporary_folder ();
  const char *second = test_temporary_folder ();
  g_autoptr (GDir) folder = g_dir_open (first, 0, NULL);

  EXPECT_TRUE (g_strcmp0 (first, second) != 0);
  REQUIRE (folder != NULL);
  EXPECT_TRUE (g_dir_read_name (folder) == NULL);
}

TEST (Shim, EnvironmentHasNoSettings)
{
  g_auto (GStrv) names = g_listenv ();

  for (char **name = names; *name != NULL; name++)
    if (!g_str_equal (*name, "CLEAVE_GOLDEN_DIR") && !g_str_equal (*name, "CLEAVE_DATA_DIR")
        && !g_str_equal (*name, "CLEAVE_CPU"))
      EXPECT_TRUE (!g_str_has_prefix (*name, "CLEAVE_"));
  /* The same test run again, as --gtest_repeat does, must not see it. */
  g_setenv ("CLEAVE_LEFT_BEHIND", "1", TRUE);
}

TEST (Shim, ExpectedWarningsAreTakenInAnyOrder)
{
  EXPECT_WARNING ("second");
  EXPECT_WARNING ("first");
  g_warning ("the first");
  g_critical ("the second");
}

TEST (Shim, ErrorsAreCleared)
{
  GError *error = NULL;

  cleave_error_set_literal (&error, CLEAVE_ERROR_DATA, "line 3: too short");
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "too short");
  EXPECT_NO_ERROR (error);
}

TEST (Shim, EqualInfinitiesAreNear)
{
  EXPECT_NEAR (INFINITY, INFINITY, 0);
  EXPECT_RELATIVE (1.0 + 1e-9, 1.0, 2e-9);
}
