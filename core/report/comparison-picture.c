/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "comparison-picture.h"
#include "chart.h"

static const CleaveColour colours[] = { CLEAVE_COLOUR_BLUE,   CLEAVE_COLOUR_VERMILLION, CLEAVE_COLOUR_GREEN,
                                        CLEAVE_COLOUR_PURPLE, CLEAVE_COLOUR_ORANGE,     CLEAVE_COLOUR_SKY };
static const CleaveMark shapes[] = { CLEAVE_MARK_CIRCLE, CLEAVE_MARK_SQUARE, CLEAVE_MARK_TRIANGLE, CLEAVE_MARK_DIAMOND,
                                     CLEAVE_MARK_INVERTED_TRIANGLE };

/* A method keeps colour and shape in all pictures. */
static CleaveStyle
method_style (guint method, double mark_px, double opacity)
{
  return (CleaveStyle){ .colour = colours[method % G_N_ELEMENTS (colours)],
                        .mark = shapes[method % G_N_ELEMENTS (shapes)],
                        .mark_px = mark_px,
                        .opacity = opacity };
}

/* Stands in the legend for what the larger marks are. */
static void
explain_medians (CleavePanel *panel)
{
  cleave_panel_add_series (
      panel, "median",
      (CleaveStyle){
          .colour = CLEAVE_COLOUR_GREY, .mark = CLEAVE_MARK_CIRCLE, .mark_px = 24, .opacity = 1, .outlined = TRUE });
}

static gboolean
draw_comparison (const CleaveComparison *self, const char *folder, GError **error)
{
  g_autoptr (CleaveChart) chart = cleave_chart_new ("Accuracy and latency of the models found", "latency (ms)");
  g_autofree char *y_label = g_strdup_printf ("accuracy at drop rate %g (%%)", self->drop_rate);
  g_autofree char *threshold = g_strdup_printf ("threshold %g ms", self->latency_threshold_ms);
  CleavePanel *panel = cleave_chart_add_panel (chart, y_label);

  cleave_panel_add_reference (panel, CLEAVE_AXIS_X, self->latency_threshold_ms, threshold);
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];
      CleaveSeries *series = cleave_panel_add_series (panel, method->name, method_style (m, 13, 0.75));

      for (guint i = 0; i < method->runs->len; i++)
        {
          const CleaveResult *run = method->runs->pdata[i];

          cleave_series_add (series, run->latency.total_ms, 100 * cleave_comparison_accuracy (run, self->drop_rate));
        }
    }
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];
      CleaveStyle style = method_style (m, 24, 1);

      style.outlined = TRUE;
      cleave_series_add (cleave_panel_add_series (panel, NULL, style), method->latency_ms.median,
                         100 * method->accuracy.median);
    }
  explain_medians (panel);
  return cleave_chart_write (chart, folder, "comparison", error);
}

/* Adds the runs' accuracies at a drop rate, and their median, each where there is one. */
static void
add_accuracies (const CleaveMethod *method, double drop_rate, CleaveSeries *single, CleaveSeries *medians)
{
  for (guint i = 0; i < method->runs->len; i++)
    cleave_series_add (single, drop_rate, 100 * cleave_comparison_accuracy (method->runs->pdata[i], drop_rate));
  cleave_series_add (medians, drop_rate, 100 * cleave_comparison_median_accuracy (method, drop_rate));
}

static gboolean
draw_accuracy (const CleaveComparison *self, const char *folder, GError **error)
{
  g_autoptr (CleaveChart) chart
      = cleave_chart_new ("Accuracy when elements are lost: medians and single runs", "drop rate");
  g_autofree char *channel = g_strdup_printf ("channel's drop rate %g", self->drop_rate);
  CleavePanel *panel = cleave_chart_add_panel (chart, "accuracy (%)");
  g_autoptr (GArray) drop_rates = cleave_comparison_drop_rates (self);

  cleave_panel_add_reference (panel, CLEAVE_AXIS_X, self->drop_rate, channel);
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];
      CleaveStyle style = method_style (m, 16, 1);
      CleaveSeries *single = cleave_panel_add_series (panel, NULL, method_style (m, 9, 0.4));
      CleaveSeries *medians;

      style.line_px = 3;
      medians = cleave_panel_add_series (panel, method->name, style);
      for (guint i = 0; i < drop_rates->len; i++)
        add_accuracies (method, g_array_index (drop_rates, double, i), single, medians);
    }
  return cleave_chart_write (chart, folder, "accuracy", error);
}

gboolean
cleave_comparison_draw (const CleaveComparison *self, const char *folder, GError **error)
{
  return draw_comparison (self, folder, error) && draw_accuracy (self, folder, error);
}
