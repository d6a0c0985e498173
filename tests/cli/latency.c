/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../plugins/fixtures.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define K3_E1_21 "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"
#define K3_E1 K3_E1_21 ",0"

/* A config whose data set is a file that is not there: latency needs none. */
static char *
write_config (void)
{
  g_autofree char *table = test_fixture ("latency-table.json");
  g_autofree char *text
      = g_strdup_printf ("[dataset]\nplugin = cifar100\npath = absent.tar.gz\n[space]\nplugin = fbnet\n"
                         "[device]\nplugin = hw-nas-bench\ntable = %s\ndevice = small\n"
                         "[server]\nplugin = hw-nas-bench\ntable = %s\ndevice = large\n"
                         "[channel]\nplugin = lossy-link\n[optimizer]\nplugin = asng\n",
                         table, table);

  return fixture_write (test_temporary_folder (), "latency.ini", text);
}

static void
expect_members (const char *json, const double *expected)
{
  static const char *const keys[]
      = { "head_ms", "transfer_ms", "tail_ms", "total_ms", "payload_elements", "payload_bits" };
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, json, -1, &error);
  REQUIRE_NO_ERROR (error);
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  EXPECT_INT (json_object_get_size (root), G_N_ELEMENTS (keys));
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      REQUIRE (json_object_has_member (root, keys[i]));
      EXPECT_RELATIVE (json_object_get_double_member (root, keys[i]), expected[i], 1e-12);
    }
}

/* Sums of the fixture's entries: after block 10 the head has 48 of 216 ms; 64×8×8 elements cross at 4 µs each. */
TEST (LatencyCommand, Json)
{
  const double split[] = { 48, 16.384, 336, 400.384, 4096, 131072 };
  const double none[] = { 216, 0, 0, 216, 0, 0 };
  g_autofree char *config = write_config ();
  g_autofree char *out = NULL, *whole = NULL, *err = NULL;

  EXPECT_INT (test_run_cleave (&out, &err, "latency", config, "--architecture", K3_E1, "--split", "10", "--json", NULL),
              0);
  EXPECT_STRING (err, "");
  expect_members (out, split);
  EXPECT_INT (
      test_run_cleave (&whole, NULL, "latency", "--split=none", "--json", config, "--architecture", K3_E1, NULL), 0);
  expect_members (whole, none);
}

TEST (LatencyCommand, Text)
{
  g_autofree char *config = write_config ();
  g_autofree char *out = NULL;

  EXPECT_INT (test_run_cleave (&out, NULL, "latency", config, "--architecture", K3_E1, "--split", "10", NULL), 0);
  EXPECT_STRING (out, "head         48.000000 ms\n"
                      "transfer     16.384000 ms\n"
                      "tail        336.000000 ms\n"
                      "total       400.384000 ms\n"
                      "payload           4096 elements, 131072 bit\n");
}

TEST (LatencyCommand, Mistakes)
{
  const struct
  {
    const char *architecture, *split, *text;
  } mistakes[] = {
    { K3_E1_21, "3", "architecture has 21 numbers, expected 22" },
    { "", "3", "architecture has 0 numbers, expected 22" },
    { K3_E1, "23", "split 23 is outside 0–22" },
    { K3_E1, "-1", "--split -1" },
    { K3_E1, "x", "--split x: expected a whole number from 0 on, or none" },
    { K3_E1, "99999999999", "--split 99999999999" },
    { K3_E1_21 ",9", "3", "block-22 9 is outside 0–8" },
    { K3_E1_21 ",x", "3", "--architecture: number 22 is “x”" },
    { K3_E1_21 ",", "3", "--architecture: number 22 is “”" },
  };
  g_autofree char *config = write_config ();

  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      g_autofree char *out = NULL, *err = NULL;
      g_autofree char *split = g_strconcat ("--split=", mistakes[i].split, NULL);
      EXPECT_INT (
          test_run_cleave (&out, &err, "latency", config, "--architecture", mistakes[i].architecture, split, NULL), 2);
      EXPECT_TRUE (g_strstr_len (err, -1, mistakes[i].text) != NULL);
      EXPECT_STRING (out, "");
    }
}

TEST (LatencyCommand, OptionsThatAreMissing)
{
  g_autofree char *config = write_config ();
  g_autofree char *first = NULL, *second = NULL;

  EXPECT_INT (test_run_cleave (NULL, &first, "latency", config, "--split", "3", NULL), 2);
  EXPECT_TRUE (g_strstr_len (first, -1, "--architecture is missing") != NULL);
  EXPECT_INT (test_run_cleave (NULL, &second, "latency", config, "--architecture", K3_E1, NULL), 2);
  EXPECT_TRUE (g_strstr_len (second, -1, "--split is missing") != NULL);
  EXPECT_INT (test_run_cleave (NULL, NULL, "latency", "--architecture", K3_E1, "--split", "3", NULL), 2);
}

TEST (LatencyCommand, OneCandidateOrTheSpace)
{
  g_autofree char *config = write_config ();
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (NULL, &err, "latency", config, "--limit", "--split", "3", NULL), 2);
  EXPECT_TRUE (g_strstr_len (err, -1, "--limit asks for the whole space, --split for one candidate") != NULL);
  g_clear_pointer (&err, g_free);
  EXPECT_INT (test_run_cleave (NULL, &err, "latency", config, "--best", "--architecture", K3_E1, NULL), 2);
  EXPECT_TRUE (g_strstr_len (err, -1, "--best asks for the whole space, --architecture for one candidate") != NULL);
}

static JsonObject *
parse (JsonParser *parser, const char *json)
{
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, json, -1, &error);
  EXPECT_NO_ERROR (error);
  return error == NULL ? json_node_get_object (json_parser_get_root (parser)) : NULL;
}

static char *
architecture_of (JsonObject *best)
{
  JsonArray *choices = json_object_get_array_member (best, "architecture");
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (choices); i++)
    g_string_append_printf (text, i > 0 ? ",%" G_GINT64_FORMAT : "%" G_GINT64_FORMAT,
                            json_array_get_int_element (choices, i));
  return g_string_free (text, FALSE);
}

/* What --best names takes as long as the command says of that candidate. By eqs. 8 and 9 that is a
 * skip in all blocks but two: where 64 channels become 112 and 184 become 352, the skip's 1×1 convolution has more
 * operations a pixel (64·112 + 5·112 = 7728) than k3_e1_g2 (64·64/2 + 9·64 + 64·112/2 + 5·240 = 7408). The cut after
 * block 18 lets 2944 elements cross, fewest of all. */
TEST (LatencyCommand, Best)
{
  g_autofree char *config = write_config ();
  g_autofree char *out = NULL, *again = NULL, *text = NULL;
  g_autoptr (JsonParser) parser = json_parser_new (), second = json_parser_new ();

  EXPECT_INT (test_run_cleave (&out, NULL, "latency", config, "--best", "--limit", "--json", "--set",
                               "device.plugin=flops", "--set", "device.device=raspi4", "--set", "server.plugin=flops",
                               "--set", "server.device=edgegpu", NULL),
              0);
  JsonObject *best = parse (parser, out);
  REQUIRE (best != NULL);
  g_autofree char *architecture = architecture_of (best);
  EXPECT_STRING (architecture, "8,8,8,8,8,8,8,8,8,8,8,8,8,1,8,8,8,8,8,8,8,1");
  EXPECT_INT (json_object_get_int_member (best, "payload_elements"), 2944);
  EXPECT_INT (json_object_get_int_member (best, "random_candidates"), 1000000);
  gint64 n_within = json_object_get_int_member (best, "random_candidates_within");
  EXPECT_TRUE (n_within > 0 && n_within < 1000000);

  g_autofree char *split = g_strdup_printf ("%" G_GINT64_FORMAT, json_object_get_int_member (best, "split"));
  EXPECT_INT (test_run_cleave (&again, NULL, "latency", config, "--architecture", architecture, "--split", split,
                               "--json", "--set", "device.plugin=flops", "--set", "device.device=raspi4", "--set",
                               "server.plugin=flops", "--set", "server.device=edgegpu", NULL),
              0);
  JsonObject *same = parse (second, again);
  REQUIRE (same != NULL);
  EXPECT_NEAR (json_object_get_double_member (same, "total_ms"), json_object_get_double_member (best, "total_ms"), 0);

  EXPECT_INT (test_run_cleave (&text, NULL, "latency", config, "--limit", "--set", "device.plugin=flops", "--set",
                               "device.device=raspi4", "--set", "server.plugin=flops", "--set", "server.device=edgegpu",
                               NULL),
              0);
  g_autofree char *expected
      = g_strdup_printf ("within 30 ms: %" G_GINT64_FORMAT " of 1000000 random candidates", n_within);
  EXPECT_TRUE (g_str_has_prefix (text, expected));
}

/* The fixture has k3_e1 only. */
TEST (LatencyCommand, MissingEntry)
{
  g_autofree char *config = write_config ();
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (NULL, &err, "latency", config, "--architecture", K3_E1_21 ",7", "--split", "3", NULL),
              1);
  EXPECT_TRUE (g_strstr_len (err, -1, "[server]: ") != NULL);
  EXPECT_TRUE (g_strstr_len (err, -1, "no entry ConvBlock_H4_W4_Cin184_Cout352_exp6_kernel5_stride1_group1 for large")
               != NULL);
}

/* One line of the config swaps the component; the table's keys do not disturb. FLOPs of the whole network by
 * speed: the ratio of the two devices' is that of their speeds, 8.0213 to 2.3562. */
TEST (LatencyCommand, OracleSwappedByOneLine)
{
  g_autofree char *config = write_config ();
  g_autofree char *raspi4 = NULL, *edgegpu = NULL;
  double times[2];

  EXPECT_INT (test_run_cleave (&raspi4, NULL, "latency", config, "--architecture", K3_E1, "--split", "none", "--set",
                               "device.plugin=flops", "--set", "device.device=raspi4", "--set", "server.plugin=flops",
                               NULL),
              0);
  EXPECT_INT (test_run_cleave (&edgegpu, NULL, "latency", config, "--architecture", K3_E1, "--split", "none", "--set",
                               "device.plugin=flops", "--set", "device.device=edgegpu", "--set", "server.plugin=flops",
                               NULL),
              0);
  times[0] = g_ascii_strtod (raspi4 + strlen ("head"), NULL);
  times[1] = g_ascii_strtod (edgegpu + strlen ("head"), NULL);
  EXPECT_RELATIVE (times[0] / times[1], 8.0213 / 2.3562, 1e-5);
}
