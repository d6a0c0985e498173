/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

CLEAVE_EXPORT gboolean cleave_quantity_parse (const char *text, const char *unit, double *value, GError **error);
CLEAVE_EXPORT char *cleave_quantity_format (double value, const char *unit);

G_END_DECLS
