/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parameters that are components: the fixture nest holds another channel, by default sample, and takes its time twice.
 * A thousand elements of 32 bit over sample's 8 Mbit/s take 4 ms. */

#include "fixtures.h"

static CleaveConfig *
load (const char *text)
{
  g_autoptr (GError) error = NULL;
  CleaveConfig *config = cleave_config_load_from_text (text, NULL, &error);

  EXPECT_NO_ERROR (error);
  return config;
}

static GObject *
create (const char *text, GError **error)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (CleaveConfig) config = load (text);

  return cleave_config_create (config, "channel", host, CLEAVE_KIND_CHANNEL, error);
}

/* A thousand elements take these seconds over [channel]. */
static void
expect_seconds (const char *text, double expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) channel = create (text, &error);

  REQUIRE_NO_ERROR (error);
  EXPECT_RELATIVE (cleave_channel_seconds (CLEAVE_CHANNEL (channel), 1000, &error), expected, 1e-15);
}

TEST (Nested, TheHostMakesTheDefault)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) channel = cleave_host_create (host, CLEAVE_KIND_CHANNEL, "nest", &error);
  GObject *inner = NULL;

  REQUIRE_NO_ERROR (error);
  EXPECT_STRING (cleave_component_get_plugin (channel), "nest");
  EXPECT_RELATIVE (cleave_channel_seconds (CLEAVE_CHANNEL (channel), 1000, &error), 2 * 4e-3, 1e-15);
  g_object_get (channel, "inner", &inner, NULL);
  REQUIRE (inner != NULL);
  EXPECT_STRING (cleave_component_get_plugin (inner), "sample");
  g_object_add_weak_pointer (inner, (gpointer *)&inner);
  g_object_unref (inner);
  g_clear_object (&channel);
  EXPECT_TRUE (inner == NULL);
}

TEST (Nested, ItsKeysAreInASectionOfItsOwn)
{
  expect_seconds ("[channel]\nplugin = nest\n", 2 * 4e-3);
  expect_seconds ("[channel]\nplugin = nest\n[channel.inner]\nthroughput = 16 Mbit/s\n", 2 * 2e-3);
  expect_seconds ("[channel.inner]\nwidth = 8\n[channel]\nplugin = nest\ninner = sample\ncopies = 1\n", 1e-3);
  expect_seconds ("[channel]\nplugin = nest\ninner = nest\n[channel.inner]\ninner = nest\n"
                  "[channel.inner.inner]\ncopies = 3\n",
                  2 * 2 * 3 * 4e-3);
}

TEST (Nested, AssignmentsReachIt)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (CleaveConfig) config = load ("[channel]\nplugin = nest\n[channel.inner]\nwidth = 64\n");
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_config_set (config, "channel.inner.width=8", &error));
  g_autoptr (GObject) channel = cleave_config_create (config, "channel", host, CLEAVE_KIND_CHANNEL, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_RELATIVE (cleave_channel_seconds (CLEAVE_CHANNEL (channel), 1000, &error), 2 * 1e-3, 1e-15);

  EXPECT_TRUE (cleave_config_set (config, "channel.inner.mode=wimax", &error));
  EXPECT_TRUE (cleave_config_create (config, "channel", host, CLEAVE_KIND_CHANNEL, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "--set: [channel.inner] mode = wimax: expected wifi or lora");
}

TEST (Nested, ErrorsNameItsSection)
{
  static const char *const cases[][2] = {
    { "[channel.inner]\nthroughput = 8 kg\n",
      "config: [channel.inner] throughput = 8 kg: expected a number in bit/s, such as 30 bit/s" },
    { "[channel.inner]\nthrougput = 8\n",
      "config: [channel.inner] througput: no such parameter of sample; did you mean throughput?" },
    { "[channel.inner]\nplugin = sample\n", "config: [channel.inner] plugin: expected as inner in [channel]" },
    { "[channel.inner.deep]\n", "config: [channel.inner.deep]: no such section" },
    { "[channel.inenr]\n", "config: [channel.inenr]: no such section; did you mean [channel.inner]?" },
    { "[channel.copies]\n", "config: [channel.copies]: no such section" },
    { "inner = smaple\n", "config: [channel] inner = smaple: no such channel plugin as smaple; did you mean sample?" },
    { "inner = asng\n", "config: [channel] inner = asng: asng is an optimizer, expected a channel" },
    { "inner =\n", "config: [channel] inner: missing, expected the name of a plugin of kind channel" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat ("[channel]\nplugin = nest\n", cases[i][0], NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (GObject) channel = create (text, &error);

      EXPECT_TRUE (channel == NULL);
      REQUIRE (error != NULL);
      EXPECT_STRING (error->message, cases[i][1]);
      EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "");
    }
}

static GString *printed;

static void
keep_printed (const char *text)
{
  g_string_append (printed, text);
}

/* What making [channel] of this text, which succeeds, warns of. */
static void
expect_warnings (const char *text, const char *warnings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) channel = NULL;
  GPrintFunc before;

  printed = g_string_new (NULL);
  before = g_set_printerr_handler (keep_printed);
  channel = create (text, &error);
  g_set_printerr_handler (before);
  EXPECT_NO_ERROR (error);
  EXPECT_STRING (printed->str, warnings);
  g_string_free (printed, TRUE);
}

TEST (Nested, ComponentsAreSwappedByOneLine)
{
  expect_warnings ("[channel]\nplugin = sample\ninner = sample\n[channel.inner]\nwidth = 8\n",
                   "cleave: warning: config: [channel] inner: ignored: a parameter of nest, not of sample\n"
                   "cleave: warning: config: [channel.inner]: ignored: inner is a component of nest, not of sample\n");
  expect_warnings ("[channel]\nplugin = nest\ninner = other\n[channel.inner]\nwidth = 8\nother-length = 9\n",
                   "cleave: warning: config: [channel.inner] width: ignored: a parameter of sample, not of other\n");
}

TEST (Nested, NothingNestsForEver)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_host_create (host, CLEAVE_KIND_CHANNEL, "loop", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "plugin loop: again: components nested more than 8 deep");
  EXPECT_TRUE (create ("[channel]\nplugin = loop\n", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, ".again] again: expected components nested at most 8 deep");
  /* A config that names something else ends it. */
  g_autoptr (GObject) channel
      = create ("[channel]\nplugin = loop\n[channel.again]\n[channel.again.again]\nagain = sample\n", &error);
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (channel != NULL);
}

TEST (Nested, ResolvedTextHoldsItsSection)
{
  static const char expected[] = "[channel]\nplugin = nest\ninner = sample\ncopies = 5\n"
                                 "[channel.inner]\nthroughput = 8000000 bit/s\nwidth = 16 bit\nreliable = false\n"
                                 "label = \ntrace = \nmode = wifi\nrates = 0; 0.5\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) first = create ("[channel]\nplugin = nest\ncopies = 5\n[channel.inner]\nwidth = 16\n", &error);
  g_autoptr (GObject) second = NULL;
  g_autoptr (GString) one = g_string_new (NULL);
  g_autoptr (GString) two = g_string_new (NULL);

  REQUIRE_NO_ERROR (error);
  cleave_config_append_resolved (one, "channel", "nest", first);
  EXPECT_STRING (one->str, expected);
  second = create (one->str, &error);
  REQUIRE_NO_ERROR (error);
  cleave_config_append_resolved (two, "channel", "nest", second);
  EXPECT_STRING (two->str, expected);
}

TEST (Nested, ComponentsNeedEveryMethodAllTheWayDown)
{
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (CleaveConfig) config = load ("[dataset]\nplugin = synthetic\n[space]\nplugin = fbnet\n"
                                          "[device]\nplugin = flops\n[server]\nplugin = flops\n"
                                          "[channel]\nplugin = nest\ninner = nest\n[optimizer]\nplugin = asng\n");
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_components_new (host, config, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "config: [channel.inner] inner = sample: the plugin has no method bits");
}
