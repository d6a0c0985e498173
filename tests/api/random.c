/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <Random123/philox.h>
#include <math.h>

/* Philox4x32-10's vectors of Random123's tests/kat_vectors: counter, key, result. */
TEST (random, philox_gives_the_published_vectors)
{
  static const guint32 vectors[][10] = {
    { 0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
    { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6,
      0x6d5451fd },
    { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
      0x24126ea1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      const guint32 *v = vectors[i];
      philox4x32_ctr_t counter = { { v[0], v[1], v[2], v[3] } };
      philox4x32_key_t key = { { v[4], v[5] } };
      philox4x32_ctr_t result = philox4x32 (counter, key);
      for (guint k = 0; k < 4; k++)
        EXPECT_INT (result.v[k], v[6 + k]);
    }
}

TEST (random, a_stream_is_philox_over_its_four_numbers)
{
  g_autoptr (CleaveRandom) zero = cleave_random_new (0, 0, 0, 0);
  EXPECT_INT (cleave_random_bits (zero), 0x6627e8d5); /* the first vector above */
  EXPECT_INT (cleave_random_bits (zero), 0xe169c58d);

  g_autoptr (CleaveRandom) random = cleave_random_new (0x299f31d0a4093822, 0x03707344, 0x13198a2e, 0x85a308d3);
  for (guint32 block = 0; block < 5; block++)
    {
      philox4x32_ctr_t counter = { { block, 0x85a308d3, 0x13198a2e, 0x03707344 } };
      philox4x32_key_t key = { { 0xa4093822, 0x299f31d0 } };
      philox4x32_ctr_t expected = philox4x32 (counter, key);
      for (guint k = 0; k < 4; k++)
        EXPECT_INT (cleave_random_bits (random), expected.v[k]);
    }
}

TEST (random, streams_differ_in_each_of_their_numbers)
{
  static const guint64 seeds[] = { 1, 2, 1 + (G_GUINT64_CONSTANT (1) << 32), 1, 1, 1 };
  static const guint32 numbers[][3] = { { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 }, { 2, 1, 1 }, { 1, 2, 1 }, { 1, 1, 2 } };
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (seeds); i++)
    {
      g_autoptr (CleaveRandom) random = cleave_random_new (seeds[i], numbers[i][0], numbers[i][1], numbers[i][2]);
      EXPECT_TRUE (g_hash_table_add (seen, GUINT_TO_POINTER (cleave_random_bits (random))));
    }
}

/* Mean ½ and variance 1/12 of the uniform distribution; the bounds are five standard errors of 10⁵ draws. */
TEST (random, uniform_is_uniform)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  const guint n = 100000;
  double sum = 0, squares = 0;

  for (guint i = 0; i < n; i++)
    {
      double u = cleave_random_uniform (random);
      if (!EXPECT_TRUE (u >= 0 && u < 1))
        return;
      sum += u;
      squares += u * u;
    }
  EXPECT_NEAR (sum / n, 0.5, 5 * sqrt (1.0 / 12 / n));
  EXPECT_NEAR (squares / n, 1.0 / 3, 5 * sqrt (4.0 / 45 / n));
}

/* 53 bits: the draws 0x6627e8d5 and 0xe169c58d of the zero stream. */
TEST (random, uniform_takes_two_draws)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (0, 0, 0, 0);
  double expected = (0x6627e8d5 * 0x1p21 + (0xe169c58d >> 11)) * 0x1p-53;

  EXPECT_NEAR (cleave_random_uniform (random), expected, 0);
}

/* Pearson's χ² of 3 classes has 2 degrees of freedom: above 27.6 with probability 10⁻⁶. With n = 3 · 2³⁰, a plain
 * multiplication would give every third number twice as often. */
TEST (random, below_is_unbiased)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (5, 6, 7, 8);
  const guint32 n = 3u << 30;
  guint counts[3] = { 0 };
  double chi_square = 0;

  for (guint i = 0; i < 30000; i++)
    {
      guint32 number = cleave_random_below (random, n);
      if (!EXPECT_TRUE (number < n))
        return;
      counts[number % 3]++;
    }
  for (guint k = 0; k < 3; k++)
    chi_square += pow (counts[k] - 10000.0, 2) / 10000;
  EXPECT_TRUE (chi_square < 27.6);
}

/* 9 degrees of freedom: above 44.8 with probability 10⁻⁶. */
TEST (random, below_reaches_all_numbers_evenly)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (5, 6, 7, 9);
  guint counts[10] = { 0 };
  double chi_square = 0;

  EXPECT_INT (cleave_random_below (random, 1), 0);
  for (guint i = 0; i < 100000; i++)
    counts[cleave_random_below (random, 10)]++;
  for (guint k = 0; k < 10; k++)
    chi_square += pow (counts[k] - 10000.0, 2) / 10000;
  EXPECT_TRUE (chi_square < 44.8);
}

/* Mean 0, variance 1, fourth moment 3, no correlation of neighbours; five standard errors. */
TEST (random, normal_is_normal)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (9, 9, 9, 9);
  const guint n = 100000;
  double sum = 0, squares = 0, fourth = 0, products = 0, last = 0;

  for (guint i = 0; i < n; i++)
    {
      double x = cleave_random_normal (random);
      sum += x;
      squares += x * x;
      fourth += x * x * x * x;
      products += x * last;
      last = x;
    }
  EXPECT_NEAR (sum / n, 0, 5 / sqrt (n));
  EXPECT_NEAR (squares / n, 1, 5 * sqrt (2.0 / n));
  EXPECT_NEAR (fourth / n, 3, 5 * sqrt (96.0 / n));
  EXPECT_NEAR (products / n, 0, 5 / sqrt (n));
}

/* From wherever in a block the stream stands, through single blocks and many at once. */
TEST (random, fill_bits_is_as_many_single_draws)
{
  static const gsize sizes[] = { 0, 1, 2, 3, 4, 5, 11, 255, 256, 257, 263, 1024, 1500 };

  for (guint skipped = 0; skipped < 5; skipped++)
    for (gsize k = 0; k < G_N_ELEMENTS (sizes); k++)
      {
        g_autoptr (CleaveRandom) random = cleave_random_new (G_GUINT64_CONSTANT (0x9876543212345678), 1, 2, 3);
        g_autoptr (CleaveRandom) same = cleave_random_new (G_GUINT64_CONSTANT (0x9876543212345678), 1, 2, 3);
        g_autofree guint32 *values = g_new0 (guint32, sizes[k] + 1);

        for (guint i = 0; i < skipped; i++)
          EXPECT_INT (cleave_random_bits (random), cleave_random_bits (same));
        cleave_random_fill_bits (random, values, sizes[k]);
        for (gsize i = 0; i < sizes[k]; i++)
          REQUIRE (values[i] == cleave_random_bits (same));
        EXPECT_INT (values[sizes[k]], 0);
        EXPECT_INT (cleave_random_bits (random), cleave_random_bits (same));
      }
}

/* Each flag is one draw of bits() against the threshold, wherever in a block the stream stands. */
TEST (random, flags_are_thresholded_draws)
{
  for (guint skipped = 0; skipped < 5; skipped++)
    for (gsize n = 0; n < 2100; n += n < 12 ? 1 : 261)
      {
        g_autoptr (CleaveRandom) random = cleave_random_new (1, 1, 1, 1);
        g_autoptr (CleaveRandom) same = cleave_random_new (1, 1, 1, 1);
        for (guint i = 0; i < skipped; i++)
          EXPECT_INT (cleave_random_bits (random), cleave_random_bits (same));

        g_autoptr (GBytes) flags = cleave_random_flags (random, n, 0.25);
        const guint8 *data = g_bytes_get_data (flags, NULL);
        EXPECT_INT (g_bytes_get_size (flags), n);
        for (gsize i = 0; i < n; i++)
          EXPECT_INT (data[i], cleave_random_bits (same) < 0x40000000);
        EXPECT_INT (cleave_random_bits (random), cleave_random_bits (same));
      }
}

/* A probability of k · 2⁻³² is kept exactly: the first draw of the zero stream is 0x6627e8d5, see the vectors above. */
TEST (random, flags_resolve_a_step_of_their_probability)
{
  for (guint excess = 0; excess < 2; excess++)
    {
      g_autoptr (CleaveRandom) random = cleave_random_new (0, 0, 0, 0);
      g_autoptr (GBytes) flags = cleave_random_flags (random, 1, ((double)0x6627e8d5 + excess) * 0x1p-32);

      EXPECT_INT (*(const guint8 *)g_bytes_get_data (flags, NULL), excess);
    }
}

TEST (random, flags_have_their_probability)
{
  static const double probabilities[] = { 0, 0.2, 0.5, 1 };
  const gsize n = 100000;

  for (guint k = 0; k < G_N_ELEMENTS (probabilities); k++)
    {
      double p = probabilities[k];
      g_autoptr (CleaveRandom) random = cleave_random_new (3, 1, k, 1);
      g_autoptr (GBytes) flags = cleave_random_flags (random, n, p);
      const guint8 *data = g_bytes_get_data (flags, NULL);
      guint64 sum = 0;
      for (gsize i = 0; i < n; i++)
        sum += data[i];
      EXPECT_NEAR ((double)sum / n, p, 5 * sqrt (p * (1 - p) / n)); /* 0 and 1: exactly */
    }
}
