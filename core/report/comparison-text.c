/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "comparison-text.h"

#include "csv.h"

#include <math.h>
#include <string.h>

/* --- CSV --- */

/* RFC 4180: a field with a comma, quote or line break is quoted, a quote in it doubled. */
static void
append_text (GString *csv, const char *text)
{
  if (strpbrk (text, ",\"\r\n") == NULL)
    {
      g_string_append (csv, text);
      return;
    }
  g_string_append_c (csv, '"');
  for (; *text != '\0'; text++)
    {
      if (*text == '"')
        g_string_append_c (csv, '"');
      g_string_append_c (csv, *text);
    }
  g_string_append_c (csv, '"');
}

static void
append_architecture (GString *csv, CleaveCandidate *candidate)
{
  g_string_append_c (csv, ',');
  for (gsize i = 0; i + 1 < cleave_candidate_get_length (candidate); i++)
    g_string_append_printf (csv, "%s%u", i > 0 ? " " : "", cleave_candidate_get (candidate, i));
}

/* Both columns are empty where the place is unknown. */
static void
append_cut (GString *csv, CleaveCut cut)
{
  if (cut.head_blocks >= 0)
    g_string_append_printf (csv, ",%d,%d", cut.head_blocks, cut.inside_block);
  else
    g_string_append (csv, ",,");
}

static void
append_run (GString *csv, const CleaveComparison *self, const char *name, const CleaveResult *run, GArray *drop_rates)
{
  append_text (csv, name);
  g_string_append_printf (csv, ",%u", run->seed);
  append_architecture (csv, run->candidate);
  g_string_append_printf (csv, ",%u", cleave_candidate_get_split (run->candidate));
  append_cut (csv, run->cut);
  cleave_csv_append_number (csv, run->latency.head_ms);
  cleave_csv_append_number (csv, run->latency.transfer_ms);
  cleave_csv_append_number (csv, run->latency.tail_ms);
  cleave_csv_append_number (csv, run->latency.total_ms);
  g_string_append_printf (csv, ",%" G_GSIZE_FORMAT, run->latency.payload_elements);
  cleave_csv_append_number (csv, run->latency.payload_bits);
  g_string_append_printf (csv, ",%d", cleave_comparison_is_within (self, run));
  for (guint i = 0; i < drop_rates->len; i++)
    cleave_csv_append_number (csv, cleave_comparison_accuracy (run, g_array_index (drop_rates, double, i)));
  g_string_append_c (csv, '\n');
}

char *
cleave_comparison_to_csv (const CleaveComparison *self)
{
  g_autoptr (GArray) drop_rates = cleave_comparison_drop_rates (self);
  GString *csv = g_string_new ("method,seed,architecture,split,head_blocks,cut_inside_block,head_ms,transfer_ms,"
                               "tail_ms,total_ms,payload_elements,payload_bits,within_threshold");

  for (guint i = 0; i < drop_rates->len; i++)
    {
      char digits[G_ASCII_DTOSTR_BUF_SIZE];

      g_ascii_formatd (digits, sizeof digits, "%.9g", g_array_index (drop_rates, double, i));
      g_string_append_printf (csv, ",accuracy_%s", digits);
    }
  g_string_append_c (csv, '\n');
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];

      for (guint r = 0; r < method->runs->len; r++)
        append_run (csv, self, method->name, method->runs->pdata[r], drop_rates);
    }
  return g_string_free (csv, FALSE);
}

/* --- JSON --- */

static void
add_number (JsonBuilder *builder, const char *key, double value)
{
  json_builder_set_member_name (builder, key);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_spread (JsonBuilder *builder, const char *key, CleaveSpread spread)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_object (builder);
  add_number (builder, "median", spread.median);
  add_number (builder, "minimum", spread.minimum);
  add_number (builder, "maximum", spread.maximum);
  json_builder_end_object (builder);
}

static void
add_method (JsonBuilder *builder, const CleaveComparison *self, guint index)
{
  const CleaveMethod *method = self->methods->pdata[index];

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "name");
  json_builder_add_string_value (builder, method->name);
  add_spread (builder, "accuracy", method->accuracy);
  add_spread (builder, "latency_ms", method->latency_ms);
  json_builder_set_member_name (builder, "runs_within_threshold");
  json_builder_add_int_value (builder, method->n_within_threshold);
  add_number (builder, "bound_ms", method->bound_ms);
  if (index > 0)
    {
      add_number (builder, "latency_difference_percent", cleave_comparison_latency_percent (self, method));
      add_number (builder, "accuracy_difference_points", cleave_comparison_accuracy_points (self, method));
    }
  json_builder_set_member_name (builder, "runs");
  json_builder_begin_array (builder);
  for (guint r = 0; r < method->runs->len; r++)
    cleave_result_add (builder, method->runs->pdata[r]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

char *
cleave_comparison_to_json (const CleaveComparison *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_object (builder);
  add_number (builder, "latency_threshold_ms", self->latency_threshold_ms);
  add_number (builder, "drop_rate", self->drop_rate);
  json_builder_set_member_name (builder, "methods");
  json_builder_begin_array (builder);
  for (guint m = 0; m < self->methods->len; m++)
    add_method (builder, self, m);
  json_builder_end_array (builder);
  json_builder_end_object (builder);

  root = json_builder_get_root (builder);
  text = json_to_string (root, TRUE);
  return g_strconcat (text, "\n", NULL);
}
