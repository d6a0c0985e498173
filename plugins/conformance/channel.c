/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds for every channel. */

#include "conformance-private.h"

#include <math.h>

/* Losses are drawn for so many elements at a time, and from so many streams where their share counts. Four standard
 * deviations of the mean are 0.0035 where losses are independent; bursts of 100 elements on average widen them to
 * 0.035.
 */
#define N_ELEMENTS 20000
#define N_STREAMS 16
#define TOLERANCE 0.05
#define PURPOSE 1

static GBytes *
draw (CleaveChannel *channel, gsize n_elements, double drop_rate, guint32 stream, GError **error)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (1, PURPOSE, stream, 0);

  return cleave_channel_draw_losses (channel, n_elements, drop_rate, random, error);
}

static gboolean
use_channel (Conformance *self, GObject *component, GError **error)
{
  CleaveChannel *channel = CLEAVE_CHANNEL (component);

  if (isnan (cleave_channel_drop_rate (channel, error)) || isnan (cleave_channel_bits (channel, 1000, error))
      || isnan (cleave_channel_seconds (channel, 1000, error)))
    return FALSE;
  g_autoptr (GBytes) losses = draw (channel, 100, 0.25, 0, error);
  return losses != NULL;
}

static gboolean
check_transfer (Conformance *self, GError **error)
{
  static const gsize sizes[] = { 0, 1, 2, 1000, 16384, 1000000 };
  g_autoptr (GObject) component = conformance_make (self, error);
  double bits_before = 0, seconds_before = 0;

  for (gsize i = 0; component != NULL && i < G_N_ELEMENTS (sizes); i++)
    {
      double bits = cleave_channel_bits (CLEAVE_CHANNEL (component), sizes[i], error);
      double seconds = isnan (bits) ? NAN : cleave_channel_seconds (CLEAVE_CHANNEL (component), sizes[i], error);

      if (isnan (seconds))
        return FALSE;
      if (bits < bits_before || seconds < seconds_before)
        return conformance_fail (error,
                                 "%" G_GSIZE_FORMAT " elements take %g bits and %g s, fewer elements %g bits and %g s: "
                                 "expected no less for more",
                                 sizes[i], bits, seconds, bits_before, seconds_before);
      bits_before = bits;
      seconds_before = seconds;
    }
  if (component != NULL && bits_before == 0)
    return conformance_fail (error, "a million elements take 0 bits");
  return component != NULL;
}

/* The share that is lost, over all streams; NaN with an error set. */
static double
measure_losses (CleaveChannel *channel, double drop_rate, GError **error)
{
  gsize n_lost = 0;

  for (guint32 stream = 0; stream < N_STREAMS; stream++)
    {
      g_autoptr (GBytes) losses = draw (channel, N_ELEMENTS, drop_rate, stream, error);

      if (losses == NULL)
        return NAN;
      const guint8 *arrived = g_bytes_get_data (losses, NULL);
      for (gsize i = 0; i < N_ELEMENTS; i++)
        n_lost += arrived[i] == 0;
    }
  return n_lost / ((double)N_STREAMS * N_ELEMENTS);
}

static gboolean
check_share (CleaveChannel *channel, double wanted, double drop_rate, GError **error)
{
  double share = measure_losses (channel, wanted, error);

  if (isnan (share))
    return FALSE;
  if (drop_rate == 0 && share > 0)
    return conformance_fail (error, "at drop rate 0 a share of %g is lost, expected nothing", share);
  if (fabs (share - drop_rate) > TOLERANCE)
    return conformance_fail (error, "%d × %d elements at drop rate %g%s lost %.4f of them, expected %g ± %g", N_STREAMS,
                             N_ELEMENTS, drop_rate, wanted < 0 ? " (its own)" : "", share, drop_rate, TOLERANCE);
  return TRUE;
}

/* A channel may refuse a rate that it can't have with its parameters; that at 0 nothing is lost holds for all. */
static gboolean
check_losses (Conformance *self, GError **error)
{
  static const double rates[] = { 0, 0.1, 0.2, 0.5, 0.9 };
  g_autoptr (GObject) component = conformance_make (self, error);
  CleaveChannel *channel = CLEAVE_CHANNEL (component);

  for (gsize i = 0; component != NULL && i < G_N_ELEMENTS (rates); i++)
    {
      g_autoptr (GError) problem = NULL;

      if (check_share (channel, rates[i], rates[i], &problem))
        continue;
      if (rates[i] == 0 || !conformance_is_clean (problem))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }
      conformance_note (self, "drop rate %g is refused: %s", rates[i], problem->message);
    }
  return component != NULL;
}

static gboolean
check_own_losses (Conformance *self, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);
  double own = component != NULL ? cleave_channel_drop_rate (CLEAVE_CHANNEL (component), error) : NAN;

  return !isnan (own) && check_share (CLEAVE_CHANNEL (component), -1, own, error);
}

/* A stream gives the same losses whatever was drawn before and by whichever component, another stream gives others. */
static gboolean
check_streams (Conformance *self, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);
  g_autoptr (GObject) another = component != NULL ? conformance_make (self, error) : NULL;

  if (another == NULL)
    return FALSE;
  g_autoptr (GBytes) first = draw (CLEAVE_CHANNEL (component), N_ELEMENTS, 0.25, 1, error);
  g_autoptr (GBytes) other = first != NULL ? draw (CLEAVE_CHANNEL (component), N_ELEMENTS, 0.25, 2, error) : NULL;
  g_autoptr (GBytes) again = other != NULL ? draw (CLEAVE_CHANNEL (component), N_ELEMENTS, 0.25, 1, error) : NULL;
  g_autoptr (GBytes) same = again != NULL ? draw (CLEAVE_CHANNEL (another), N_ELEMENTS, 0.25, 1, error) : NULL;

  if (same == NULL)
    return FALSE;
  if (!g_bytes_equal (first, again) || !g_bytes_equal (first, same))
    return conformance_fail (error, "the same random stream gave other losses, expected the same");
  if (g_bytes_equal (first, other))
    return conformance_fail (error, "two random streams gave the same losses, expected them to come from the stream");
  return TRUE;
}

static gboolean
check_nothing_sent (Conformance *self, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);
  g_autoptr (GBytes) losses = component != NULL ? draw (CLEAVE_CHANNEL (component), 0, 0.25, 0, error) : NULL;

  return losses != NULL;
}

static const ConformanceCheck checks[] = {
  { "transfer", check_transfer, FALSE },
  { "losses", check_losses, FALSE },
  { "losses: own drop rate", check_own_losses, FALSE },
  { "losses: same seed twice", check_streams, FALSE },
  { "losses: no elements", check_nothing_sent, FALSE },
  { NULL, NULL, FALSE },
};

const ConformanceKind conformance_channel = { use_channel, 50, FALSE, checks };
