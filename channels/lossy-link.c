/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A link of stable throughput that loses each element independently (NASC, eq. 10). What is lost is not sent again, so
 * losses take no time. */
#include <cleave/cleave.h>

typedef struct
{
  GObject parent_instance;
  double throughput; /* bit/s */
  double drop_rate;
  guint bits_per_element;
} LossyLink;

static double
lossy_link_bits (CleaveChannel *channel, gsize n_elements, GError **error)
{
  LossyLink *self = (LossyLink *)channel;

  return (double)n_elements * self->bits_per_element;
}

static double
lossy_link_seconds (CleaveChannel *channel, gsize n_elements, GError **error)
{
  LossyLink *self = (LossyLink *)channel;

  return lossy_link_bits (channel, n_elements, error) / self->throughput;
}

static double
lossy_link_drop_rate (CleaveChannel *channel, GError **error)
{
  LossyLink *self = (LossyLink *)channel;

  return self->drop_rate;
}

static GBytes *
lossy_link_draw_losses (CleaveChannel *channel, gsize n_elements, double drop_rate, CleaveRandom *random,
                        GError **error)
{
  /* Rounded to a multiple of 2⁻³². */
  return cleave_random_flags (random, n_elements, 1 - drop_rate);
}

CLEAVE_PLUGIN_BEGIN (LossyLink, lossy_link, CHANNEL)
  CLEAVE_PARAMETER (throughput, DOUBLE, "bit/s", 1, 1e12, 8e6, "Throughput, MAC and network overheads included")
  CLEAVE_PARAMETER (drop_rate, DOUBLE, "", 0, 0.99, 0.2, "Probability that an element is lost")
  CLEAVE_PARAMETER (bits_per_element, UINT, "bit", 1, 64, 32, "Bits that carry one element")
  CLEAVE_METHOD (bits, lossy_link_bits)
  CLEAVE_METHOD (seconds, lossy_link_seconds)
  CLEAVE_METHOD (drop_rate, lossy_link_drop_rate)
  CLEAVE_METHOD (draw_losses, lossy_link_draw_losses)
CLEAVE_PLUGIN_END
