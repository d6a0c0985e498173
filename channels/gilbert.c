/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A link of stable throughput that loses elements in bursts: the channel of E. N. Gilbert, "Capacity of a burst-noise
 * channel" (Bell System Technical Journal 39, 1960) and E. O. Elliott, "Estimates of error rates for codes on
 * burst-noise channels" (ibid. 42, 1963), in its simplest form: nothing is lost in the good state, all in the bad one.
 *
 * With a share p of elements lost and bursts of b elements on average, each element moves the channel
 *   from bad to good with probability 1/b, so a burst is geometric with mean b;
 *   from good to bad with probability p/(b(1 − p)), so that as many bursts begin as end: (1 − p)·p/(b(1 − p)) = p/b.
 * The latter is at most 1 where p ≤ b/(b + 1): between two bursts lies one element at least. b = 1/(1 − p) is
 * independent loss, a shorter burst makes losses avoid each other. */
#include <cleave/cleave.h>

#include <math.h>

typedef struct
{
  GObject parent_instance;
  double throughput; /* bit/s */
  double drop_rate;
  double burst_length; /* elements */
  guint bits_per_element;
} Gilbert;

static gboolean
check_drop_rate (Gilbert *self, double drop_rate, GError **error)
{
  double highest = self->burst_length / (self->burst_length + 1);

  if (drop_rate > highest)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                 "gilbert: a drop rate of %g with burst-length = %g, expected a drop rate of at most %g, or bursts of "
                 "at least %g elements: one arrives between two bursts",
                 drop_rate, self->burst_length, highest, drop_rate / (1 - drop_rate));
  return drop_rate <= highest;
}

static double
gilbert_bits (CleaveChannel *channel, gsize n_elements, GError **error)
{
  Gilbert *self = (Gilbert *)channel;

  return (double)n_elements * self->bits_per_element;
}

static double
gilbert_seconds (CleaveChannel *channel, gsize n_elements, GError **error)
{
  Gilbert *self = (Gilbert *)channel;

  /* Losses take no time, but a search asks for the time first, and losses at the channel's own rate only at its end. */
  if (!check_drop_rate (self, self->drop_rate, error))
    return NAN;
  return gilbert_bits (channel, n_elements, error) / self->throughput;
}

static double
gilbert_drop_rate (CleaveChannel *channel, GError **error)
{
  Gilbert *self = (Gilbert *)channel;

  return self->drop_rate;
}

static GBytes *
gilbert_draw_losses (CleaveChannel *channel, gsize n_elements, double drop_rate, CleaveRandom *random, GError **error)
{
  Gilbert *self = (Gilbert *)channel;

  if (!check_drop_rate (self, drop_rate, error))
    return NULL;

  /* The stationary state, in which each element is lost with probability p. */
  gboolean lost = cleave_random_uniform (random) < drop_rate;
  g_autoptr (GBytes) begin_flags
      = cleave_random_flags (random, n_elements, drop_rate / (self->burst_length * (1 - drop_rate)));
  g_autoptr (GBytes) end_flags = cleave_random_flags (random, n_elements, 1 / self->burst_length);
  const guint8 *begins = g_bytes_get_data (begin_flags, NULL);
  const guint8 *ends = g_bytes_get_data (end_flags, NULL);
  guint8 *arrived = g_malloc (n_elements);
  for (gsize i = 0; i < n_elements; i++)
    {
      arrived[i] = !lost;
      lost = lost ? !ends[i] : begins[i];
    }
  return g_bytes_new_take (arrived, n_elements);
}

CLEAVE_PLUGIN_BEGIN (Gilbert, gilbert, CHANNEL)
  CLEAVE_PARAMETER (throughput, DOUBLE, "bit/s", 1, 1e12, 8e6, "Throughput, MAC and network overheads included")
  CLEAVE_PARAMETER (drop_rate, DOUBLE, "", 0, 0.99, 0.2, "Share of the elements that is lost")
  CLEAVE_PARAMETER (burst_length, DOUBLE, "", 1, 1e6, 10, "Mean number of elements lost in a row")
  CLEAVE_PARAMETER (bits_per_element, UINT, "bit", 1, 64, 32, "Bits that carry one element")
  CLEAVE_METHOD (bits, gilbert_bits)
  CLEAVE_METHOD (seconds, gilbert_seconds)
  CLEAVE_METHOD (drop_rate, gilbert_drop_rate)
  CLEAVE_METHOD (draw_losses, gilbert_draw_losses)
CLEAVE_PLUGIN_END
