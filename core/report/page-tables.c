/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "page-private.h"

#include "markup.h"

#include <math.h>

/* In a container of its own, which scrolls where the window is narrow. */
static void
begin_table (GString *page, const char *label)
{
  markup_append (page, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table>\n", label);
}

static void
end_table (GString *page)
{
  g_string_append (page, "</table></div>\n");
}

static void
append_head (GString *page, const char *text)
{
  markup_append (page, "<th scope=\"col\">%s</th>", text);
}

/* A dash where the number can't be told. */
static void
append_number (GString *page, double value)
{
  if (isfinite (value))
    markup_append (page, "<td>%.2f</td>", value);
  else
    g_string_append (page, "<td>–</td>");
}

/* With its sign, of ±0 too little to see none. */
static void
append_difference (GString *page, double value)
{
  if (!isfinite (value))
    g_string_append (page, "<td>–</td>");
  else if (fabs (value) < 0.005)
    g_string_append (page, "<td>0.00</td>");
  else
    markup_append (page, "<td>%s%.2f</td>", value < 0 ? "−" : "+", fabs (value));
}

static void
append_spread (GString *page, CleaveSpread spread, double scale)
{
  append_number (page, scale * spread.median);
  append_number (page, scale * spread.minimum);
  append_number (page, scale * spread.maximum);
}

/* --- a row a method --- */

static void
append_summary_head (GString *page, const CleaveComparison *self)
{
  const CleaveMethod *first = self->methods->pdata[0];

  markup_append (page,
                 "<caption>Accuracy at a drop rate of %g. The last two columns set the medians of %s against"
                 " those of the row.</caption>\n<thead>\n<tr><th scope=\"col\" rowspan=\"2\">Method</th>"
                 "<th scope=\"col\" rowspan=\"2\">Runs</th><th scope=\"colgroup\" colspan=\"3\">Accuracy, %%</th>"
                 "<th scope=\"colgroup\" colspan=\"3\">Latency, ms</th>",
                 self->drop_rate, first->name);
  markup_append (page,
                 "<th scope=\"col\" rowspan=\"2\">Within %g ms</th><th scope=\"col\" rowspan=\"2\">Lowest possible"
                 " latency, ms</th><th scope=\"colgroup\" colspan=\"2\">%s against it</th></tr>\n<tr>",
                 self->latency_threshold_ms, first->name);
  for (int spread = 0; spread < 2; spread++)
    {
      append_head (page, "median");
      append_head (page, "min.");
      append_head (page, "max.");
    }
  append_head (page, "latency, %");
  append_head (page, "accuracy, points");
  g_string_append (page, "</tr>\n</thead>\n");
}

void
page_append_summary (GString *page, const CleaveComparison *self)
{
  g_string_append (page, "<h2>Methods</h2>\n");
  begin_table (page, "Methods");
  append_summary_head (page, self);
  g_string_append (page, "<tbody>\n");
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];

      markup_append (page, "<tr><th scope=\"row\">%s</th><td>%u</td>", method->name, method->runs->len);
      append_spread (page, method->accuracy, 100);
      append_spread (page, method->latency_ms, 1);
      markup_append (page, "<td>%u of %u</td>", method->n_within_threshold, method->runs->len);
      append_number (page, method->bound_ms);
      append_difference (page, m == 0 ? NAN : cleave_comparison_latency_percent (self, method));
      append_difference (page, m == 0 ? NAN : cleave_comparison_accuracy_points (self, method));
      g_string_append (page, "</tr>\n");
    }
  g_string_append (page, "</tbody>\n");
  end_table (page);
}

/* --- a row a run --- */

static void
append_run (GString *page, const CleaveComparison *self, const CleaveMethod *method, const CleaveResult *run)
{
  const gsize n_choices = cleave_candidate_get_length (run->candidate);

  markup_append (page, "<tr><th scope=\"row\">%s</th><td>%u</td>", method->name, run->seed);
  append_number (page, run->latency.head_ms);
  append_number (page, run->latency.transfer_ms);
  append_number (page, run->latency.tail_ms);
  append_number (page, run->latency.total_ms);
  markup_append (page, "<td>%s</td><td>%" G_GSIZE_FORMAT "</td><td>%s</td>",
                 cleave_comparison_is_within (self, run) ? "yes" : "no", run->latency.payload_elements,
                 run->choice_names[n_choices - 1]);
  append_number (page, 100 * cleave_comparison_accuracy (run, 0));
  if (self->drop_rate > 0)
    append_number (page, 100 * cleave_comparison_accuracy (run, self->drop_rate));
  g_string_append (page, "</tr>\n");
}

static void
append_runs_head (GString *page, const CleaveComparison *self)
{
  markup_append (page,
                 "<caption>A row a run. Latency in ms: of the head on the device, of the transfer, of the tail on the"
                 " server, and of all three.</caption>\n<thead>\n<tr><th scope=\"col\" rowspan=\"2\">Method</th>"
                 "<th scope=\"col\" rowspan=\"2\">Seed</th><th scope=\"colgroup\" colspan=\"4\">Latency, ms</th>"
                 "<th scope=\"col\" rowspan=\"2\">Within %g ms</th><th scope=\"col\" rowspan=\"2\">Payload, elements"
                 "</th><th scope=\"col\" rowspan=\"2\">Split</th><th scope=\"colgroup\" colspan=\"%d\">"
                 "Accuracy, %%, at drop rate</th></tr>\n<tr>",
                 self->latency_threshold_ms, self->drop_rate > 0 ? 2 : 1);
  append_head (page, "head");
  append_head (page, "transfer");
  append_head (page, "tail");
  append_head (page, "total");
  append_head (page, "0");
  if (self->drop_rate > 0)
    markup_append (page, "<th scope=\"col\">%g</th>", self->drop_rate);
  g_string_append (page, "</tr>\n</thead>\n");
}

void
page_append_runs (GString *page, const CleaveComparison *self)
{
  g_string_append (page, "<h2>Runs</h2>\n");
  begin_table (page, "Runs");
  append_runs_head (page, self);
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];

      g_string_append (page, "<tbody>\n");
      for (guint r = 0; r < method->runs->len; r++)
        append_run (page, self, method, method->runs->pdata[r]);
      g_string_append (page, "</tbody>\n");
    }
  end_table (page);
}

/* --- a column a drop rate --- */

void
page_append_drop_rates (GString *page, const CleaveComparison *self)
{
  g_autoptr (GArray) drop_rates = cleave_comparison_drop_rates (self);

  begin_table (page, "Median accuracy by drop rate");
  markup_append (page,
                 "<caption>Median accuracy in %% at each drop rate; the channel’s is %g.</caption>\n<thead>\n<tr>"
                 "<th scope=\"col\">Method</th>",
                 self->drop_rate);
  for (guint i = 0; i < drop_rates->len; i++)
    markup_append (page, "<th scope=\"col\">%g</th>", g_array_index (drop_rates, double, i));
  g_string_append (page, "</tr>\n</thead>\n<tbody>\n");
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];

      markup_append (page, "<tr><th scope=\"row\">%s</th>", method->name);
      for (guint i = 0; i < drop_rates->len; i++)
        append_number (page, 100 * cleave_comparison_median_accuracy (method, g_array_index (drop_rates, double, i)));
      g_string_append (page, "</tr>\n");
    }
  g_string_append (page, "</tbody>\n");
  end_table (page);
}
