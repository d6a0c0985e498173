/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"

#include <math.h>

static CleaveChannel *
make_channel (double drop_rate, double burst_length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autoptr (GObject) channel = host != NULL ? cleave_host_create (host, CLEAVE_KIND_CHANNEL, "gilbert", &error) : NULL;

  if (!EXPECT_NO_ERROR (error))
    return NULL;
  g_object_set (channel, "drop-rate", drop_rate, "burst-length", burst_length, NULL);
  return CLEAVE_CHANNEL (g_steal_pointer (&channel));
}

/* 32 bit ÷ 8 Mbit/s = 4 µs an element (eq. 10), whatever is lost. */
TEST (Gilbert, TimeOfThePaper)
{
  g_autoptr (CleaveChannel) channel = make_channel (0.3, 5);
  g_autoptr (GError) error = NULL;
  REQUIRE (channel != NULL);

  EXPECT_RELATIVE (cleave_channel_bits (channel, 16384, &error), 524288, 0);
  EXPECT_RELATIVE (cleave_channel_seconds (channel, 16384, &error), 0.065536, 1e-15);
  EXPECT_RELATIVE (cleave_channel_drop_rate (channel, &error), 0.3, 0);
  g_object_set (channel, "throughput", 1e6, "bits-per-element", 8u, NULL);
  EXPECT_RELATIVE (cleave_channel_seconds (channel, 1000, &error), 8e-3, 1e-15);
  EXPECT_NO_ERROR (error);
}

/* What is lost of n elements, and in how many bursts; only bursts whose end is seen count for their length. */
typedef struct
{
  gsize n;
  gsize n_lost;
  gsize n_lost_pairs; /* neighbours */
  gsize n_bursts;
  gsize n_lost_in_bursts;
} Tally;

static Tally
draw (CleaveChannel *channel, gsize n, double drop_rate)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) losses = cleave_channel_draw_losses (channel, n, drop_rate, random, &error);
  Tally tally = { .n = n };
  gsize n_in_a_row = 0;

  if (!EXPECT_NO_ERROR (error))
    return tally;
  const guint8 *arrived = g_bytes_get_data (losses, NULL);
  for (gsize i = 0; i < n; i++)
    {
      tally.n_lost += arrived[i] == 0;
      tally.n_lost_pairs += i > 0 && arrived[i] == 0 && arrived[i - 1] == 0;
      if (arrived[i] == 0)
        n_in_a_row++;
      else if (n_in_a_row > 0)
        {
          tally.n_bursts++;
          tally.n_lost_in_bursts += n_in_a_row;
          n_in_a_row = 0;
        }
    }
  return tally;
}

/* Within four standard errors. Neighbours correlate with λ = 1 − 1/b − p/(b(1 − p)), the chain's second eigenvalue, so
 * the variance of the mean of n is p(1 − p)/n · (1 + λ)/(1 − λ), up to terms of 1/n²; the length of a burst is
 * geometric, of variance b(b − 1). */
static void
check_mean_loss_and_burst (double drop_rate, double burst_length)
{
  g_autoptr (CleaveChannel) channel = make_channel (drop_rate, burst_length);
  REQUIRE (channel != NULL);
  Tally tally = draw (channel, 1000000, -1);
  double correlation = 1 - 1 / burst_length - drop_rate / (burst_length * (1 - drop_rate));
  double loss_error = sqrt (drop_rate * (1 - drop_rate) / tally.n * (1 + correlation) / (1 - correlation));
  double burst_error = sqrt (burst_length * (burst_length - 1) / tally.n_bursts);
  REQUIRE (tally.n_bursts > 1000);

  EXPECT_NEAR ((double)tally.n_lost / tally.n, drop_rate, 4 * loss_error);
  EXPECT_NEAR ((double)tally.n_lost_in_bursts / tally.n_bursts, burst_length, 4 * burst_error);
}

TEST (Gilbert, MeanLossAndMeanBurst)
{
  check_mean_loss_and_burst (0.2, 10);
  check_mean_loss_and_burst (0.05, 3);
  check_mean_loss_and_burst (0.5, 40);
  /* p = b/(b + 1): one element between two bursts. */
  check_mean_loss_and_burst (0.75, 3);
}

/* The drop rate that is asked for goes before the channel's own; the bursts stay. */
TEST (Gilbert, LosesAtTheRateAskedFor)
{
  g_autoptr (CleaveChannel) channel = make_channel (0.2, 10);
  g_autoptr (CleaveChannel) same = make_channel (0.4, 10);
  REQUIRE (channel != NULL && same != NULL);
  Tally asked = draw (channel, 10000, 0.4), own = draw (same, 10000, -1);

  EXPECT_TRUE (own.n_lost > 0);
  EXPECT_INT (asked.n_lost, own.n_lost);
  EXPECT_INT (asked.n_bursts, own.n_bursts);
}

/* The first element is lost as often as any: four standard errors, 4·√(0.3·0.7/n) = 0.018. */
TEST (Gilbert, StartsInTheStationaryState)
{
  g_autoptr (CleaveChannel) channel = make_channel (0.3, 1000);
  g_autoptr (GError) error = NULL;
  const guint n = 10000;
  guint n_lost = 0;
  REQUIRE (channel != NULL);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, i);
      g_autoptr (GBytes) losses = cleave_channel_draw_losses (channel, 1, -1, random, &error);
      REQUIRE_NO_ERROR (error);
      n_lost += *(const guint8 *)g_bytes_get_data (losses, NULL) == 0;
    }
  EXPECT_NEAR ((double)n_lost / n, 0.3, 0.018);
}

/* With b = 1/(1 − p) both neighbours are lost with p² = 0.04, whose mean over overlapping pairs has variance
 * 0.04·(0.96 + 2·0.16)/n: four standard errors are 0.0029. With b = 10 it would be p(1 − 1/b) = 0.18. */
TEST (Gilbert, ShortBurstsAreIndependentLoss)
{
  g_autoptr (CleaveChannel) channel = make_channel (0.2, 1 / (1 - 0.2));
  REQUIRE (channel != NULL);
  Tally tally = draw (channel, 100000, -1);

  EXPECT_NEAR ((double)tally.n_lost / tally.n, 0.2, 0.0051);
  EXPECT_NEAR ((double)tally.n_lost_pairs / tally.n, 0.04, 0.0029);
}

TEST (Gilbert, NothingIsLostAtZero)
{
  g_autoptr (CleaveChannel) channel = make_channel (0.5, 10);
  REQUIRE (channel != NULL);

  EXPECT_INT (draw (channel, 100000, 0).n_lost, 0);
  EXPECT_INT (draw (channel, 0, 0.5).n_lost, 0);
}

TEST (Gilbert, SameStreamSameBytes)
{
  g_autoptr (CleaveChannel) channel = make_channel (0.2, 10);
  g_autoptr (CleaveRandom) first = cleave_random_new (1, 2, 3, 4);
  g_autoptr (CleaveRandom) second = cleave_random_new (1, 2, 3, 4);
  g_autoptr (CleaveRandom) other = cleave_random_new (1, 2, 3, 5);
  g_autoptr (GError) error = NULL;
  REQUIRE (channel != NULL);

  g_autoptr (GBytes) losses = cleave_channel_draw_losses (channel, 1000, -1, first, &error);
  g_autoptr (GBytes) same = cleave_channel_draw_losses (channel, 1000, -1, second, &error);
  g_autoptr (GBytes) different = cleave_channel_draw_losses (channel, 1000, -1, other, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (g_bytes_equal (losses, same));
  EXPECT_TRUE (!g_bytes_equal (losses, different));
}

/* p = 0.8 takes bursts of 4: with 3 the probability of a burst's beginning would be 0.8/(3·0.2) = 1.33. */
TEST (Gilbert, SaysWhichRatesItsBurstsAllow)
{
  g_autoptr (CleaveChannel) channel = make_channel (0.8, 3);
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  GError *error = NULL;
  REQUIRE (channel != NULL);

  EXPECT_TRUE (cleave_channel_draw_losses (channel, 10, -1, random, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG,
                "a drop rate of 0.8 with burst-length = 3, expected a drop rate of at most 0.75, or bursts of at least "
                "4 elements");
  EXPECT_TRUE (isnan (cleave_channel_seconds (channel, 10, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "a drop rate of 0.8");
  g_autoptr (GBytes) losses = cleave_channel_draw_losses (channel, 10, 0.75, random, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (losses != NULL);
}
