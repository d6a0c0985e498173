/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixtures.h"

#include <string.h>

static const char *const known[] = { "dataset", "space", "channel", "pretrain", NULL };

static CleaveConfig *
load (const char *text)
{
  g_autoptr (GError) error = NULL;
  CleaveConfig *config = cleave_config_load_from_text (text, NULL, &error);

  EXPECT_NO_ERROR (error);
  return config;
}

/* Making [channel] of this text fails with this message. */
static void
expect_channel_error (const char *text, const char *message)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (CleaveConfig) config = load (text);
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) channel = cleave_config_create (config, "channel", host, CLEAVE_KIND_CHANNEL, &error);

  REQUIRE (channel == NULL && error != NULL);
  EXPECT_STRING (error->message, message);
}

TEST (Config, SyntaxErrorsNameFileAndLine)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *path = fixture_write (folder, "bad.ini", "# comment\n[run]\nseed = 1\n\nthis is nothing\n[x]\n");
  g_autofree char *expected = g_strdup_printf ("%s:5: expected [section], key = value or # comment", path);
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_config_load (path, &error) == NULL);
  REQUIRE (error != NULL);
  EXPECT_STRING (error->message, expected);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "");
  EXPECT_TRUE (cleave_config_load_from_text ("seed = 1\n", NULL, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "config:1: expected [section]");
  EXPECT_TRUE (cleave_config_load_from_text ("[run]\na = \xff\n", NULL, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "config:2: expected text in UTF-8");
}

TEST (Config, MissingFilesAreNamed)
{
  g_autoptr (GError) error = NULL;
  const char *folder = test_temporary_folder ();

  EXPECT_TRUE (cleave_config_load ("/nowhere/x.ini", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "/nowhere/x.ini: no such file or experiment");
  EXPECT_TRUE (cleave_config_load ("dmeo", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "dmeo: no such file or experiment; did you mean demo?");
  EXPECT_TRUE (cleave_config_load (folder, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "can't be read");
}

TEST (Config, ExperimentsAreFoundByName)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveConfig) config = cleave_config_load ("demo", &error);
  g_autofree char *dataset = NULL;

  REQUIRE_NO_ERROR (error);
  dataset = cleave_config_get (config, "dataset", "plugin");
  EXPECT_STRING (dataset, "synthetic");
}

TEST (Config, EmptyTextIsAConfig)
{
  g_autoptr (CleaveConfig) config = load ("");

  REQUIRE (config != NULL);
  EXPECT_TRUE (cleave_config_get (config, "run", "seed") == NULL);
}

TEST (Config, AssignmentsOverride)
{
  g_autoptr (CleaveConfig) config = load ("[channel]\nthroughput = 1\n");
  g_autoptr (GError) error = NULL;
  g_autofree char *throughput = NULL;
  g_autofree char *nested = NULL;

  EXPECT_TRUE (cleave_config_set (config, "channel.throughput = 2 = 2", &error));
  EXPECT_TRUE (cleave_config_set (config, "optimizer.search.alpha=1.5", &error));
  EXPECT_NO_ERROR (error);
  throughput = cleave_config_get (config, "channel", "throughput");
  nested = cleave_config_get (config, "optimizer.search", "alpha");
  EXPECT_STRING (throughput, "2 = 2");
  EXPECT_STRING (nested, "1.5");
}

TEST (Config, BadAssignmentsAreRefused)
{
  static const char *const bad[]
      = { "", "=", "a=1", ".b=1", "a.=1", "a.b", "a[.b=1", "a.b c=1", "a.b=1\n[x]", "a.b=\xff" };
  g_autoptr (CleaveConfig) config = load ("[a]\nb = 0\n");

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      EXPECT_TRUE (!cleave_config_set (config, bad[i], &error));
      EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "expected section.key=value");
    }
}

TEST (Config, UnknownSectionsGetASuggestion)
{
  g_autoptr (CleaveConfig) config = load ("[dataset]\n[chanel]\nx = 1\n");
  g_autoptr (CleaveConfig) odd = load ("[dataset]\n[unheard-of]\n");
  g_autoptr (CleaveConfig) set = load ("");
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (!cleave_config_check_sections (config, known, &error));
  REQUIRE (error != NULL);
  EXPECT_STRING (error->message, "config: [chanel]: no such section; did you mean [channel]?");
  g_clear_error (&error);
  EXPECT_TRUE (!cleave_config_check_sections (odd, known, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "config: [unheard-of]: no such section");
  EXPECT_TRUE (cleave_config_set (set, "pretran.epochs=1", &error));
  EXPECT_TRUE (!cleave_config_check_sections (set, known, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "--set: [pretran]: no such section; did you mean [pretrain]?");
}

TEST (Config, ErrorsNameFileSectionKeyValueAndWhatIsExpected)
{
  expect_channel_error ("[channel]\nplugin = sample\nthroughput = 8 kg\n",
                        "config: [channel] throughput = 8 kg: expected a number in bit/s, such as 30 bit/s");
  expect_channel_error ("[channel]\nplugin = sample\nwidth = 65\n",
                        "config: [channel] width = 65: expected 1 bit to 64 bit");
  expect_channel_error ("[channel]\nplugin = sample\nthrougput = 8\n",
                        "config: [channel] througput: no such parameter of sample; did you mean throughput?");
  expect_channel_error ("[channel]\nplugin = sample\nquality = 8\n",
                        "config: [channel] quality: no such parameter of sample");
  expect_channel_error ("[channel]\nplugin = smaple\n",
                        "config: [channel] plugin = smaple: no such channel plugin as smaple; did you mean sample?");
  expect_channel_error ("[space]\n",
                        "config: [channel] plugin: missing, expected the name of a plugin of kind channel");
}

TEST (Config, ErrorsOfAssignmentsSaySo)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (CleaveConfig) config = load ("[channel]\nplugin = sample\n");
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_config_set (config, "channel.mode=wimax", &error));
  EXPECT_TRUE (cleave_config_create (config, "channel", host, CLEAVE_KIND_CHANNEL, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "--set: [channel] mode = wimax: expected wifi or lora");
}

static GString *printed;

static void
keep_printed (const char *text)
{
  g_string_append (printed, text);
}

TEST (Config, KeysOfAnotherPluginAreIgnoredWithAWarning)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (CleaveConfig) config = load ("[channel]\nplugin = sample\nother-length = 9\nwidth = 8\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) first = NULL;
  g_autoptr (GObject) second = NULL;
  GPrintFunc before;
  guint width = 0;

  printed = g_string_new (NULL);
  before = g_set_printerr_handler (keep_printed);
  first = cleave_config_create (config, "channel", host, CLEAVE_KIND_CHANNEL, &error);
  second = cleave_config_create (config, "channel", host, CLEAVE_KIND_CHANNEL, &error);
  g_set_printerr_handler (before);
  EXPECT_NO_ERROR (error);
  EXPECT_STRING (printed->str, "cleave: warning: config: [channel] other-length: ignored: a parameter of other, not of "
                               "sample\n");
  g_string_free (printed, TRUE);
  REQUIRE (first != NULL);
  g_object_get (first, "width", &width, NULL);
  EXPECT_INT (width, 8);
}

/* The path that [channel] trace gets. */
static char *
resolve (const char *folder, const char *trace)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autofree char *text = g_strdup_printf ("[channel]\nplugin = sample\ntrace = %s\n", trace);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveConfig) config = cleave_config_load_from_text (text, folder, &error);
  g_autoptr (GObject) channel = cleave_config_create (config, "channel", host, CLEAVE_KIND_CHANNEL, &error);
  char *found = NULL;

  EXPECT_NO_ERROR (error);
  if (channel != NULL)
    g_object_get (channel, "trace", &found, NULL);
  return found;
}

TEST (Config, PathsAreLookedUpBesideTheConfigThenInTheDataFolder)
{
  const char *beside = test_temporary_folder ();
  const char *data = test_temporary_folder ();
  g_autofree char *variable = g_strdup (g_getenv ("CLEAVE_DATA_DIR"));
  g_autofree char *both = fixture_write (beside, "both.csv", "");
  g_autofree char *other = fixture_write (data, "both.csv", "");
  g_autofree char *only = fixture_write (data, "only.csv", "");
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *missing = NULL;
  g_autofree char *absolute = NULL;

  g_setenv ("CLEAVE_DATA_DIR", data, TRUE);
  first = resolve (beside, "both.csv");
  second = resolve (beside, "only.csv");
  missing = resolve (beside, "nowhere.csv");
  absolute = resolve (beside, other);
  if (variable != NULL)
    g_setenv ("CLEAVE_DATA_DIR", variable, TRUE);
  else
    g_unsetenv ("CLEAVE_DATA_DIR");
  EXPECT_STRING (first, both);
  EXPECT_STRING (second, only);
  EXPECT_STRING (missing, "nowhere.csv");
  EXPECT_STRING (absolute, other);
}

TEST (Config, ResolvedTextGivesTheSameObject)
{
  static const char text[] = "[channel]\nplugin = sample\nthroughput = 1.1 Mbit/s\nreliable = true\nrates = 0.25\n";
  static const char expected[] = "[channel]\nplugin = sample\nthroughput = 1100000 bit/s\nwidth = 32 bit\n"
                                 "reliable = true\nlabel = \ntrace = \nmode = wifi\nrates = 0.25\n";
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (CleaveConfig) config = load (text);
  g_autoptr (CleaveConfig) resolved = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) first = cleave_config_create (config, "channel", host, CLEAVE_KIND_CHANNEL, &error);
  g_autoptr (GObject) second = NULL;
  g_autoptr (GString) one = g_string_new (NULL);
  g_autoptr (GString) two = g_string_new (NULL);
  g_autofree char *label = NULL;

  REQUIRE_NO_ERROR (error);
  cleave_config_append_resolved (one, "channel", "sample", first);
  EXPECT_STRING (one->str, expected);
  resolved = load (one->str);
  second = cleave_config_create (resolved, "channel", host, CLEAVE_KIND_CHANNEL, &error);
  REQUIRE_NO_ERROR (error);
  cleave_config_append_resolved (two, "channel", "sample", second);
  EXPECT_STRING (two->str, one->str);
  g_object_get (second, "label", &label, NULL);
  EXPECT_TRUE (label == NULL);
}

TEST (Config, ComponentsNeedEverySection)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (CleaveConfig) config = load ("[channel]\nplugin = sample\n");
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_components_new (host, config, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "config: [dataset] plugin: missing");
}

TEST (Config, ComponentsNeedEveryMethod)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (CleaveConfig) config = load ("[dataset]\nplugin = synthetic\n[space]\nplugin = fbnet\n"
                                          "[device]\nplugin = flops\n[server]\nplugin = flops\n"
                                          "[channel]\nplugin = other\n[optimizer]\nplugin = asng\n");
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_components_new (host, config, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "config: [channel] plugin = other: the plugin has no method bits");
}

TEST (Suggest, FindsSlipsOfTheKeyboard)
{
  static const char *const words[] = { "alpha", "samples", "throughput", "drop-rate", NULL };

  EXPECT_STRING (cleave_suggest ("alhpa", words), "alpha");
  EXPECT_STRING (cleave_suggest ("sampels", words), "samples");
  EXPECT_STRING (cleave_suggest ("drop_rate", words), "drop-rate");
  EXPECT_STRING (cleave_suggest ("drop", words), "drop-rate");
  EXPECT_TRUE (cleave_suggest ("dr", words) == NULL);
  EXPECT_TRUE (cleave_suggest ("momentum", words) == NULL);
  EXPECT_TRUE (cleave_suggest ("", words) == NULL);
  EXPECT_TRUE (cleave_suggest ("x", words) == NULL);
}
