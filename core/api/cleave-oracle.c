/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <cleave/cleave-error.h>
#include <cleave/cleave-oracle.h>

#include <math.h>

G_DEFINE_INTERFACE (CleaveOracle, cleave_oracle, G_TYPE_OBJECT)

static void
cleave_oracle_default_init (CleaveOracleInterface *iface)
{
}

/**
 * cleave_oracle_estimate:
 * @self: an oracle
 * @network: a network
 * @first_op: the first op of a stretch
 * @end_op: one past its last op
 * @error: return location for an error
 *
 * The time that a stretch of a network takes for one image on the oracle's device: the head's or the tail's term of
 * eq. 3.
 *
 * An implementation is asked only for stretches that are not empty and lie inside the network. Where it can't tell, it
 * sets %CLEAVE_ERROR_UNSUPPORTED and names what is missing.
 *
 * Returns: seconds, at least 0 and finite; 0 for an empty stretch. NaN on failure: %CLEAVE_ERROR_UNSUPPORTED where the
 *   oracle can't tell or the stretch is outside the network, %CLEAVE_ERROR_PLUGIN where it gave no such number
 */
double
cleave_oracle_estimate (CleaveOracle *self, CleaveNetwork *network, guint first_op, guint end_op, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_ORACLE (self) && network != NULL, NAN);

  if (first_op > end_op || end_op > cleave_network_get_n_ops (network))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED, "ops %u–%u (end excluded) of a network of %u ops",
                   first_op, end_op, cleave_network_get_n_ops (network));
      return NAN;
    }
  if (first_op == end_op)
    return 0;

  CleaveOracleInterface *iface = CLEAVE_ORACLE_GET_IFACE (self);
  g_autoptr (GError) failure = NULL;
  const double seconds = iface->estimate != NULL ? iface->estimate (self, network, first_op, end_op, &failure) : NAN;
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NAN;
    }
  if (!isfinite (seconds) || seconds < 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                   "%s: “estimate” gave %g seconds and set no error, expected a finite number ≥ 0",
                   G_OBJECT_TYPE_NAME (self), seconds);
      return NAN;
    }
  return seconds;
}
