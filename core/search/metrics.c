/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* metrics.csv, a row an epoch, and trials.csv, a row for each trial of the search. No wall time in them, so the same
 * run gives the same rows. Both end with a column for each number that the optimizer reports. */

#include "csv.h"
#include "run-private.h"
#include "trials-table.h"

#include <math.h>
#include <string.h>

#define METRICS_COLUMNS "stage,epoch,step,learning_rate,loss,accuracy,objective,latency_ms"

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* The first line of a table, whose last columns are the optimizer's VALUES. */
static GString *
table_new (const char *core_columns, GVariant *values)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GString *text = g_string_new (core_columns);
  GVariantIter iter;
  const char *name;

  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&sd}", &name, NULL))
    g_ptr_array_add (names, (gpointer)name);
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (text, "," CLEAVE_OPTIMIZER_COLUMN_PREFIX "%s", (const char *)names->pdata[i]);
  g_string_append_c (text, '\n');
  return text;
}

gboolean
cleave_metrics_start (CleaveRun *self, GError **error)
{
  CleaveOptimizer *optimizer = CLEAVE_OPTIMIZER (self->components->optimizer);
  g_autofree char *trials_columns = g_strjoinv (",", (char **)cleave_trials_table_columns);
  g_autoptr (GVariant) values = cleave_optimizer_metrics (optimizer, error);

  if (values == NULL)
    return FALSE;
  self->metrics = table_new (METRICS_COLUMNS, values);
  self->trials = table_new (trials_columns, values);
  return TRUE;
}

/* The end of a row: the optimizer's numbers in the order of the columns of the first line; empty cells outside the
 * search. NULL on failure. */
static char *
format_optimizer_metrics (CleaveRun *self, const GString *table, GError **error)
{
  g_autoptr (GVariant) values = cleave_optimizer_metrics (CLEAVE_OPTIMIZER (self->components->optimizer), error);
  g_autofree char *first_line = g_strndup (table->str, strcspn (table->str, "\n"));
  g_auto (GStrv) columns = g_strsplit (first_line, ",", 0);
  g_autoptr (GString) cells = g_string_new (NULL);

  if (values == NULL)
    return NULL;
  for (guint i = 0; columns[i] != NULL; i++)
    if (g_str_has_prefix (columns[i], CLEAVE_OPTIMIZER_COLUMN_PREFIX))
      {
        double value = NAN;

        if (self->stage == CLEAVE_STAGE_SEARCH)
          g_variant_lookup (values, columns[i] + strlen (CLEAVE_OPTIMIZER_COLUMN_PREFIX), "d", &value);
        cleave_csv_append_number (cells, value);
      }
  g_string_append_c (cells, '\n');
  return g_string_free (g_steal_pointer (&cells), FALSE);
}

gboolean
cleave_metrics_add_epoch (CleaveRun *self, const CleaveStageLoop *loop, GError **error)
{
  const CleaveTally *tally = &self->tally;
  gboolean trains = self->stage != CLEAVE_STAGE_SEARCH;
  g_autofree char *optimizer_cells = format_optimizer_metrics (self, self->metrics, error);

  if (optimizer_cells == NULL)
    return FALSE;
  g_string_append_printf (self->metrics, "%s,%u,%u", cleave_stage_to_string (self->stage), self->epoch + 1,
                          cleave_stage_loop_step (self, loop));
  cleave_csv_append_number (self->metrics, trains ? cleave_stage_loop_learning_rate (self, loop) : NAN);
  cleave_csv_append_number (self->metrics, tally->loss / tally->n_losses);
  cleave_csv_append_number (self->metrics, trains ? tally->n_correct / tally->n_classified : NAN);
  cleave_csv_append_number (self->metrics, trains ? NAN : tally->objective / tally->n_losses);
  cleave_csv_append_number (self->metrics, trains ? NAN : self->latency_ms);
  g_string_append (self->metrics, optimizer_cells);
  return TRUE;
}

gboolean
cleave_metrics_add_trials (CleaveRun *self, const CleaveStageLoop *loop, CleaveTrials *trials,
                           const CleaveScore *scores, GError **error)
{
  g_autofree char *optimizer_cells = format_optimizer_metrics (self, self->trials, error);

  if (optimizer_cells == NULL)
    return FALSE;
  for (guint i = 0; i < cleave_trials_get_length (trials); i++)
    {
      g_string_append_printf (self->trials, "%u,%u,%s,%s", self->epoch + 1, cleave_stage_loop_step (self, loop) + 1,
                              cleave_trials_table_placements[cleave_trials_get_placement (trials, i)],
                              cleave_trials_table_fidelities[cleave_trials_get_fidelity (trials, i)]);
      cleave_csv_append_number (self->trials, scores[i].loss);
      cleave_csv_append_number (self->trials, scores[i].latency_ms);
      cleave_csv_append_number (self->trials, scores[i].objective);
      g_string_append (self->trials, optimizer_cells);
    }
  return TRUE;
}

static guint
count_optimizer_columns (const char *first_line)
{
  g_auto (GStrv) columns = g_strsplit (first_line, ",", 0);
  guint n = 0;

  for (guint i = 0; columns[i] != NULL; i++)
    n += g_str_has_prefix (columns[i], CLEAVE_OPTIMIZER_COLUMN_PREFIX);
  return n;
}

void
cleave_metrics_append_core (GString *table, const char *first_line, const char *row)
{
  g_autofree char *own_first_line = g_strndup (table->str, strcspn (table->str, "\n"));
  g_autofree char *core = g_strdup (row);

  for (guint n = count_optimizer_columns (first_line); n > 0; n--)
    {
      char *last = strrchr (core, ',');

      if (last != NULL)
        *last = '\0';
    }
  g_string_append (table, core);
  for (guint n = count_optimizer_columns (own_first_line); n > 0; n--)
    g_string_append_c (table, ',');
  g_string_append_c (table, '\n');
}

gboolean
cleave_metrics_write (CleaveRun *self, GError **error)
{
  g_autofree char *metrics_path = cleave_run_path (self, "metrics.csv");
  g_autofree char *trials_path = cleave_run_path (self, "trials.csv");

  /* Nothing is added to the trials while the answer is trained. */
  return cleave_file_replace (metrics_path, self->metrics->str, self->metrics->len, error)
         && ((self->stage == CLEAVE_STAGE_RETRAIN && self->epoch > 0)
             || cleave_file_replace (trials_path, self->trials->str, self->trials->len, error));
}
