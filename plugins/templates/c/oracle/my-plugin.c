/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device of constant speed that takes a moment to begin each operation. */
#include <cleave/cleave.h>

typedef struct
{
  GObject parent_instance;
  /* The parameters that are declared below, in these units. */
  double speed; /* FLOPS, as CleaveOp counts: a multiply-accumulate is one */
  double start; /* s */
} MyPlugin;

/* Seconds for one image; NaN with an error set where the oracle can't tell. */
static double
my_plugin_estimate (CleaveOracle *oracle, CleaveNetwork *network, guint first_op, guint end_op, GError **error)
{
  MyPlugin *self = (MyPlugin *)oracle;
  double seconds = 0;

  for (guint i = first_op; i < end_op; i++)
    seconds += self->start + cleave_network_get_op (network, i)->flops / self->speed;
  return seconds;
}

CLEAVE_PLUGIN_BEGIN (MyPlugin, my_plugin, ORACLE)
  CLEAVE_PARAMETER (speed, DOUBLE, "FLOPS", 1e6, 1e15, 1e10, "Speed of the device; a multiply-accumulate counts one")
  CLEAVE_PARAMETER (start, DOUBLE, "s", 0, 1, 1e-5, "Time to begin an operation")
  CLEAVE_METHOD (estimate, my_plugin_estimate)
CLEAVE_PLUGIN_END
