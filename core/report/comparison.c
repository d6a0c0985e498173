/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void
method_free (gpointer data)
{
  CleaveMethod *self = data;

  g_free (self->name);
  g_free (self->config_text);
  g_clear_pointer (&self->runs, g_ptr_array_unref);
  g_free (self);
}

CleaveComparison *
cleave_comparison_new (void)
{
  CleaveComparison *self = g_new0 (CleaveComparison, 1);

  self->methods = g_ptr_array_new_with_free_func (method_free);
  return self;
}

void
cleave_comparison_free (CleaveComparison *self)
{
  g_ptr_array_unref (self->methods);
  g_free (self);
}

double
cleave_comparison_accuracy (const CleaveResult *run, double drop_rate)
{
  for (guint i = 0; i < run->accuracies->len; i++)
    {
      const CleaveAccuracy *accuracy = &g_array_index (run->accuracies, CleaveAccuracy, i);

      if (accuracy->drop_rate == drop_rate)
        return (double)accuracy->n_correct / run->n_test_images;
    }
  return NAN;
}

gboolean
cleave_comparison_is_within (const CleaveComparison *self, const CleaveResult *run)
{
  return run->latency.total_ms <= self->latency_threshold_ms;
}

double
cleave_comparison_latency_percent (const CleaveComparison *self, const CleaveMethod *baseline)
{
  const CleaveMethod *first = self->methods->pdata[0];

  return 100 * (first->latency_ms.median - baseline->latency_ms.median) / baseline->latency_ms.median;
}

double
cleave_comparison_accuracy_points (const CleaveComparison *self, const CleaveMethod *baseline)
{
  const CleaveMethod *first = self->methods->pdata[0];

  return 100 * (first->accuracy.median - baseline->accuracy.median);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  double first = *(const double *)a, second = *(const double *)b;

  return (first > second) - (first < second);
}

CleaveSpread
cleave_spread (double *values, gsize n)
{
  qsort (values, n, sizeof *values, compare_numbers);
  return (CleaveSpread){ (values[(n - 1) / 2] + values[n / 2]) / 2, values[0], values[n - 1] };
}

double
cleave_comparison_median_accuracy (const CleaveMethod *method, double drop_rate)
{
  g_autofree double *accuracies = g_new (double, method->runs->len);

  for (guint r = 0; r < method->runs->len; r++)
    {
      accuracies[r] = cleave_comparison_accuracy (method->runs->pdata[r], drop_rate);
      if (isnan (accuracies[r]))
        return NAN;
    }
  return cleave_spread (accuracies, method->runs->len).median;
}

GArray *
cleave_comparison_drop_rates (const CleaveComparison *self)
{
  GArray *drop_rates = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];

      for (guint r = 0; r < method->runs->len; r++)
        {
          const CleaveResult *run = method->runs->pdata[r];

          for (guint i = 0; i < run->accuracies->len; i++)
            g_array_append_val (drop_rates, g_array_index (run->accuracies, CleaveAccuracy, i).drop_rate);
        }
    }
  cleave_evaluation_sort_drop_rates (drop_rates);
  return drop_rates;
}

/* What all methods of a comparison have in common. */
static gboolean
check_run (CleaveComparison *self, const char *name, const CleaveResult *run, GError **error)
{
  if (run->latency_threshold_ms != self->latency_threshold_ms)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "%s: [objective] latency-threshold is %g ms, expected %g ms, as the method before it has", name,
                   run->latency_threshold_ms, self->latency_threshold_ms);
      return FALSE;
    }
  if (run->channel_drop_rate != self->drop_rate)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "%s: the channel's drop rate is %g, expected %g, as the method before it has", name,
                   run->channel_drop_rate, self->drop_rate);
      return FALSE;
    }
  if (isnan (cleave_comparison_accuracy (run, self->drop_rate)))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "%s: the run with seed %u was not evaluated at the channel's drop rate of %g", name, run->seed,
                   self->drop_rate);
      return FALSE;
    }
  return TRUE;
}

/* Of paths, only the files' names: where they lie is of this machine, not of the method. A value with semicolons is a
 * list, of which only the last name would be left. */
static char *
drop_folders (const char *config_text)
{
  g_auto (GStrv) lines = g_strsplit (config_text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *value = strstr (lines[i], " = /");

      if (value != NULL && strchr (value, ';') == NULL)
        {
          g_autofree char *name = g_path_get_basename (value);
          char *line = g_strdup_printf ("%.*s = %s", (int)(value - lines[i]), lines[i], name);

          g_free (lines[i]);
          lines[i] = line;
        }
    }
  return g_strjoinv ("\n", lines);
}

gboolean
cleave_comparison_add (CleaveComparison *self, const char *name, const char *config_text, GPtrArray *runs,
                       double bound_ms, GError **error)
{
  g_autoptr (GPtrArray) owned = runs;
  g_autofree double *accuracies = g_new (double, runs->len);
  g_autofree double *latencies_ms = g_new (double, runs->len);
  const CleaveResult *first = runs->pdata[0];
  CleaveMethod *method;
  guint n_within = 0;

  if (self->methods->len == 0)
    {
      self->latency_threshold_ms = first->latency_threshold_ms;
      self->drop_rate = first->channel_drop_rate;
    }
  for (guint i = 0; i < runs->len; i++)
    {
      const CleaveResult *run = runs->pdata[i];

      if (!check_run (self, name, run, error))
        return FALSE;
      accuracies[i] = cleave_comparison_accuracy (run, self->drop_rate);
      latencies_ms[i] = run->latency.total_ms;
      n_within += cleave_comparison_is_within (self, run);
    }
  method = g_new0 (CleaveMethod, 1);
  /* Of a file, whose name need not be UTF-8. */
  method->name = g_utf8_make_valid (name, -1);
  method->config_text = drop_folders (config_text);
  method->accuracy = cleave_spread (accuracies, runs->len);
  method->latency_ms = cleave_spread (latencies_ms, runs->len);
  method->n_within_threshold = n_within;
  method->bound_ms = bound_ms;
  method->runs = g_steal_pointer (&owned);
  g_ptr_array_add (self->methods, method);
  return TRUE;
}
