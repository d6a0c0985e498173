/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The roofline (Williams et al., CACM 2009), op by op: each takes as long as its computation or its memory traffic,
 * whichever is longer. */
#include <cleave/cleave.h>

typedef struct
{
  GObject parent_instance;
  double peak;      /* FLOPS, as CleaveOp counts: a multiply-accumulate is one */
  double bandwidth; /* B/s */
} Roofline;

static double
roofline_estimate (CleaveOracle *oracle, CleaveNetwork *network, guint first_op, guint end_op, GError **error)
{
  Roofline *self = (Roofline *)oracle;
  double seconds = 0;

  for (guint i = first_op; i < end_op; i++)
    {
      const CleaveOp *op = cleave_network_get_op (network, i);
      seconds += MAX (op->flops / self->peak, op->bytes / self->bandwidth);
    }
  return seconds;
}

CLEAVE_PLUGIN_BEGIN (Roofline, roofline, ORACLE)
  CLEAVE_PARAMETER (peak, DOUBLE, "FLOPS", 1e6, 1e15, 1e10,
                    "Arithmetic peak of the device; a multiply-accumulate counts one, a norm 5 an element")
  CLEAVE_PARAMETER (bandwidth, DOUBLE, "B/s", 1e6, 1e13, 1e10, "Memory bandwidth of the device")
  CLEAVE_METHOD (estimate, roofline_estimate)
CLEAVE_PLUGIN_END
