/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Appends a comma and the number, with nine digits; nothing behind the comma where it is NaN. */
void cleave_csv_append_number (GString *row, double value);

G_END_DECLS
