/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-network.h>

G_BEGIN_DECLS

/**
 * CleaveOracle:
 *
 * A latency oracle: the computation latency of a stretch of a network on one device (T_comp of eq. 3). A run has two,
 * of the device and of the server.
 */
#define CLEAVE_TYPE_ORACLE (cleave_oracle_get_type ())
CLEAVE_EXPORT
G_DECLARE_INTERFACE (CleaveOracle, cleave_oracle, CLEAVE, ORACLE, GObject)

/**
 * CleaveOracleInterface:
 * @parent_interface: the parent
 * @estimate: seconds that ops first_op … end_op − 1 take for one image on this device; NaN with an error set where it
 *   can't tell (%CLEAVE_ERROR_UNSUPPORTED, naming what is missing). The core has checked the range and answers an
 *   empty one itself
 *
 * The methods of a [iface@Oracle].
 */
struct _CleaveOracleInterface
{
  GTypeInterface parent_interface;

  double (*estimate) (CleaveOracle *self, CleaveNetwork *network, guint first_op, guint end_op, GError **error);
};

CLEAVE_EXPORT double cleave_oracle_estimate (CleaveOracle *self, CleaveNetwork *network, guint first_op, guint end_op,
                                             GError **error);

G_END_DECLS
