/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "comparison.h"

#include <math.h>
#include <stdlib.h>

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
      n_within += run->latency.total_ms <= self->latency_threshold_ms;
    }
  method = g_new0 (CleaveMethod, 1);
  method->name = g_strdup (name);
  method->config_text = g_strdup (config_text);
  method->accuracy = cleave_spread (accuracies, runs->len);
  method->latency_ms = cleave_spread (latencies_ms, runs->len);
  method->n_within_threshold = n_within;
  method->bound_ms = bound_ms;
  method->runs = g_steal_pointer (&owned);
  g_ptr_array_add (self->methods, method);
  return TRUE;
}
