/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"

#include <string.h>

/* Channels, height, width 4×8×8: 256 elements in, 512 after the conv. */
static CleaveNetwork *
make_network (void)
{
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (4, 8, 8);

  cleave_network_builder_block (builder, "a", NULL);
  cleave_network_builder_conv_norm_relu (builder, 8, 3, 1);
  cleave_network_builder_pool (builder);
  cleave_network_builder_linear (builder, "fc", 10);
  return cleave_network_builder_build (builder, NULL);
}

static CleaveOracle *
make_oracle (double peak, double bandwidth)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autoptr (GObject) oracle = host != NULL ? cleave_host_create (host, CLEAVE_KIND_ORACLE, "roofline", &error) : NULL;

  if (!EXPECT_NO_ERROR (error))
    return NULL;
  g_object_set (oracle, "peak", peak, "bandwidth", bandwidth, NULL);
  return CLEAVE_ORACLE (g_steal_pointer (&oracle));
}

/* By hand, with 1 GFLOPS and 1 GB/s, so one operation or byte a nanosecond:
 *
 *           operations         bytes in fp32
 *   conv    8·4·9·64 = 18432   4·(256 + 512 + 8·4·9) = 4224
 *   norm    5·512 = 2560       4·(512 + 512 + 4·8) = 4224: weight, bias, running mean and variance
 *   relu    0                  4·(512 + 512) = 4096
 *   pool    0                  4·(512 + 8) = 2080
 *   linear  8·10 = 80          4·(8 + 10 + 8·10 + 10) = 432 */
static const double times_ns[] = { 18432, 4224, 4096, 2080, 432 };

TEST (Roofline, EachOpTakesTheLongerOfItsTimes)
{
  g_autoptr (CleaveNetwork) network = make_network ();
  g_autoptr (CleaveOracle) oracle = make_oracle (1e9, 1e9);
  g_autoptr (GError) error = NULL;
  REQUIRE (network != NULL && oracle != NULL);
  REQUIRE (cleave_network_get_n_ops (network) == G_N_ELEMENTS (times_ns));

  for (guint i = 0; i < G_N_ELEMENTS (times_ns); i++)
    EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, i, i + 1, &error), times_ns[i] * 1e-9, 1e-15);
  /* With ten times the peak the conv waits for memory; with four times the bandwidth the norm does no more. */
  g_object_set (oracle, "peak", 1e10, NULL);
  EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, 0, 1, &error), 4224e-9, 1e-15);
  g_object_set (oracle, "peak", 1e9, "bandwidth", 4e9, NULL);
  EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, 1, 2, &error), 2560e-9, 1e-15);
  EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, 2, 3, &error), 1024e-9, 1e-15);
  EXPECT_NO_ERROR (error);
}

/* Sums in another order differ by rounding alone. */
TEST (Roofline, StretchesAddUp)
{
  g_autoptr (CleaveNetwork) network = make_network ();
  g_autoptr (CleaveOracle) oracle = make_oracle (1e9, 1e9);
  g_autoptr (GError) error = NULL;
  REQUIRE (network != NULL && oracle != NULL);
  guint n_ops = cleave_network_get_n_ops (network);

  for (guint cut = 0; cut <= n_ops; cut++)
    EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, 0, cut, &error)
                         + cleave_oracle_estimate (oracle, network, cut, n_ops, &error),
                     (18432 + 4224 + 4096 + 2080 + 432) * 1e-9, 1e-15);
  EXPECT_NO_ERROR (error);
}

/* Both files stand in README.md, the code without its licence tag. */
TEST (Roofline, IsTheCodeOfTheReadme)
{
  static const char *const files[] = { "oracles/roofline.c", "oracles/roofline.plugin" };
  static const char *const fences[] = { "```c\n", "```ini\n" };
  g_autofree char *readme = NULL;
  REQUIRE (g_file_get_contents (TEST_SOURCE_ROOT "/README.md", &readme, NULL, NULL));

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (TEST_SOURCE_ROOT, files[i], NULL);
      g_autofree char *text = NULL;
      REQUIRE (g_file_get_contents (path, &text, NULL, NULL));
      const char *code = g_str_has_prefix (text, "/* SPDX") ? strchr (text, '\n') + 1 : text;
      g_autofree char *fenced = g_strconcat (fences[i], code, "```\n", NULL);
      EXPECT_TRUE (strstr (readme, fenced) != NULL);
    }
}
