/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../plugins/fixtures.h"

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
  expect_contains (out, "sample: A channel with a parameter of each type\nkind:    channel\n");
  expect_contains (out, "sample.plugin\nversion: 1.0\n");
  expect_contains (out, expected);
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

TEST (Inspect, UnknownNamesExitWithTwo)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  g_autofree char *broken = NULL;

  EXPECT_INT (test_run_cleave (&out, &err, "inspect", "lossy-lnik", NULL), 2);
  EXPECT_STRING (err, "cleave: no such plugin as lossy-lnik; did you mean lossy-link?\n");
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
  EXPECT_STRING (count, "cleave: usage: cleave inspect [OPTION…] [PLUGIN]; see cleave inspect --help\n");
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
