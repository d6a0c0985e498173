/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-picture.h"
#include "chart.h"
#include "comparison.h"
#include "trial-log.h"

#include <math.h>

/* What keeps a picture of 70 000 trials small, and readable. */
#define MAX_DOTS 1500
#define MAX_LINE_POINTS 400

/* Of the trials, in what a running value is taken of. */
#define WINDOW_SHARE 0.05

/* Trials that may be compared: they were scored in the same way. */
typedef struct
{
  const char *name;
  CleavePlacement placement;
  CleaveFidelity fidelity;
  CleaveColour dots;
  CleaveColour line;
  GArray *entries; /* CleaveTrialEntry */
} Group;

/* The number of a trial that a picture shows. */
typedef double (*Quantity) (const CleaveTrialEntry *entry);
typedef double (*Statistic) (double *values, gsize n);

static double
get_objective (const CleaveTrialEntry *entry)
{
  return entry->objective;
}

static double
get_latency (const CleaveTrialEntry *entry)
{
  return entry->latency_ms;
}

static double
get_mean (double *values, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += values[i];
  return sum / n;
}

static double
get_median (double *values, gsize n)
{
  return cleave_spread (values, n).median;
}

static const CleaveTrialEntry *
get_entry (GArray *entries, guint index)
{
  return &g_array_index (entries, CleaveTrialEntry, index);
}

/* The Ith of N_CHOSEN that lie evenly among N, the first and the last among them. */
static guint
choose (guint i, guint n_chosen, guint n)
{
  return n_chosen > 1 ? (guint64)i * (n - 1) / (n_chosen - 1) : 0;
}

static void
add_dots (CleavePanel *panel, const Group *group, guint n_trials, Quantity quantity)
{
  guint n = group->entries->len;
  guint n_dots = n_trials > MAX_DOTS ? MAX (1, (guint64)n * MAX_DOTS / n_trials) : n;
  CleaveSeries *series = cleave_panel_add_series (
      panel, group->name,
      (CleaveStyle){ .colour = group->dots, .mark = CLEAVE_MARK_DOT, .mark_px = 8, .opacity = 0.45 });

  for (guint i = 0; i < n_dots; i++)
    {
      const CleaveTrialEntry *entry = get_entry (group->entries, choose (i, n_dots, n));

      cleave_series_add (series, entry->step, quantity (entry));
    }
}

/* A line through the statistic of a window centred at each trial, which is narrower at both ends. None where the window
 * holds that trial alone: it would run from dot to dot. */
static void
add_running (CleavePanel *panel, const Group *group, const char *name, Quantity quantity, Statistic statistic)
{
  guint n = group->entries->len, n_points = MIN (n, MAX_LINE_POINTS), half = n * WINDOW_SHARE / 2;
  g_autofree double *values = g_new (double, 2 * half + 1);
  g_autofree char *label = g_strdup_printf ("running %s of %u", name, 2 * half + 1);
  CleaveSeries *series;

  if (half == 0)
    return;
  series = cleave_panel_add_series (panel, label, (CleaveStyle){ .colour = group->line, .opacity = 1, .line_px = 3.5 });
  for (guint i = 0; i < n_points; i++)
    {
      guint middle = choose (i, n_points, n), first = middle - MIN (half, middle);
      guint n_values = 0;

      for (guint j = first; j <= middle + half && j < n; j++)
        if (isfinite (quantity (get_entry (group->entries, j))))
          values[n_values++] = quantity (get_entry (group->entries, j));
      if (n_values > 0)
        cleave_series_add (series, get_entry (group->entries, middle)->step, statistic (values, n_values));
    }
}

/* Dots for the trials; a line for those of the search itself, not for the final ones on the whole search split. */
static void
add_trials (CleavePanel *panel, GArray *trials, const char *statistic_name, Quantity quantity, Statistic statistic)
{
  Group groups[] = {
    { "split, on a minibatch", CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_MINIBATCH, CLEAVE_COLOUR_SKY, CLEAVE_COLOUR_BLUE,
      NULL },
    { "on the device, on a minibatch", CLEAVE_PLACEMENT_DEVICE, CLEAVE_FIDELITY_MINIBATCH, CLEAVE_COLOUR_ORANGE,
      CLEAVE_COLOUR_VERMILLION, NULL },
    { "split, on all search images", CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_FULL, CLEAVE_COLOUR_BLUE,
      CLEAVE_COLOUR_BLUE, NULL },
    { "on the device, on all search images", CLEAVE_PLACEMENT_DEVICE, CLEAVE_FIDELITY_FULL, CLEAVE_COLOUR_PURPLE,
      CLEAVE_COLOUR_PURPLE, NULL },
  };

  for (gsize g = 0; g < G_N_ELEMENTS (groups); g++)
    {
      Group *group = &groups[g];
      g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (CleaveTrialEntry));

      for (guint i = 0; i < trials->len; i++)
        {
          const CleaveTrialEntry *entry = get_entry (trials, i);

          if (entry->placement == group->placement && entry->fidelity == group->fidelity)
            g_array_append_vals (entries, entry, 1);
        }
      if (entries->len == 0)
        continue;
      group->entries = entries;
      if (entries->len == trials->len)
        group->name = "candidate";
      add_dots (panel, group, trials->len, quantity);
      if (group->fidelity == CLEAVE_FIDELITY_MINIBATCH)
        add_running (panel, group, statistic_name, quantity, statistic);
    }
}

static gboolean
has_entropy (const CleaveTrialLog *log)
{
  for (guint i = 0; i < log->entries->len; i++)
    if (isfinite (get_entry (log->entries, i)->entropy))
      return TRUE;
  return FALSE;
}

static void
add_entropy (CleaveChart *chart, const CleaveTrialLog *log)
{
  guint n = log->entries->len, n_points = MIN (n, MAX_LINE_POINTS);
  g_autofree char *label = g_strdelimit (g_strdup (log->entropy_name), "_", ' ');
  CleavePanel *panel = cleave_chart_add_panel (chart, label);
  CleaveSeries *series = cleave_panel_add_series (
      panel, NULL, (CleaveStyle){ .colour = CLEAVE_COLOUR_BLUE, .opacity = 1, .line_px = 3.5 });

  for (guint i = 0; i < n_points; i++)
    {
      const CleaveTrialEntry *entry = get_entry (log->entries, choose (i, n_points, n));

      cleave_series_add (series, entry->step, entry->entropy);
    }
}

static void
say_if_empty (CleaveChart *chart, GArray *trials, const char *message)
{
  if (trials->len == 0)
    chart->message = g_strdup (message);
}

/* The objective of the others is their penalty alone, which is not to be compared with theirs. */
static GArray *
list_scored (const CleaveTrialLog *log)
{
  GArray *scored = g_array_new (FALSE, FALSE, sizeof (CleaveTrialEntry));

  for (guint i = 0; i < log->entries->len; i++)
    if (!isnan (get_entry (log->entries, i)->loss))
      g_array_append_vals (scored, get_entry (log->entries, i), 1);
  return scored;
}

static gboolean
draw_objective (const CleaveTrialLog *log, const char *folder, GError **error)
{
  g_autoptr (CleaveChart) chart = cleave_chart_new ("Objective over the search", "step");
  g_autoptr (GArray) scored = list_scored (log);

  say_if_empty (chart, scored, "no candidates were scored");
  add_trials (cleave_chart_add_panel (chart, "objective"), scored, "mean", get_objective, get_mean);
  if (has_entropy (log))
    add_entropy (chart, log);
  return cleave_chart_write (chart, folder, "objective", error);
}

static gboolean
draw_latency (const CleaveTrialLog *log, const CleaveResult *result, const char *folder, GError **error)
{
  g_autoptr (CleaveChart) chart = cleave_chart_new ("Latency of the candidates over the search", "step");
  g_autofree char *threshold = g_strdup_printf ("threshold %g ms", result->latency_threshold_ms);
  CleavePanel *panel = cleave_chart_add_panel (chart, "latency (ms)");

  say_if_empty (chart, log->entries, "no candidates were sampled");
  cleave_panel_add_reference (panel, CLEAVE_AXIS_Y, result->latency_threshold_ms, threshold);
  add_trials (panel, log->entries, "median", get_latency, get_median);
  return cleave_chart_write (chart, folder, "latency", error);
}

static gboolean
draw_accuracy (const CleaveResult *result, const char *folder, GError **error)
{
  g_autoptr (CleaveChart) chart = cleave_chart_new ("Accuracy when elements are lost", "drop rate");
  g_autofree char *channel = g_strdup_printf ("channel's drop rate %g", result->channel_drop_rate);
  CleavePanel *panel = cleave_chart_add_panel (chart, "accuracy (%)");
  CleaveSeries *series = cleave_panel_add_series (
      panel, NULL,
      (CleaveStyle){
          .colour = CLEAVE_COLOUR_BLUE, .mark = CLEAVE_MARK_CIRCLE, .mark_px = 14, .opacity = 1, .line_px = 3 });

  cleave_panel_add_reference (panel, CLEAVE_AXIS_X, result->channel_drop_rate, channel);
  for (guint i = 0; i < result->accuracies->len; i++)
    {
      const CleaveAccuracy *accuracy = &g_array_index (result->accuracies, CleaveAccuracy, i);

      cleave_series_add (series, accuracy->drop_rate, 100.0 * accuracy->n_correct / result->n_test_images);
    }
  return cleave_chart_write (chart, folder, "accuracy", error);
}

gboolean
cleave_run_draw (const char *folder, GError **error)
{
  g_autofree char *result_path = g_build_filename (folder, "result.json", NULL);
  g_autofree char *trials_path = g_build_filename (folder, "trials.csv", NULL);
  g_autoptr (CleaveResult) result = cleave_result_load (result_path, error);
  g_autoptr (CleaveTrialLog) log = result != NULL ? cleave_trial_log_load (trials_path, error) : NULL;

  return log != NULL && draw_objective (log, folder, error) && draw_latency (log, result, folder, error)
         && draw_accuracy (result, folder, error);
}

gboolean
cleave_run_is_drawn (const char *folder)
{
  static const char *const names[]
      = { "objective.svg", "objective.png", "latency.svg", "latency.png", "accuracy.svg", "accuracy.png" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        return FALSE;
    }
  return TRUE;
}
