/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixtures.h"

#include <string.h>

/* The fixture NAME, asked for as KIND, fails with a message that contains TEXT and names it. */
static void
expect_broken (const char *name, CleaveKind kind, int code, const char *text)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) component = NULL;

  component = cleave_host_create (host, kind, name, &error);
  EXPECT_TRUE (component == NULL);
  REQUIRE (error != NULL);
  test_check (strstr (error->message, name) != NULL, __FILE__, __LINE__, "%s does not name %s", error->message, name);
  test_check (strchr (error->message, '\n') == NULL, __FILE__, __LINE__, "%s is more than a line", error->message);
  EXPECT_ERROR (error, code, text);
}

TEST (Host, NamesWhatIsBroken)
{
  expect_broken ("missing-module", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN, "its module can't be loaded");
  expect_broken ("no-symbol", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN, "peas_register_types");
  expect_broken ("undefined-symbol", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN, "function_that_is_nowhere");
  expect_broken ("wrong-api", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN,
                 "X-Cleave-API = 0.1: made for another version of Cleave, expected 1.0");
  expect_broken ("wrong-kind", CLEAVE_KIND_ORACLE, CLEAVE_ERROR_PLUGIN, "its module registers no oracle");
  expect_broken ("no-component", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN, "its module registers no channel");
  expect_broken ("taken-type", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN, "its module registers no channel");
  /* Twice: the class, which tells of it, is made only once. */
  for (int i = 0; i < 2; i++)
    expect_broken ("wrong-default", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN,
                   "its component is declared wrong: the default of delay, 0, is outside 1 to 10");
  expect_broken ("no-kind", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN, "[Plugin] X-Cleave-Kind: missing");
  expect_broken ("bad-kind", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN, "X-Cleave-Kind = chanel: expected space");
  expect_broken ("unknown-loader", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN, "Loader = cobol: expected C or python3");
  expect_broken ("garbage", CLEAVE_KIND_CHANNEL, CLEAVE_ERROR_PLUGIN, "garbage.plugin: the manifest can't be read");
}

/* The code of a plugin that another depends on would be loaded with it. */
TEST (Host, DependenciesAreLookedAtBeforeTheyAreLoaded)
{
  static const char manifest[] = "[Plugin]\nModule=%s\nName=dependent\nX-Cleave-Kind=channel\nX-Cleave-API=1.0\n"
                                 "Depends=%s\n";
  static const char *const cases[][3] = {
    { "dependent", "wrong-api",
      "plugin dependent: it depends on the plugin wrong-api: X-Cleave-API = 0.1: made for another version of Cleave" },
    { "dependent", "nowhere", "plugin dependent: it depends on the plugin nowhere: there is none" },
    { "circular", "circular", "plugin circular: it depends on the plugin circular: dependencies without end" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *folder = test_temporary_folder ();
      const char *const paths[] = { folder, fixture_plugins (), NULL };
      g_autofree char *text = g_strdup_printf (manifest, cases[i][0], cases[i][1]);
      g_autofree char *file = g_strconcat (cases[i][0], ".plugin", NULL);
      g_autofree char *path = fixture_write (folder, file, text);
      g_autoptr (GError) error = NULL;
      g_autoptr (CleaveHost) host = cleave_host_new (paths, &error);

      REQUIRE_NO_ERROR (error);
      EXPECT_TRUE (path != NULL);
      EXPECT_TRUE (cleave_host_create (host, CLEAVE_KIND_CHANNEL, cases[i][0], &error) == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, cases[i][2]);
    }
}

TEST (Host, BrokenNeighboursDoNoHarm)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (GPtrArray) broken = cleave_host_list_broken (host);
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) component = cleave_host_create (host, CLEAVE_KIND_CHANNEL, "sample", &error);
  double seconds;

  REQUIRE_NO_ERROR (error);
  /* 1000 elements of 32 bit at 8 Mbit/s: 4 ms. */
  seconds = cleave_channel_seconds (CLEAVE_CHANNEL (component), 1000, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_RELATIVE (seconds, 4e-3, 1e-15);
  /* Those that the manifest alone gives away: bad-kind, garbage, no-kind, unknown-loader, wrong-api. */
  EXPECT_INT (broken->len, 5);
}

TEST (Host, SuggestsAndTellsKinds)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_host_create (host, CLEAVE_KIND_CHANNEL, "smaple", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "no such channel plugin as smaple; did you mean sample?");
  EXPECT_TRUE (cleave_host_create (host, CLEAVE_KIND_CHANNEL, "carrier-pigeons", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "no such channel plugin as carrier-pigeons; there is: ");
  EXPECT_TRUE (cleave_host_create (host, CLEAVE_KIND_ORACLE, "sample", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "sample is a channel, expected an oracle");
}

TEST (Host, SeveralHostsShareTheTypes)
{
  g_autoptr (CleaveHost) first = fixture_host ();
  g_autoptr (CleaveHost) second = fixture_host ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) one = cleave_host_create (first, CLEAVE_KIND_CHANNEL, "sample", &error);
  g_autoptr (GObject) two = NULL;

  REQUIRE_NO_ERROR (error);
  two = cleave_host_create (second, CLEAVE_KIND_CHANNEL, "sample", &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (one != two);
  EXPECT_TRUE (G_OBJECT_TYPE (one) == G_OBJECT_TYPE (two));
  g_clear_object (&first);
  /* A component outlives its host. */
  EXPECT_RELATIVE (cleave_channel_seconds (CLEAVE_CHANNEL (one), 250, &error), 1e-3, 1e-15);
}

TEST (Host, EarlierFoldersHideLaterOnes)
{
  static const char manifest[] = "[Plugin]\nModule=sample\nName=mine\nDescription=Mine\nX-Cleave-Kind=channel\n"
                                 "X-Cleave-API=1.0\n";
  const char *folder = test_temporary_folder ();
  const char *const paths[] = { folder, fixture_plugins (), NULL };
  g_autofree char *path = fixture_write (folder, "sample.plugin", manifest);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (paths, &error);
  const CleavePluginDescription *plugin;

  REQUIRE_NO_ERROR (error);
  plugin = cleave_host_find (host, "sample");
  REQUIRE (plugin != NULL);
  EXPECT_STRING (plugin->description, "Mine");
  EXPECT_STRING (plugin->folder, folder);
  EXPECT_STRING (plugin->manifest, path);
  EXPECT_STRING (plugin->version, "");
  /* It hides the other wholly: there is no module beside this manifest. */
  EXPECT_TRUE (cleave_host_create (host, CLEAVE_KIND_CHANNEL, "sample", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "plugin sample: its module can't be loaded");
}

TEST (Host, LooksOneFolderDeep)
{
  static const char manifest[] = "[Plugin]\nModule=nested\nName=nested\nX-Cleave-Kind=channel\nX-Cleave-API=1.0\n";
  const char *folder = test_temporary_folder ();
  const char *const paths[] = { folder, NULL };
  g_autofree char *below = g_build_filename (folder, "nested", NULL);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = NULL;

  EXPECT_INT (g_mkdir_with_parents (below, 0700), 0);
  path = fixture_write (below, "nested.plugin", manifest);
  host = cleave_host_new (paths, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (cleave_host_find (host, "nested") != NULL);
}

TEST (Host, RefusesAFolderThatIsNotThere)
{
  const char *const paths[] = { "/nowhere/at/all", NULL };
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_host_new (paths, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "plugin path /nowhere/at/all: no such folder");
}
