/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "csv.h"

#include <math.h>

void
cleave_csv_append_number (GString *row, double value)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_c (row, ',');
  if (!isnan (value))
    g_string_append (row, g_ascii_formatd (digits, sizeof digits, "%.9g", value));
}
