/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* flops.c — latency as computation cost over the device's speed (NASC, eq. 8). */

#include <cleave/cleave.h>

#include <math.h>

typedef struct
{
  GObject parent_instance;
  double speed; /* FLOPS; 0: the device's */
  char *device;
} Flops;

/* NASC, Table III: least squares (eq. 9) over HW-NAS-Bench's CIFAR blocks. */
static const struct
{
  const char *name;
  double speed; /* FLOPS */
} devices[] = { { "raspi4", 2.3562e9 }, { "edgegpu", 8.0213e9 } };

static double
flops_estimate (CleaveOracle *oracle, CleaveNetwork *network, guint first_op, guint end_op, GError **error)
{
  Flops *self = (Flops *)oracle;
  double speed = self->speed;

  for (guint i = 0; speed == 0 && i < G_N_ELEMENTS (devices); i++)
    if (g_strcmp0 (devices[i].name, self->device) == 0)
      speed = devices[i].speed;
  if (speed == 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "flops: the speed of the device “%s” is not known, expected raspi4 or edgegpu, or a speed such as "
                   "speed = 2.3562 GFLOPS",
                   self->device != NULL ? self->device : "");
      return NAN;
    }
  return cleave_network_get_flops (network, first_op, end_op) / speed;
}

CLEAVE_PLUGIN_BEGIN (Flops, flops, ORACLE)
  CLEAVE_PARAMETER (speed, DOUBLE, "FLOPS", 0, 1e18, 0, "Speed of the device; 0 takes that of the device named")
  CLEAVE_PARAMETER_STRING (device, "raspi4",
                           "Where no speed is given: raspi4 (2.3562 GFLOPS) or edgegpu (8.0213 GFLOPS)")
  CLEAVE_METHOD (estimate, flops_estimate)
CLEAVE_PLUGIN_END
