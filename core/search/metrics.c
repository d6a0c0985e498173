/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* metrics.csv: a row an epoch. No wall time in it, so the same run gives the same rows. */

#include "run-private.h"

#include <math.h>
#include <string.h>

#define CORE_COLUMNS "stage,epoch,step,learning_rate,loss,accuracy,objective,latency_ms"
#define OPTIMIZER_PREFIX "optimizer_"

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GString *
cleave_metrics_new (CleaveOptimizer *optimizer)
{
  g_autoptr (GVariant) values = cleave_optimizer_metrics (optimizer);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GString *text = g_string_new (CORE_COLUMNS);
  GVariantIter iter;
  const char *name;

  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&sd}", &name, NULL))
    g_ptr_array_add (names, (gpointer)name);
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (text, "," OPTIMIZER_PREFIX "%s", (const char *)names->pdata[i]);
  g_string_append_c (text, '\n');
  return text;
}

static void
append_number (GString *text, double value)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_c (text, ',');
  if (!isnan (value))
    g_string_append (text, g_ascii_formatd (digits, sizeof digits, "%.9g", value));
}

/* The optimizer's numbers, in the order of the columns of the first line. */
static void
append_optimizer_metrics (CleaveRun *self)
{
  g_autoptr (GVariant) values = cleave_optimizer_metrics (CLEAVE_OPTIMIZER (self->components->optimizer));
  g_autofree char *first_line = g_strndup (self->metrics->str, strcspn (self->metrics->str, "\n"));
  g_auto (GStrv) columns = g_strsplit (first_line, ",", 0);

  for (guint i = 0; columns[i] != NULL; i++)
    if (g_str_has_prefix (columns[i], OPTIMIZER_PREFIX))
      {
        double value = NAN;

        if (self->stage == CLEAVE_STAGE_SEARCH)
          g_variant_lookup (values, columns[i] + strlen (OPTIMIZER_PREFIX), "d", &value);
        append_number (self->metrics, value);
      }
}

void
cleave_metrics_add_epoch (CleaveRun *self, const CleaveStageLoop *loop)
{
  const CleaveTally *tally = &self->tally;
  gboolean trains = self->stage != CLEAVE_STAGE_SEARCH;

  g_string_append_printf (self->metrics, "%s,%u,%u", cleave_stage_to_string (self->stage), self->epoch + 1,
                          cleave_stage_loop_step (self, loop));
  append_number (self->metrics, trains ? cleave_stage_loop_learning_rate (self, loop) : NAN);
  append_number (self->metrics, tally->loss / tally->n_losses);
  append_number (self->metrics, trains ? tally->n_correct / tally->n_classified : NAN);
  append_number (self->metrics, trains ? NAN : tally->objective / tally->n_losses);
  append_number (self->metrics, trains ? NAN : self->latency_ms);
  append_optimizer_metrics (self);
  g_string_append_c (self->metrics, '\n');
}

gboolean
cleave_metrics_write (CleaveRun *self, GError **error)
{
  g_autofree char *path = cleave_run_path (self, "metrics.csv");

  return cleave_file_replace (path, self->metrics->str, self->metrics->len, error);
}
