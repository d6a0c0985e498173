/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "trial-log.h"
#include "trials-table.h"

#include <math.h>
#include <string.h>

/* Keeps the first mistake, so that the caller checks once. */
typedef struct
{
  const char *path;
  guint line;
  GStrv columns;
  GStrv fields; /* of this line, as many as columns */
  GError *error;
} Reading;

static void
fail (Reading *reading, guint column, const char *expected)
{
  if (reading->error == NULL)
    g_set_error (&reading->error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: line %u, column %u (%s): \"%s\", expected %s",
                 reading->path, reading->line, column + 1, reading->columns[column], reading->fields[column], expected);
}

static guint
read_count (Reading *reading, guint column)
{
  guint64 value = 0;

  if (!g_ascii_string_to_unsigned (reading->fields[column], 10, 1, G_MAXUINT, &value, NULL))
    fail (reading, column, "a whole number of 1 or more");
  return value;
}

static guint
read_choice (Reading *reading, guint column, const char *const *choices)
{
  g_autofree char *expected = g_strdup_printf ("%s or %s", choices[0], choices[1]);

  for (guint i = 0; i < 2; i++)
    if (g_str_equal (reading->fields[column], choices[i]))
      return i;
  fail (reading, column, expected);
  return 0;
}

static double
read_number (Reading *reading, guint column, gboolean may_lack)
{
  const char *field = reading->fields[column];
  char *end;
  double value = g_ascii_strtod (field, &end);

  if (*field == '\0' && may_lack)
    return NAN;
  if (*field == '\0' || *end != '\0' || g_ascii_isspace (*field))
    fail (reading, column, may_lack ? "a number or nothing" : "a number");
  return value;
}

/* Gives the column of the entropy, 0 if there is none. */
static guint
read_columns (Reading *reading, CleaveTrialLog *self)
{
  guint entropy_column = 0;

  for (guint i = 0; i < CLEAVE_TRIALS_N_COLUMNS; i++)
    if (g_strcmp0 (reading->columns[i], cleave_trials_table_columns[i]) != 0)
      {
        g_autofree char *expected = g_strjoinv (",", (char **)cleave_trials_table_columns);

        g_set_error (&reading->error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                     "%s: line 1, column %u: \"%s\", expected the columns to begin with %s", reading->path, i + 1,
                     reading->columns[i] != NULL ? reading->columns[i] : "", expected);
        return 0;
      }
  for (guint i = CLEAVE_TRIALS_N_COLUMNS; entropy_column == 0 && reading->columns[i] != NULL; i++)
    if (g_str_has_prefix (reading->columns[i], CLEAVE_OPTIMIZER_COLUMN_PREFIX)
        && g_str_has_suffix (reading->columns[i], "entropy"))
      {
        entropy_column = i;
        self->entropy_name = g_strdup (reading->columns[i] + strlen (CLEAVE_OPTIMIZER_COLUMN_PREFIX));
      }
  return entropy_column;
}

static void
read_entry (Reading *reading, guint entropy_column, CleaveTrialLog *self)
{
  CleaveTrialEntry entry = { .entropy = NAN };
  guint n_fields = g_strv_length (reading->fields), n_columns = g_strv_length (reading->columns);

  if (n_fields != n_columns)
    {
      g_set_error (&reading->error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "%s: line %u, column %u: the line has %u columns, expected %u", reading->path, reading->line,
                   MIN (n_fields, n_columns) + 1, n_fields, n_columns);
      return;
    }
  read_count (reading, CLEAVE_TRIALS_COLUMN_EPOCH);
  entry.step = read_count (reading, CLEAVE_TRIALS_COLUMN_STEP);
  entry.placement = read_choice (reading, CLEAVE_TRIALS_COLUMN_PLACEMENT, cleave_trials_table_placements);
  entry.fidelity = read_choice (reading, CLEAVE_TRIALS_COLUMN_FIDELITY, cleave_trials_table_fidelities);
  entry.loss = read_number (reading, CLEAVE_TRIALS_COLUMN_LOSS, TRUE);
  entry.latency_ms = read_number (reading, CLEAVE_TRIALS_COLUMN_LATENCY, FALSE);
  entry.objective = read_number (reading, CLEAVE_TRIALS_COLUMN_OBJECTIVE, FALSE);
  for (guint i = CLEAVE_TRIALS_N_COLUMNS; i < n_columns; i++)
    {
      double value = read_number (reading, i, TRUE);

      if (i == entropy_column)
        entry.entropy = value;
    }
  g_array_append_val (self->entries, entry);
}

/* Cuts the line off TEXT, which ends at END; NULL behind the last one. */
static char *
cut_line (char **text, char *end)
{
  char *line = *text, *line_break;

  if (line == end)
    return NULL;
  line_break = memchr (line, '\n', end - line);
  *text = end;
  if (line_break != NULL)
    {
      *line_break = '\0';
      *text = line_break + 1;
    }
  return line;
}

static void
read_text (Reading *reading, char *text, gsize length, CleaveTrialLog *self)
{
  char *end = text + length, *line = cut_line (&text, end);
  g_auto (GStrv) columns = g_strsplit (line != NULL ? line : "", ",", 0);
  guint entropy_column;

  reading->line = 1;
  reading->columns = columns;
  entropy_column = read_columns (reading, self);
  while (reading->error == NULL && (line = cut_line (&text, end)) != NULL)
    {
      g_auto (GStrv) fields = g_strsplit (line, ",", 0);

      reading->line++;
      reading->fields = fields;
      read_entry (reading, entropy_column, self);
    }
}

CleaveTrialLog *
cleave_trial_log_load (const char *path, GError **error)
{
  g_autoptr (CleaveTrialLog) self = g_new0 (CleaveTrialLog, 1);
  g_autoptr (GError) problem = NULL;
  g_autofree char *text = NULL;
  Reading reading = { .path = path };
  gsize length;

  self->entries = g_array_new (FALSE, FALSE, sizeof (CleaveTrialEntry));
  if (!g_file_get_contents (path, &text, &length, &problem))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: can't be read: %s", path, problem->message);
      return NULL;
    }
  read_text (&reading, text, length, self);
  if (reading.error != NULL)
    {
      g_propagate_error (error, reading.error);
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
cleave_trial_log_free (CleaveTrialLog *self)
{
  g_array_unref (self->entries);
  g_free (self->entropy_name);
  g_free (self);
}
