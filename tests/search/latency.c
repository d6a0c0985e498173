/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-config.h"
#include "latency.h"
#include "test.h"

#include <string.h>

#define N_BLOCKS 22

/* Components for fbnet with these tables; NULL with a failure recorded. */
static CleaveComponents *
make_components (const char *macro_architecture, const char *table, const char *device, const char *server)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf (
      "[dataset]\nplugin = cifar100\npath = absent\n[space]\nplugin = fbnet\nmacro-architecture = %s\nclasses = %u\n"
      "[device]\nplugin = hw-nas-bench\ntable = %s\ndevice = %s\n"
      "[server]\nplugin = hw-nas-bench\ntable = %s\ndevice = %s\n"
      "[channel]\nplugin = lossy-link\n[optimizer]\nplugin = asng\n",
      macro_architecture, strcmp (macro_architecture, "cifar") == 0 ? 100 : 1000, table, device, table, server);
  g_autoptr (CleaveConfig) config = cleave_config_load_from_text (text, NULL, &error);
  g_autoptr (CleaveHost) host = config != NULL ? cleave_host_new (NULL, &error) : NULL;
  CleaveComponents *components = host != NULL ? cleave_components_new (host, config, &error) : NULL;

  EXPECT_NO_ERROR (error);
  return components;
}

/* All blocks k3_e1. */
static gboolean
estimate (CleaveComponents *components, guint split, CleavePlacement placement, CleaveLatency *latency)
{
  guint choices[N_BLOCKS + 1] = { 0 };
  g_autoptr (GError) error = NULL;

  choices[N_BLOCKS] = split;
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, N_BLOCKS + 1);
  g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (components->space), candidate, &error);
  if (network != NULL)
    cleave_latency_estimate (components, network, placement, latency, &error);
  return EXPECT_NO_ERROR (error);
}

/* The fixture has 1 ms for the stem, 2 to 13 for the blocks by shape, 14, 15, 16 for header, pool and linear: 216 in
 * all. The device “large” takes twice as long. A payload element takes 32 bit ÷ 8 Mbit/s = 4 µs. */
TEST (Latency, PartsAtEverySplit)
{
  static const double head[]
      = { 1, 3, 6, 10, 14, 18, 23, 29, 35, 41, 48, 56, 64, 72, 81, 91, 101, 111, 122, 134, 146, 158, 171 };
  static const gsize payload[] = { 16384, 16384, 24576, 24576, 24576, 24576, 8192, 8192, 8192, 8192, 4096, 4096,
                                   4096,  4096,  7168,  7168,  7168,  7168,  2944, 2944, 2944, 2944, 5632 };
  g_autofree char *table = test_fixture ("latency-table.json");
  g_autoptr (CleaveComponents) components = make_components ("cifar", table, "small", "large");
  REQUIRE (components != NULL);

  for (guint split = 0; split <= N_BLOCKS; split++)
    {
      CleaveLatency latency;
      REQUIRE (estimate (components, split, CLEAVE_PLACEMENT_SPLIT, &latency));
      const double tail = 2 * (216 - head[split]);
      EXPECT_RELATIVE (latency.head_ms, head[split], 1e-12);
      EXPECT_RELATIVE (latency.tail_ms, tail, 1e-12);
      EXPECT_RELATIVE (latency.transfer_ms, payload[split] * 0.004, 1e-12);
      EXPECT_RELATIVE (latency.total_ms, head[split] + tail + payload[split] * 0.004, 1e-12);
      EXPECT_INT (latency.payload_elements, payload[split]);
      EXPECT_NEAR (latency.payload_bits, 32.0 * payload[split], 0);
    }
}

TEST (Latency, WhollyOnTheDevice)
{
  CleaveLatency latency;
  g_autofree char *table = test_fixture ("latency-table.json");
  g_autoptr (CleaveComponents) components = make_components ("cifar", table, "small", "large");
  REQUIRE (components != NULL);
  REQUIRE (estimate (components, 7, CLEAVE_PLACEMENT_DEVICE, &latency));

  EXPECT_RELATIVE (latency.head_ms, 216, 1e-12);
  EXPECT_NEAR (latency.tail_ms, 0, 0);
  EXPECT_NEAR (latency.transfer_ms, 0, 0);
  EXPECT_RELATIVE (latency.total_ms, 216, 1e-12);
  EXPECT_INT (latency.payload_elements, 0);
  EXPECT_NEAR (latency.payload_bits, 0, 0);
}

/* HW-NAS-Bench's measurements, summed over the 26 blocks of a network of k3_e1. */
TEST (Latency, MeasuredNetworks)
{
  static const struct
  {
    const char *macro_architecture, *device;
    double milliseconds;
  } networks[] = {
    { "cifar", "raspi4", 17.618579145142576 },
    { "cifar", "edgegpu", 15.804523468017578 },
    { "cifar", "pixel3", 7.7889731 },
    { "cifar", "fpga", 10.73952 },
    { "cifar", "eyeriss", 3.940896 },
    { "imagenet", "raspi4", 57.65650005702628 },
    { "imagenet", "edgegpu", 16.431164979934692 },
  };
  static const char *const files[] = { "hw-nas-bench-fbnet.json", "hw-nas-bench-like.pickle" };
  if (test_data_folder () == NULL)
    SKIP ("no data folder");

  for (guint file = 0; file < G_N_ELEMENTS (files); file++)
    {
      g_autofree char *table = g_build_filename (test_data_folder (), files[file], NULL);
      if (!g_file_test (table, G_FILE_TEST_EXISTS))
        SKIP ("no HW-NAS-Bench table");
      for (guint i = 0; i < G_N_ELEMENTS (networks); i++)
        {
          CleaveLatency latency;
          g_autoptr (CleaveComponents) components
              = make_components (networks[i].macro_architecture, table, networks[i].device, networks[i].device);
          REQUIRE (components != NULL);
          REQUIRE (estimate (components, 0, CLEAVE_PLACEMENT_DEVICE, &latency));
          EXPECT_RELATIVE (latency.head_ms, networks[i].milliseconds, 1e-9);
          REQUIRE (estimate (components, 11, CLEAVE_PLACEMENT_SPLIT, &latency));
          EXPECT_RELATIVE (latency.head_ms + latency.tail_ms, networks[i].milliseconds, 1e-9);
        }
    }
}
