/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave/cleave-error.h"

/**
 * cleave_error_quark:
 *
 * Gets the error domain; in C, CLEAVE_ERROR is shorter.
 *
 * Returns: the domain of Cleave's errors, `cleave-error-quark`
 */
GQuark
cleave_error_quark (void)
{
  return g_quark_from_static_string ("cleave-error-quark");
}

/**
 * cleave_error_set_literal: (skip)
 * @error: (nullable): where to put the error, as with g_set_error_literal()
 * @code: why it failed
 * @message: what failed: the file, line or key, the value, and what was expected
 *
 * Sets an error of Cleave's domain. Python raises `GLib.Error.new_literal (Cleave.error_quark (), message, code)`
 * instead, which a virtual method hands on to its caller unchanged.
 */
void
cleave_error_set_literal (GError **error, CleaveError code, const char *message)
{
  g_set_error_literal (error, CLEAVE_ERROR, (int)code, message);
}
