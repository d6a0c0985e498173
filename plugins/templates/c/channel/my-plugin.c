/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A link that takes a fixed time a transfer and loses each element independently. */
#include <cleave/cleave.h>

typedef struct
{
  GObject parent_instance;
  /* The parameters that are declared below, in these units. */
  double throughput; /* bit/s */
  double delay;      /* s */
  double drop_rate;
} MyPlugin;

static double
my_plugin_bits (CleaveChannel *channel, gsize n_elements, GError **error)
{
  return 32.0 * n_elements;
}

static double
my_plugin_seconds (CleaveChannel *channel, gsize n_elements, GError **error)
{
  MyPlugin *self = (MyPlugin *)channel;

  return self->delay + my_plugin_bits (channel, n_elements, error) / self->throughput;
}

static double
my_plugin_drop_rate (CleaveChannel *channel, GError **error)
{
  return ((MyPlugin *)channel)->drop_rate;
}

/* A byte an element, 0 = lost, 1 = arrived. All that is random comes from RANDOM, so that the seed fixes a run. */
static GBytes *
my_plugin_draw_losses (CleaveChannel *channel, gsize n_elements, double drop_rate, CleaveRandom *random, GError **error)
{
  return cleave_random_flags (random, n_elements, 1 - drop_rate);
}

CLEAVE_PLUGIN_BEGIN (MyPlugin, my_plugin, CHANNEL)
  CLEAVE_PARAMETER (throughput, DOUBLE, "bit/s", 1, 1e12, 8e6, "Throughput, overheads included")
  CLEAVE_PARAMETER (delay, DOUBLE, "s", 0, 10, 1e-3, "Time before the first bit arrives")
  CLEAVE_PARAMETER (drop_rate, DOUBLE, "", 0, 0.99, 0.2, "Probability that an element is lost")
  CLEAVE_METHOD (bits, my_plugin_bits)
  CLEAVE_METHOD (seconds, my_plugin_seconds)
  CLEAVE_METHOD (drop_rate, my_plugin_drop_rate)
  CLEAVE_METHOD (draw_losses, my_plugin_draw_losses)
CLEAVE_PLUGIN_END
