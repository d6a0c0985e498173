/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chart.h"
#include "chart-draw.h"

#include <math.h>

static void
series_free (gpointer data)
{
  CleaveSeries *self = data;

  g_free (self->name);
  g_array_unref (self->points);
  g_free (self);
}

static void
reference_clear (gpointer data)
{
  g_free (((CleaveReference *)data)->label);
}

static void
panel_free (gpointer data)
{
  CleavePanel *self = data;

  g_free (self->y_label);
  g_ptr_array_unref (self->series);
  g_array_unref (self->references);
  g_free (self);
}

CleaveChart *
cleave_chart_new (const char *title, const char *x_label)
{
  CleaveChart *self = g_new0 (CleaveChart, 1);

  self->title = g_strdup (title);
  self->x_label = g_strdup (x_label);
  self->panels = g_ptr_array_new_with_free_func (panel_free);
  return self;
}

void
cleave_chart_free (CleaveChart *self)
{
  g_free (self->title);
  g_free (self->x_label);
  g_free (self->message);
  g_ptr_array_unref (self->panels);
  g_free (self);
}

CleavePanel *
cleave_chart_add_panel (CleaveChart *self, const char *y_label)
{
  CleavePanel *panel = g_new0 (CleavePanel, 1);

  panel->y_label = g_strdup (y_label);
  panel->series = g_ptr_array_new_with_free_func (series_free);
  panel->references = g_array_new (FALSE, FALSE, sizeof (CleaveReference));
  g_array_set_clear_func (panel->references, reference_clear);
  g_ptr_array_add (self->panels, panel);
  return panel;
}

CleaveSeries *
cleave_panel_add_series (CleavePanel *self, const char *name, CleaveStyle style)
{
  CleaveSeries *series = g_new0 (CleaveSeries, 1);

  series->name = g_strdup (name);
  series->style = style;
  series->points = g_array_new (FALSE, FALSE, sizeof (CleavePoint));
  g_ptr_array_add (self->series, series);
  return series;
}

static gboolean
is_drawable (double value)
{
  return fabs (value) < 1e12; /* false for NaN */
}

void
cleave_panel_add_reference (CleavePanel *self, CleaveAxis axis, double value, const char *label)
{
  CleaveReference reference = { axis, value, NULL };

  if (!is_drawable (value))
    return;
  reference.label = g_strdup (label);
  g_array_append_val (self->references, reference);
}

void
cleave_series_add (CleaveSeries *self, double x, double y)
{
  CleavePoint point = { x, y };

  if (is_drawable (x) && is_drawable (y))
    g_array_append_val (self->points, point);
}

gboolean
cleave_chart_write (const CleaveChart *self, const char *folder, const char *name, GError **error)
{
  static const struct
  {
    const char *device;
    const char *suffix;
  } forms[] = { { "svg", "svg" }, { "pngcairo", "png" } };

  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%s.%s", folder, name, forms[i].suffix);
      g_autoptr (GBytes) picture = cleave_chart_draw (self, forms[i].device, error);

      if (picture == NULL)
        {
          g_prefix_error (error, "%s: can't be drawn: ", path);
          return FALSE;
        }
      if (!cleave_file_replace (path, g_bytes_get_data (picture, NULL), g_bytes_get_size (picture), error))
        return FALSE;
    }
  return TRUE;
}
