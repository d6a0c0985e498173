/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"

static CleaveChannel *
make_link (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autoptr (GObject) link = host != NULL ? cleave_host_create (host, CLEAVE_KIND_CHANNEL, "lossy-link", &error) : NULL;

  return EXPECT_NO_ERROR (error) ? CLEAVE_CHANNEL (g_steal_pointer (&link)) : NULL;
}

/* Eq. 10 with the paper's figures: 32 bit ÷ 8 Mbit/s = 4 µs an element. The largest payload, after the stem:
 * 16×32×32 = 16384 elements, 65.536 ms. */
TEST (LossyLink, TimeOfThePaper)
{
  g_autoptr (CleaveChannel) link = make_link ();
  g_autoptr (GError) error = NULL;
  REQUIRE (link != NULL);

  EXPECT_RELATIVE (cleave_channel_bits (link, 16384, &error), 524288, 0);
  EXPECT_RELATIVE (cleave_channel_seconds (link, 16384, &error), 0.065536, 1e-15);
  EXPECT_RELATIVE (cleave_channel_seconds (link, 1, &error), 4e-6, 1e-15);
  EXPECT_RELATIVE (cleave_channel_seconds (link, 0, &error), 0, 0);
  EXPECT_RELATIVE (cleave_channel_drop_rate (link, &error), 0.2, 0);
  EXPECT_NO_ERROR (error);
}

TEST (LossyLink, ParametersEnterTheTime)
{
  g_autoptr (CleaveChannel) link = make_link ();
  g_autoptr (GError) error = NULL;
  REQUIRE (link != NULL);

  g_object_set (link, "throughput", 1e6, "bits-per-element", 8u, "drop-rate", 0.3, NULL);
  EXPECT_RELATIVE (cleave_channel_bits (link, 1000, &error), 8000, 0);
  EXPECT_RELATIVE (cleave_channel_seconds (link, 1000, &error), 8e-3, 1e-15);
  EXPECT_RELATIVE (cleave_channel_drop_rate (link, &error), 0.3, 0);
  EXPECT_NO_ERROR (error);
}

TEST (LossyLink, LossesAreIndependent)
{
  g_autoptr (CleaveChannel) link = make_link ();
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  g_autoptr (GError) error = NULL;
  const gsize n = 100000;
  REQUIRE (link != NULL);

  g_object_set (link, "drop-rate", 0.2, NULL);
  g_autoptr (GBytes) losses = cleave_channel_draw_losses (link, n, -1, random, &error);
  REQUIRE_NO_ERROR (error);
  const guint8 *arrived = g_bytes_get_data (losses, NULL);
  guint n_lost = 0, n_lost_pairs = 0;
  for (gsize i = 0; i < n; i++)
    {
      n_lost += arrived[i] == 0;
      n_lost_pairs += i > 0 && arrived[i] == 0 && arrived[i - 1] == 0;
    }
  /* Four standard deviations: 4·√(0.2·0.8/n) = 0.0051; neighbours are both lost with 0.2² = 0.04, whose mean over
   * overlapping pairs has variance 0.04·(0.96 + 2·0.16)/n, four deviations 0.0029. */
  EXPECT_NEAR ((double)n_lost / n, 0.2, 0.0051);
  EXPECT_NEAR ((double)n_lost_pairs / n, 0.04, 0.0029);
}

TEST (LossyLink, NothingIsLostAtZero)
{
  g_autoptr (CleaveChannel) link = make_link ();
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  g_autoptr (GError) error = NULL;
  REQUIRE (link != NULL);

  g_object_set (link, "drop-rate", 0.5, NULL);
  g_autoptr (GBytes) losses = cleave_channel_draw_losses (link, 1000, 0, random, &error);
  REQUIRE_NO_ERROR (error);
  const guint8 *arrived = g_bytes_get_data (losses, NULL);
  for (gsize i = 0; i < 1000; i++)
    REQUIRE (arrived[i] == 1);
}
