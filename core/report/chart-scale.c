/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chart-scale.h"

#include <math.h>

/* Of the values' span, on either side. */
#define MARGIN 0.05

/* The power of ten times 1, 2 or 5 next to LENGTH. */
static double
choose_step (double length)
{
  double power = pow (10, floor (log10 (length)));
  double digits = length / power;

  return (digits < 1.5 ? 1 : digits < 3 ? 2 : digits < 7 ? 5 : 10) * power;
}

CleaveScale
cleave_scale_new (double minimum, double maximum, guint n_steps)
{
  CleaveScale self = { 0 };
  double size, margin;

  if (minimum > maximum)
    {
      minimum = 0;
      maximum = 1;
    }
  /* Rounding errors of equal values must not be blown up to the height of the chart. */
  size = fmax (fabs (minimum), fabs (maximum));
  margin = maximum - minimum > fmax (1e-9 * size, 1e-9) ? MARGIN * (maximum - minimum)
           : size > 1e-6                                ? MARGIN * size
                                                        : 1;
  self.low = minimum - margin;
  self.high = maximum + margin;
  self.step = choose_step ((self.high - self.low) / n_steps);
  self.first_tick = ceil (self.low / self.step);
  self.n_ticks = (gint64)floor (self.high / self.step) - self.first_tick + 1;
  self.n_decimals = fmax (0, ceil (-log10 (self.step) - 1e-9));
  return self;
}

double
cleave_scale_tick (const CleaveScale *self, guint tick)
{
  return (self->first_tick + tick) * self->step;
}

char *
cleave_scale_label (const CleaveScale *self, guint tick)
{
  g_autofree char *form = g_strdup_printf ("%%.%uf", self->n_decimals);
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  /* Adding 0 makes −0 an ordinary one. */
  return g_strdup (g_ascii_formatd (digits, sizeof digits, form, cleave_scale_tick (self, tick) + 0.0));
}
