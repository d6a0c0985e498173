/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an axis shows, and where its ticks are. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

typedef struct
{
  double low;
  double high;
  double step; /* ticks are at its whole multiples */
  gint64 first_tick;
  guint n_ticks;
  guint n_decimals; /* of a tick's label */
} CleaveScale;

/* Of values from MINIMUM to MAXIMUM, with some room beside them; about N_STEPS between ticks. Where MINIMUM exceeds
 * MAXIMUM there are no values. */
CleaveScale cleave_scale_new (double minimum, double maximum, guint n_steps);
double cleave_scale_tick (const CleaveScale *self, guint tick);
char *cleave_scale_label (const CleaveScale *self, guint tick);

G_END_DECLS
