/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

/* "30 ms" with unit "ms" is 30, "0.03 s" with unit "ms" is 30, "8 Mbit/s" with unit "bit/s" is 8e6; a bare number is
 * in UNIT itself. Locale-independent; the whole text must be used up. */
CLEAVE_EXPORT gboolean cleave_quantity_parse (const char *text, const char *unit, double *value, GError **error);
/* The shortest text that parses back to the same number: "30 ms", "8e+06 bit/s" is written "8000000 bit/s". */
CLEAVE_EXPORT char *cleave_quantity_format (double value, const char *unit);

G_END_DECLS
