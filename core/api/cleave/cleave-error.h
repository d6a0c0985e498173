/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

/**
 * CLEAVE_ERROR:
 *
 * The error domain of everything in Cleave, with the codes of [error@Error].
 */
#define CLEAVE_ERROR (cleave_error_quark ())

/**
 * CleaveError:
 * @CLEAVE_ERROR_CONFIG: a config, option or parameter is wrong: the user can mend it
 * @CLEAVE_ERROR_PLUGIN: a plugin is missing, can't be loaded or broke its contract
 * @CLEAVE_ERROR_DATA: a data file is missing, damaged or not of the form expected
 * @CLEAVE_ERROR_UNSUPPORTED: the thing asked is well-formed but can't be done by this component
 * @CLEAVE_ERROR_NUMERIC: a computation gave NaN or infinity
 * @CLEAVE_ERROR_IO: reading or writing failed
 * @CLEAVE_ERROR_CANCELLED: the user stopped the work
 *
 * Why something failed. A message names the file, line or key, the value, and what was expected. The command exits
 * with 2 for CONFIG and PLUGIN, 130 for CANCELLED, else 1.
 */
typedef enum
{
  CLEAVE_ERROR_CONFIG,
  CLEAVE_ERROR_PLUGIN,
  CLEAVE_ERROR_DATA,
  CLEAVE_ERROR_UNSUPPORTED,
  CLEAVE_ERROR_NUMERIC,
  CLEAVE_ERROR_IO,
  CLEAVE_ERROR_CANCELLED,
} CleaveError;

CLEAVE_EXPORT GQuark cleave_error_quark (void);
CLEAVE_EXPORT void cleave_error_set_literal (GError **error, CleaveError code, const char *message);

G_END_DECLS
