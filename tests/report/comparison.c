/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "comparison-text.h"
#include "invented.h"

#include <math.h>
#include <string.h>

#include "test.h"

TEST (Comparison, median_of_odd_and_even_numbers)
{
  double odd[] = { 9, 1, 4 }, even[] = { 8, 1, 4, 3 }, one[] = { 7 };
  CleaveSpread spread;

  spread = cleave_spread (odd, G_N_ELEMENTS (odd));
  EXPECT_NEAR (spread.median, 4, 0);
  EXPECT_NEAR (spread.minimum, 1, 0);
  EXPECT_NEAR (spread.maximum, 9, 0);
  spread = cleave_spread (even, G_N_ELEMENTS (even));
  EXPECT_NEAR (spread.median, 3.5, 0);
  EXPECT_NEAR (spread.minimum, 1, 0);
  EXPECT_NEAR (spread.maximum, 8, 0);
  spread = cleave_spread (one, G_N_ELEMENTS (one));
  EXPECT_NEAR (spread.median, 7, 0);
}

/* By hand: medians of 22 and 40 ms, of 25 and 28 of 40 images. */
TEST (Comparison, first_method_against_a_baseline)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  const CleaveMethod *first = comparison->methods->pdata[0], *baseline = comparison->methods->pdata[1];

  EXPECT_NEAR (first->latency_ms.median, 22, 1e-12);
  EXPECT_NEAR (baseline->latency_ms.median, 40, 1e-12);
  EXPECT_NEAR (cleave_comparison_latency_percent (comparison, baseline), -45, 1e-12);
  EXPECT_NEAR (cleave_comparison_accuracy_points (comparison, baseline), -7.5, 1e-12);
  EXPECT_INT (first->n_within_threshold, 2);
  EXPECT_INT (baseline->n_within_threshold, 1);
}

TEST (Comparison, drop_rates_of_all_runs_in_order)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  const CleaveMethod *baseline = comparison->methods->pdata[1];
  CleaveResult *run = baseline->runs->pdata[2];
  const CleaveAccuracy more[] = { { 0.5, 10 }, { 0.1, 20 } };
  g_autoptr (GArray) drop_rates = NULL;

  g_array_append_vals (run->accuracies, more, G_N_ELEMENTS (more));
  drop_rates = cleave_comparison_drop_rates (comparison);
  REQUIRE (EXPECT_INT (drop_rates->len, 4));
  EXPECT_NEAR (g_array_index (drop_rates, double, 0), 0, 0);
  EXPECT_NEAR (g_array_index (drop_rates, double, 1), 0.1, 0);
  EXPECT_NEAR (g_array_index (drop_rates, double, 2), 0.2, 0);
  EXPECT_NEAR (g_array_index (drop_rates, double, 3), 0.5, 0);
}

/* By hand: 30, 31 and 33 of 40 images at 0, 28, 24 and 30 at 0.2. */
TEST (Comparison, median_accuracy_is_of_all_runs_or_none)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  const CleaveMethod *baseline = comparison->methods->pdata[1];
  CleaveResult *run = baseline->runs->pdata[0];

  EXPECT_NEAR (cleave_comparison_median_accuracy (baseline, 0), 0.775, 1e-15);
  g_array_remove_index (run->accuracies, 0);
  EXPECT_TRUE (isnan (cleave_comparison_median_accuracy (baseline, 0)));
  EXPECT_NEAR (cleave_comparison_median_accuracy (baseline, 0.2), 0.7, 1e-15);
  EXPECT_TRUE (isnan (cleave_comparison_median_accuracy (baseline, 0.3)));
}

TEST (Comparison, what_methods_must_have_in_common_is_named)
{
  static const InventedRun run = { 1, { 0, 0, 0, 0 }, 1, 1, 1, 1, { 1, 1 } };
  static const char space[] = "[('a', ['x']), ('b', ['x']), ('c', ['x']), ('split', ['0'])]";

  for (int wrong = 0; wrong < 3; wrong++)
    {
      static const char *const parts[] = { "latency-threshold is 15 ms, expected 30 ms",
                                           "drop rate is 0.1, expected 0.2", "seed 1 was not evaluated" };
      g_autoptr (CleaveComparison) comparison = invented_comparison ();
      GPtrArray *runs = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);
      CleaveResult *result = invented_result (&run, space);
      g_autoptr (GError) error = NULL;

      if (wrong == 0)
        result->latency_threshold_ms = 15;
      else if (wrong == 1)
        result->channel_drop_rate = 0.1;
      else
        g_array_set_size (result->accuracies, 1);
      g_ptr_array_add (runs, result);
      EXPECT_TRUE (!cleave_comparison_add (comparison, "other", "", runs, 1, &error));
      EXPECT_ERROR (error, wrong == 2 ? CLEAVE_ERROR_DATA : CLEAVE_ERROR_CONFIG, parts[wrong]);
      EXPECT_INT (comparison->methods->len, 2);
    }
}

TEST (Comparison, csv_has_a_line_a_run)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  CleaveMethod *baseline = comparison->methods->pdata[1];
  const CleaveMethod *first = comparison->methods->pdata[0];
  CleaveResult *run = baseline->runs->pdata[0];
  CleaveResult *inside = first->runs->pdata[1], *unknown = baseline->runs->pdata[1];
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_free (baseline->name);
  baseline->name = g_strdup ("a \"b\", c");
  g_array_remove_index (run->accuracies, 0);
  inside->cut = (CleaveCut){ 1, TRUE };
  unknown->cut = (CleaveCut){ -1, FALSE };
  text = cleave_comparison_to_csv (comparison);
  lines = g_strsplit (text, "\n", -1);
  REQUIRE (EXPECT_INT (g_strv_length (lines), 7));
  EXPECT_STRING (lines[0], "method,seed,architecture,split,head_blocks,cut_inside_block,head_ms,transfer_ms,tail_ms,"
                           "total_ms,payload_elements,payload_bits,within_threshold,accuracy_0,accuracy_0.2");
  EXPECT_STRING (lines[1], "nasc,1,0 1 2,0,0,0,4,8.192,7.808,20,2048,65536,1,0.6,0.5");
  EXPECT_STRING (lines[2], "nasc,2,1 2 1,2,1,1,12,4.096,7.904,24,1024,32768,1,0.8,0.75");
  EXPECT_STRING (lines[3], "\"a \"\"b\"\", c\",1,0 0 0,3,3,0,20,2.048,7.952,30,512,16384,1,,0.7");
  EXPECT_STRING (lines[4], "\"a \"\"b\"\", c\",2,1 1 1,3,,,40,2.048,7.952,50,512,16384,0,0.775,0.6");
  EXPECT_STRING (lines[6], "");
}

static double
number_at (JsonObject *object, const char *member, const char *key)
{
  return json_object_get_double_member_with_default (json_object_get_object_member (object, member), key, NAN);
}

TEST (Comparison, json_reads_back)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  g_autofree char *text = cleave_comparison_to_json (comparison);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *root, *first, *baseline, *run;
  JsonArray *methods;

  json_parser_load_from_data (parser, text, -1, &error);
  REQUIRE_NO_ERROR (error);
  root = json_node_get_object (json_parser_get_root (parser));
  EXPECT_NEAR (json_object_get_double_member (root, "latency_threshold_ms"), 30, 0);
  EXPECT_NEAR (json_object_get_double_member (root, "drop_rate"), 0.2, 0);
  methods = json_object_get_array_member (root, "methods");
  REQUIRE (EXPECT_INT (json_array_get_length (methods), 2));
  first = json_array_get_object_element (methods, 0);
  baseline = json_array_get_object_element (methods, 1);
  EXPECT_STRING (json_object_get_string_member (baseline, "name"), "<b>&");
  EXPECT_NEAR (number_at (first, "accuracy", "median"), 0.625, 1e-15);
  EXPECT_NEAR (number_at (first, "accuracy", "minimum"), 0.5, 0);
  EXPECT_NEAR (number_at (baseline, "latency_ms", "maximum"), 50, 1e-12);
  EXPECT_INT (json_object_get_int_member (baseline, "runs_within_threshold"), 1);
  EXPECT_NEAR (json_object_get_double_member (first, "bound_ms"), 17.25, 0);
  EXPECT_TRUE (json_object_get_null_member (baseline, "bound_ms"));
  EXPECT_NEAR (json_object_get_double_member (baseline, "latency_difference_percent"), -45, 1e-12);
  EXPECT_NEAR (json_object_get_double_member (baseline, "accuracy_difference_points"), -7.5, 1e-12);
  EXPECT_TRUE (!json_object_has_member (first, "latency_difference_percent"));
  run = json_array_get_object_element (json_object_get_array_member (first, "runs"), 1);
  EXPECT_INT (json_object_get_int_member (run, "seed"), 2);
  EXPECT_STRING (json_array_get_string_element (json_object_get_array_member (run, "architecture_choices"), 1), "skip");
  EXPECT_NEAR (json_object_get_double_member (run, "total_ms"), 24, 1e-12);
}

TEST (Comparison, configs_tell_no_folders)
{
  static const char space[] = "[('a', ['x']), ('b', ['x', 'y']), ('c', ['x', 'y', 'z']), ('split', ['0', '1'])]";
  const InventedRun run = { 1, { 0, 1, 2, 0 }, 4, 8, 8, 2048, { 24, 20 } };
  g_autoptr (CleaveComparison) comparison = cleave_comparison_new ();
  g_autoptr (GError) error = NULL;
  GPtrArray *runs = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);

  g_ptr_array_add (runs, invented_result (&run, space));
  cleave_comparison_add (comparison, "nasc",
                         "[dataset]\npath = /home/me/data/images.tar.gz\nscales = /2; /4\nspeed = 8 Mbit/s\n", runs, 0,
                         &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_STRING (((CleaveMethod *)comparison->methods->pdata[0])->config_text,
                 "[dataset]\npath = images.tar.gz\nscales = /2; /4\nspeed = 8 Mbit/s\n");
}
