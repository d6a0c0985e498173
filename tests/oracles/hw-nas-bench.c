/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "latency-table.h"
#include "test.h"

#include <math.h>
#include <string.h>

static CleaveOracle *
make_oracle (const char *table, const char *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autoptr (GObject) oracle
      = host != NULL ? cleave_host_create (host, CLEAVE_KIND_ORACLE, "hw-nas-bench", &error) : NULL;

  if (!EXPECT_NO_ERROR (error))
    return NULL;
  g_object_set (oracle, "table", table, "device", device, NULL);
  return CLEAVE_ORACLE (g_steal_pointer (&oracle));
}

static CleaveOracle *
make_small (void)
{
  g_autofree char *table = test_fixture ("latency-table.json");

  return make_oracle (table, "small");
}

/* FBNet's second stage from another space: a stem and a block of the table, by ops alone. */
static CleaveNetworkBuilder *
begin_network (void)
{
  CleaveNetworkBuilder *builder = cleave_network_builder_new (3, 32, 32);

  cleave_network_builder_block (builder, "first", NULL);
  cleave_network_builder_conv_norm_relu (builder, 16, 3, 1);
  cleave_network_builder_block (builder, "second", "mine");
  return builder;
}

static CleaveNetwork *
end_network (CleaveNetworkBuilder *builder)
{
  g_autoptr (GError) error = NULL;
  CleaveNetwork *network = cleave_network_builder_build (builder, &error);

  EXPECT_NO_ERROR (error);
  cleave_network_builder_unref (builder);
  return network;
}

static void
expect_unsupported (CleaveNetworkBuilder *builder, int code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveNetwork) network = end_network (builder);
  g_autoptr (CleaveOracle) oracle = make_small ();
  REQUIRE (oracle != NULL && network != NULL);

  EXPECT_TRUE (isnan (cleave_oracle_estimate (oracle, network, 0, cleave_network_get_n_ops (network), &error)));
  EXPECT_ERROR (error, code, text);
}

/* 1 ms for the stem, 3 ms for 16 → 24 at 32×32 in the fixture. */
TEST (HwNasBench, AnySpacesBlocks)
{
  CleaveNetworkBuilder *builder = begin_network ();
  g_autoptr (GError) error = NULL;
  cleave_network_builder_expand_depthwise (builder, 16, 3, 1, 1);
  cleave_network_builder_project (builder, 24, 1);
  g_autoptr (CleaveNetwork) network = end_network (builder);
  g_autoptr (CleaveOracle) oracle = make_small ();
  REQUIRE (oracle != NULL && network != NULL);

  const guint n_ops = cleave_network_get_n_ops (network);
  EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, 0, n_ops, &error), 4e-3, 1e-15);
  EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, 3, n_ops, &error), 3e-3, 1e-15);
  EXPECT_NEAR (cleave_oracle_estimate (oracle, network, 3, 3, &error), 0, 0);
  EXPECT_NO_ERROR (error);
  g_object_set (oracle, "device", "large", NULL);
  EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, 0, n_ops, &error), 8e-3, 1e-15);
  EXPECT_NO_ERROR (error);
}

TEST (HwNasBench, PartOfABlock)
{
  CleaveNetworkBuilder *builder = begin_network ();
  g_autoptr (GError) error = NULL;
  cleave_network_builder_expand_depthwise (builder, 16, 3, 1, 1);
  cleave_network_builder_project (builder, 24, 1);
  g_autoptr (CleaveNetwork) network = end_network (builder);
  g_autoptr (CleaveOracle) oracle = make_small ();
  REQUIRE (oracle != NULL && network != NULL);

  EXPECT_TRUE (isnan (cleave_oracle_estimate (oracle, network, 0, 9, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "part of block second; a table has whole blocks only");
  EXPECT_TRUE (isnan (cleave_oracle_estimate (oracle, network, 1, 11, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "part of block first");
  EXPECT_TRUE (isnan (cleave_oracle_estimate (oracle, network, 4, 99, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "of a network of 11 ops");
}

TEST (HwNasBench, BlocksOfAnotherForm)
{
  /* 16·1.5 channels inside */
  CleaveNetworkBuilder *builder = begin_network ();
  cleave_network_builder_expand_depthwise (builder, 24, 3, 1, 1);
  cleave_network_builder_project (builder, 24, 1);
  expect_unsupported (builder, CLEAVE_ERROR_UNSUPPORTED, "block second, mine is of no form");

  /* the input not added though the shape allows it */
  builder = begin_network ();
  cleave_network_builder_expand_depthwise (builder, 16, 3, 1, 1);
  cleave_network_builder_project (builder, 16, 1);
  expect_unsupported (builder, CLEAVE_ERROR_UNSUPPORTED, "of no form");

  builder = begin_network ();
  cleave_network_builder_relu (builder);
  expect_unsupported (builder, CLEAVE_ERROR_UNSUPPORTED, "of no form");

  builder = begin_network ();
  cleave_network_builder_conv_norm_relu (builder, 16, 3, 1);
  expect_unsupported (builder, CLEAVE_ERROR_UNSUPPORTED, "of no form");
}

TEST (HwNasBench, MissingEntryIsNamed)
{
  const char *const file = "latency-table.json has no entry ";
  const struct
  {
    guint mid, kernel, stride, groups;
    const char *key;
  } blocks[] = {
    { 96, 5, 2, 1, "ConvBlock_H32_W32_Cin16_Cout32_exp6_kernel5_stride2_group1 for small (block second)" },
    { 16, 3, 1, 2, "ConvBlock_H32_W32_Cin16_Cout32_exp1_kernel3_stride1_group2 for small" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    {
      CleaveNetworkBuilder *builder = begin_network ();
      g_autofree char *text = g_strconcat (file, blocks[i].key, NULL);
      cleave_network_builder_expand_depthwise (builder, blocks[i].mid, blocks[i].kernel, blocks[i].stride,
                                               blocks[i].groups);
      cleave_network_builder_project (builder, 32, blocks[i].groups);
      expect_unsupported (builder, CLEAVE_ERROR_DATA, text);
    }

  CleaveNetworkBuilder *builder = begin_network ();
  cleave_network_builder_identity (builder);
  expect_unsupported (builder, CLEAVE_ERROR_DATA, "no entry Skip_H32_W32_Cin16_Cout16_stride1 for small");
  builder = begin_network ();
  cleave_network_builder_conv_norm_relu (builder, 24, 1, 2);
  expect_unsupported (builder, CLEAVE_ERROR_DATA, "no entry Skip_H32_W32_Cin16_Cout24_stride2 for small");
}

TEST (HwNasBench, ParametersThatAreMissing)
{
  CleaveNetworkBuilder *builder = begin_network ();
  g_autoptr (GError) error = NULL;
  cleave_network_builder_identity (builder);
  g_autoptr (CleaveNetwork) network = end_network (builder);
  g_autoptr (CleaveOracle) without = make_oracle (NULL, "small");
  g_autoptr (CleaveOracle) absent = make_oracle ("/nowhere/table.json", "small");
  g_autofree char *table = test_fixture ("latency-table.json");
  g_autoptr (CleaveOracle) unknown = make_oracle (table, "huge");
  REQUIRE (without != NULL && absent != NULL && unknown != NULL);

  EXPECT_TRUE (isnan (cleave_oracle_estimate (without, network, 0, 3, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "“table” is not set");
  EXPECT_TRUE (isnan (cleave_oracle_estimate (absent, network, 0, 3, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "/nowhere/table.json");
  EXPECT_TRUE (isnan (cleave_oracle_estimate (unknown, network, 0, 3, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "has no device “huge”, expected one of: small, large");
}

/* --- the files --- */

static GHashTable *
read_text (const char *text, gsize size, GError **error)
{
  g_autofree char *path = g_build_filename (test_temporary_folder (), "table", NULL);

  g_file_set_contents (path, text, (gssize)size, NULL);
  return latency_table_read (path, "d", error);
}

static void
expect_damage (const char *text, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) entries = read_text (text, strlen (text), &error);

  EXPECT_TRUE (entries == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, message);
}

TEST (LatencyTable, Json)
{
  static const char *const texts[] = { "{\"d_latency\": {\"key\": 2.5, \"whole\": 3}}",
                                       " \n{\"fbnet\": {\"d_latency\": {\"key\": 2.5, \"whole\": 3}}}" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GHashTable) entries = read_text (texts[i], strlen (texts[i]), &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_INT (g_hash_table_size (entries), 2);
      EXPECT_NEAR (*(double *)g_hash_table_lookup (entries, "key"), 2.5, 0);
      EXPECT_NEAR (*(double *)g_hash_table_lookup (entries, "whole"), 3, 0);
    }
}

TEST (LatencyTable, JsonDamage)
{
  expect_damage ("", "has 0 bytes");
  expect_damage ("{", "table:");
  expect_damage ("{\"d_latency\": {\"key\": 2.5}", "table:");
  expect_damage ("[1, 2]", "its top is no object");
  expect_damage ("{}", "holds no table of latencies");
  expect_damage ("{\"d_latency\": 3}", "d_latency is no object");
  expect_damage ("{\"d_latency\": {\"key\": \"2.5\"}}", "d_latency of key is no number");
  expect_damage ("{\"d_latency\": {\"key\": true}}", "d_latency of key is no number");
  expect_damage ("{\"d_latency\": {\"key\": null}}", "d_latency of key is no number");
  expect_damage ("{\"d_latency\": {\"key\": -1}}", "d_latency of key is -1, expected finite milliseconds");
  expect_damage ("{\"d_latency\": {\"key\": 1e999}}", "d_latency of key is inf");
  expect_damage ("{/* \" */ \"d_latency\": {}}", "a character that JSON has not");
}

/* Deep enough to exhaust the stack of a reader that calls itself once a level. */
TEST (LatencyTable, JsonTooDeep)
{
  const gsize depth = 4 * 1000 * 1000;
  g_autofree char *text = g_malloc (depth + 1);
  memset (text, '[', depth);
  text[depth] = '\0';

  expect_damage (text, "nested too deeply");
}

TEST (LatencyTable, JsonTruncatedAtEveryByte)
{
  const char *text = "{\"fbnet\": {\"d_latency\": {\"key\": 2.5, \"other\\u0041\": 1e-3}}}";

  for (gsize size = 1; size < strlen (text); size++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GHashTable) entries = read_text (text, size, &error);
      EXPECT_TRUE (entries == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "table");
    }
}

TEST (LatencyTable, PickleOfEveryProtocol)
{
  for (guint protocol = 0; protocol <= 5; protocol++)
    {
      g_autofree char *name = g_strdup_printf ("pickle/protocol-%u.pickle", protocol);
      g_autofree char *path = test_fixture (name);
      g_autoptr (GError) error = NULL;
      g_autoptr (GHashTable) edgegpu = latency_table_read (path, "edgegpu", &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_NEAR (*(double *)g_hash_table_lookup (edgegpu, "float"), 4.5, 0);
      /* The other device has an entry of −7. */
      g_autoptr (GHashTable) raspi4 = latency_table_read (path, "raspi4", &error);
      EXPECT_TRUE (raspi4 == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "raspi4_latency of int32 is -7");
    }
}

TEST (LatencyTable, PickleDamage)
{
  expect_damage ("cposix\nsystem\n(S'true'\ntR.", "table: refuses to load posix.system");
  expect_damage ("N.", "holds no table of latencies");
  expect_damage ("(S'd_latency'\nI3\nd.", "d_latency is no dict");
  expect_damage ("(S'd_latency'\n(I3\nI4\ndd.", "a key of d_latency is no string");
  expect_damage ("(S'd_latency'\n(S'key'\nS'4'\ndd.", "d_latency of key is no number");
  expect_damage ("(S'd_latency'\n(S'key'\nFnan\ndd.", "d_latency of key is nan");
}
