/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../plugins/fixtures.h"
#include "settings.h"

#include <json-glib/json-glib.h>
#include <string.h>

static void
expect_contains (const char *text, const char *part)
{
  test_check (strstr (text, part) != NULL, __FILE__, __LINE__, "\"%s\" is not in:\n%s", part, text);
}

TEST (Inspect, ListsGoodAndBroken)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (&out, &err, "inspect", "--plugin-path", fixture_plugins (), NULL), 0);
  EXPECT_STRING (err, "");
  expect_contains (out, "sample            channel    1.0      A channel with a parameter of each type\n");
  expect_contains (out, "\nlossy-link ");
  expect_contains (out, "broken: plugin no-symbol: its module can't be loaded: ");
  expect_contains (out, "registers no channel (the type name CleaveHost is taken by another plugin or library)\n");
  expect_contains (out, "X-Cleave-API = 0.1: made for another version of Cleave, expected 1.0\n");
}

TEST (Inspect, DescribesAPlugin)
{
  static const char expected[]
      = "PARAMETER   TYPE          UNIT   RANGE               DEFAULT        HELP\n"
        "throughput  number        bit/s  1 to 1000000000000  8000000 bit/s  Throughput\n"
        "width       whole number  bit    1 to 64             32 bit         Bits an element\n"
        "reliable    boolean                                  false          Whether nothing is lost\n"
        "label       text                                                    A name\n"
        "trace       path                                                    A recorded trace\n"
        "mode        choice               wifi|lora           wifi           Kind of link\n"
        "rates       numbers              0 to 0.99           0; 0.5         Loss rates\n";
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (&out, &err, "inspect", "sample", "--plugin-path", fixture_plugins (), NULL), 0);
  EXPECT_STRING (err, "");
  expect_contains (out, "sample: A channel with a parameter of each type\nkind:     channel\n");
  expect_contains (out, "sample.plugin\nloader:   c\nversion:  1.0\nauthors:  Ada Lovelace, Grace Hopper\n"
                        "website:  https://example.org/sample\n\n");
  expect_contains (out, expected);
  expect_contains (out, "\n[channel]\nplugin = sample\nthroughput = 8000000 bit/s\nwidth = 32 bit\nreliable = false\n"
                        "label = \ntrace = \nmode = wifi\nrates = 0; 0.5\n");
}

TEST (Inspect, JsonHoldsTheParameters)
{
  g_autofree char *out = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *plugin, *width;
  JsonArray *parameters;

  EXPECT_INT (test_run_cleave (&out, NULL, "inspect", "--json", "sample", "--plugin-path", fixture_plugins (), NULL),
              0);
  json_parser_load_from_data (parser, out, -1, &error);
  REQUIRE_NO_ERROR (error);
  plugin = json_node_get_object (json_parser_get_root (parser));
  EXPECT_STRING (json_object_get_string_member (plugin, "kind"), "channel");
  parameters = json_object_get_array_member (plugin, "parameters");
  REQUIRE (json_array_get_length (parameters) == 7);
  width = json_array_get_object_element (parameters, 1);
  EXPECT_STRING (json_object_get_string_member (width, "name"), "width");
  EXPECT_STRING (json_object_get_string_member (width, "unit"), "bit");
  EXPECT_NEAR (json_object_get_double_member (width, "maximum"), 64, 0);
}

TEST (Inspect, DescribesComponents)
{
  static const char expected[] = "PARAMETER  TYPE                UNIT  RANGE   DEFAULT  HELP\n"
                                 "inner      component: channel                sample   The channel below\n"
                                 "copies     whole number              1 to 9  2        How often all is sent\n";
  g_autofree char *out = NULL;
  g_autofree char *json = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *inner;

  EXPECT_INT (test_run_cleave (&out, NULL, "inspect", "nest", "--plugin-path", fixture_plugins (), NULL), 0);
  expect_contains (out, expected);
  EXPECT_INT (test_run_cleave (&json, NULL, "inspect", "--json", "nest", "--plugin-path", fixture_plugins (), NULL), 0);
  json_parser_load_from_data (parser, json, -1, &error);
  REQUIRE_NO_ERROR (error);
  inner = json_array_get_object_element (
      json_object_get_array_member (json_node_get_object (json_parser_get_root (parser)), "parameters"), 0);
  EXPECT_STRING (json_object_get_string_member (inner, "type"), "component");
  EXPECT_STRING (json_object_get_string_member (inner, "kind"), "channel");
  EXPECT_STRING (json_object_get_string_member (inner, "default"), "sample");
}

/* What `cleave inspect --json NAME` prints; list all where NAME is NULL. */
static JsonNode *
inspect_json (const char *name)
{
  g_autofree char *out = NULL;
  g_autoptr (GError) error = NULL;
  JsonNode *root;

  EXPECT_INT (test_run_cleave (&out, NULL, "inspect", "--json", name, NULL), 0);
  root = json_from_string (out, &error);
  EXPECT_NO_ERROR (error);
  return root;
}

/* NASC, Sect. III: 22 layers of the nine blocks in Table I; the cut is after the stem or after one of the layers. */
TEST (Inspect, TellsASpacesVariables)
{
  g_autofree char *out = NULL;
  g_autoptr (JsonNode) root = inspect_json ("fbnet");
  JsonArray *variables = json_object_get_array_member (json_node_get_object (root), "variables");
  JsonObject *split;

  EXPECT_INT (test_run_cleave (&out, NULL, "inspect", "fbnet", NULL), 0);
  expect_contains (out, "\nvariables:  22 of 9 categories, 23 split points\n");
  REQUIRE (json_array_get_length (variables) == 23);
  split = json_array_get_object_element (variables, 22);
  EXPECT_INT (json_array_get_length (json_object_get_array_member (split, "categories")), 23);
}

TEST (Inspect, DescribesASectionOfTheCore)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (&out, &err, "inspect", "evaluate", NULL), 0);
  EXPECT_STRING (err, "");
  expect_contains (out, "evaluate: Test of the trained model\nkind:  settings\n");
  expect_contains (out, "\n[evaluate]\ndrop-rates = 0; 0.1; 0.2; 0.3; 0.4; 0.5; 0.6\n");
}

/* What is printed as a config makes the same component when it is one. */
static void
expect_taken_back (CleaveHost *host, const CleavePluginDescription *plugin)
{
  const char *section = plugin->kind == CLEAVE_KIND_ORACLE ? "device" : cleave_kind_to_string (plugin->kind);
  g_autofree char *out = NULL;
  const char *printed;
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveConfig) config = NULL;
  g_autoptr (GObject) component = NULL;
  g_autoptr (GString) resolved = g_string_new (NULL);

  EXPECT_INT (test_run_cleave (&out, NULL, "inspect", plugin->name, NULL), 0);
  printed = strstr (out, "\n\n[");
  REQUIRE (printed != NULL);
  printed += 2;
  config = cleave_config_load_from_text (printed, NULL, &error);
  REQUIRE_NO_ERROR (error);
  component = cleave_config_create (config, section, host, plugin->kind, &error);
  REQUIRE_NO_ERROR (error);
  cleave_config_append_resolved (resolved, section, plugin->name, component);
  EXPECT_STRING (resolved->str, printed);
}

TEST (Inspect, ConfigsAreTakenBack)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autofree char *data = g_strdup (g_getenv ("CLEAVE_DATA_DIR"));
  g_autoptr (GPtrArray) plugins = NULL;

  REQUIRE_NO_ERROR (error);
  plugins = cleave_host_list (host);
  EXPECT_TRUE (plugins->len >= 12);
  g_unsetenv ("CLEAVE_DATA_DIR"); /* where a default path might be found */
  for (guint i = 0; i < plugins->len; i++)
    expect_taken_back (host, g_ptr_array_index (plugins, i));
  if (data != NULL)
    g_setenv ("CLEAVE_DATA_DIR", data, TRUE);
}

/* Together, what is printed of the sections is what a resolved config of nothing but defaults holds. */
TEST (Inspect, SectionsAreComplete)
{
  g_autoptr (JsonNode) root = inspect_json (NULL);
  JsonArray *list = json_node_get_array (root);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveConfig) config = cleave_config_load_from_text ("", NULL, &error);
  g_autoptr (CleaveSettings) settings = config != NULL ? cleave_settings_new (config, &error) : NULL;
  g_autoptr (GString) resolved = g_string_new (NULL);
  g_autoptr (GString) printed = g_string_new (NULL);

  REQUIRE_NO_ERROR (error);
  cleave_settings_append_resolved (settings, resolved);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonObject *section = json_array_get_object_element (list, i);
      g_autoptr (JsonNode) one = NULL;

      if (!g_str_equal (json_object_get_string_member (section, "kind"), "settings"))
        continue;
      one = inspect_json (json_object_get_string_member (section, "name"));
      g_string_append (printed, json_object_get_string_member (json_node_get_object (one), "config"));
    }
  EXPECT_STRING (printed->str, resolved->str);
}

TEST (Inspect, MarkdownOfAPlugin)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (
      test_run_cleave (&out, &err, "inspect", "--markdown", "sample", "--plugin-path", fixture_plugins (), NULL), 0);
  EXPECT_STRING (err, "");
  expect_contains (out, "### sample\n\nA channel with a parameter of each type.\n\n"
                        "| key | type | unit | range | default | what |\n|---|---|---|---|---|---|\n"
                        "| `throughput` | number | bit/s | 1 to 1000000000000 | 8000000 bit/s | Throughput |\n");
  expect_contains (out, "| `mode` | choice |  | wifi, lora | wifi | Kind of link |\n");
  EXPECT_INT (test_run_cleave (NULL, NULL, "inspect", "--markdown", "--json", NULL), 2);
}

TEST (Inspect, TheCatalogueIsUpToDate)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  g_autofree char *catalogue = NULL;

  REQUIRE (g_file_get_contents (TEST_SOURCE_ROOT "/plugins/CATALOGUE.md", &catalogue, NULL, NULL));
  EXPECT_INT (test_run_cleave (&out, &err, "inspect", "--markdown", NULL), 0);
  EXPECT_STRING (err, "");
  test_check (g_str_equal (out, catalogue), __FILE__, __LINE__,
              "plugins/CATALOGUE.md is not what the plugins say; renew it by\n"
              "build/core/cli/cleave inspect --markdown >plugins/CATALOGUE.md");
}

TEST (Inspect, UnknownNamesExitWithTwo)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  g_autofree char *broken = NULL;

  EXPECT_INT (test_run_cleave (&out, &err, "inspect", "lossy-lnik", NULL), 2);
  EXPECT_STRING (err, "cleave: no such plugin or section as lossy-lnik; did you mean lossy-link?\n");
  EXPECT_STRING (out, "");
  EXPECT_INT (test_run_cleave (NULL, &broken, "inspect", "no-kind", "--plugin-path", fixture_plugins (), NULL), 2);
  expect_contains (broken, "X-Cleave-Kind: missing");
}

TEST (Command, UnknownCommandsAndOptionsExitWithTwo)
{
  g_autofree char *command = NULL;
  g_autofree char *option = NULL;
  g_autofree char *count = NULL;

  EXPECT_INT (test_run_cleave (NULL, &command, "inspcet", NULL), 2);
  EXPECT_STRING (command, "cleave: no such command as inspcet; did you mean inspect?\n");
  EXPECT_INT (test_run_cleave (NULL, &option, "inspect", "--jsno", NULL), 2);
  expect_contains (option, "--jsno");
  EXPECT_INT (test_run_cleave (NULL, &count, "inspect", "a", "b", NULL), 2);
  EXPECT_STRING (count, "cleave: usage: cleave inspect [OPTION…] [NAME]; see cleave inspect --help\n");
}

TEST (Command, HelpAndVersion)
{
  g_autofree char *help = NULL;
  g_autofree char *version = NULL;

  EXPECT_INT (test_run_cleave (&help, NULL, "--help", NULL), 0);
  expect_contains (help, "inspect");
  EXPECT_INT (test_run_cleave (&version, NULL, "--version", NULL), 0);
  expect_contains (version, "cleave ");
}
