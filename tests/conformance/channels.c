/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What holds for every channel that is found. */
#include "cleave-host.h"
#include "test.h"
#include <math.h>

static void
check_transfer (CleaveChannel *channel)
{
  static const gsize sizes[] = { 0, 1, 1000, 16384 };
  g_autoptr (GError) error = NULL;
  double bits_before = 0, seconds_before = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      double bits = cleave_channel_bits (channel, sizes[i], &error);
      double seconds = cleave_channel_seconds (channel, sizes[i], &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_TRUE (isfinite (bits) && bits >= bits_before);
      EXPECT_TRUE (isfinite (seconds) && seconds >= seconds_before);
      bits_before = bits;
      seconds_before = seconds;
    }
}

static void
check_losses (CleaveChannel *channel)
{
  static const double rates[] = { 0, 0.1, 0.5, 0.9 };
  const gsize n = 20000;
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (!isnan (cleave_channel_drop_rate (channel, &error)));
  REQUIRE_NO_ERROR (error);
  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++)
    {
      g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, i);
      g_autoptr (CleaveRandom) same = cleave_random_new (1, 2, 3, i);
      g_autoptr (GBytes) losses = cleave_channel_draw_losses (channel, n, rates[i], random, &error);
      REQUIRE_NO_ERROR (error);
      g_autoptr (GBytes) again = cleave_channel_draw_losses (channel, n, rates[i], same, &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_TRUE (g_bytes_equal (losses, again));
      const guint8 *arrived = g_bytes_get_data (losses, NULL);
      guint n_lost = 0;
      for (gsize j = 0; j < n; j++)
        n_lost += arrived[j] == 0;
      /* Bursts of up to some ten elements widen the four standard deviations of independent losses, 0.014. */
      EXPECT_NEAR ((double)n_lost / n, rates[i], 0.05);
    }
}

TEST (ConformanceChannels, EveryOne)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (GPtrArray) plugins = cleave_host_list (host);

  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = g_ptr_array_index (plugins, i);
      if (plugin->kind != CLEAVE_KIND_CHANNEL)
        continue;
      g_autoptr (GObject) channel = cleave_host_create (host, plugin->kind, plugin->name, &error);
      REQUIRE_NO_ERROR (error);
      check_transfer (CLEAVE_CHANNEL (channel));
      check_losses (CLEAVE_CHANNEL (channel));
    }
}
