/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "comparison-picture.h"

#include "picture.h"
#include "test.h"

#include <math.h>

/* Okabe and Ito. */
#define BLUE "#0072B2"
#define VERMILLION "#D55E00"

/* Opacity of a single run's mark, and of a median's. */
#define SINGLE 0.75
#define MEDIAN 1

/* The accuracy falls by 10 of 1000 images a tenth of the drop rate. */
static CleaveResult *
make_run (guint seed, double latency_ms, guint n_correct)
{
  const guint choices[] = { 0, 0 };
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, G_N_ELEMENTS (choices));
  g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed ("[('block-1', ['a']), ('split', ['0'])]"));
  const CleaveLatency latency = { .head_ms = latency_ms, .total_ms = latency_ms };
  const CleaveCut cut = { 0, FALSE };
  const CleaveAccuracy accuracy[] = { { 0.4, n_correct - 20 }, { 0, n_correct + 20 }, { 0.2, n_correct } };
  GArray *accuracies = g_array_new (FALSE, FALSE, sizeof (CleaveAccuracy));

  g_array_append_vals (accuracies, accuracy, G_N_ELEMENTS (accuracy));
  return cleave_result_new (seed, candidate, variables, 30, &latency, cut, 0.2, 1000, accuracies);
}

static CleaveComparison *
make_comparison (void)
{
  CleaveComparison *comparison = cleave_comparison_new ();
  GPtrArray *first = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);
  GPtrArray *second = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);

  g_ptr_array_add (first, make_run (1, 30, 700));
  g_ptr_array_add (first, make_run (2, 20, 720));
  g_ptr_array_add (first, make_run (3, 25, 740));
  g_ptr_array_add (second, make_run (1, 40, 730));
  g_ptr_array_add (second, make_run (2, 60, 750));
  EXPECT_TRUE (cleave_comparison_add (comparison, "first-method", "", first, NAN, NULL));
  EXPECT_TRUE (cleave_comparison_add (comparison, "second-method", "", second, NAN, NULL));
  return comparison;
}

TEST (ComparisonPicture, a_mark_a_model_and_the_medians)
{
  g_autoptr (CleaveComparison) comparison = make_comparison ();
  const char *folder = test_temporary_folder ();
  g_autoptr (GError) error = NULL;
  g_autoptr (Picture) picture = NULL;
  const PictureShape *median;

  cleave_comparison_draw (comparison, folder, &error);
  REQUIRE_NO_ERROR (error);
  picture = picture_load (folder, "comparison.svg");
  REQUIRE (picture != NULL);
  EXPECT_TRUE (picture_has_text (picture, "first-method"));
  EXPECT_TRUE (picture_has_text (picture, "second-method"));
  EXPECT_TRUE (picture_has_text (picture, "threshold 30 ms"));
  EXPECT_TRUE (picture_has_text (picture, "latency (ms)"));
  EXPECT_TRUE (picture_has_text (picture, "accuracy at drop rate 0.2 (%)"));
  /* The models, and one in the legend. */
  REQUIRE (picture_count_marks (picture, BLUE, SINGLE) == 3 + 1);
  REQUIRE (picture_count_marks (picture, VERMILLION, SINGLE) == 2 + 1);
  REQUIRE (picture_count_marks (picture, BLUE, MEDIAN) == 1);
  REQUIRE (picture_count_marks (picture, VERMILLION, MEDIAN) == 1);
  /* 25 ms is the third run's, 72.0 % the second's. */
  median = picture_get_mark (picture, BLUE, MEDIAN, 0);
  EXPECT_NEAR (median->x, picture_get_mark (picture, BLUE, SINGLE, 3)->x, 0.1);
  EXPECT_NEAR (median->y, picture_get_mark (picture, BLUE, SINGLE, 2)->y, 0.1);
  /* Two runs: the mean of both. */
  median = picture_get_mark (picture, VERMILLION, MEDIAN, 0);
  EXPECT_NEAR (
      median->x,
      (picture_get_mark (picture, VERMILLION, SINGLE, 1)->x + picture_get_mark (picture, VERMILLION, SINGLE, 2)->x) / 2,
      0.1);
  /* Shapes differ as well. */
  EXPECT_TRUE (median->n_corners != picture_get_mark (picture, BLUE, MEDIAN, 0)->n_corners);
}

TEST (ComparisonPicture, accuracy_against_drop_rate)
{
  g_autoptr (CleaveComparison) comparison = make_comparison ();
  const char *folder = test_temporary_folder ();
  g_autoptr (GError) error = NULL;
  g_autoptr (Picture) picture = NULL;

  cleave_comparison_draw (comparison, folder, &error);
  REQUIRE_NO_ERROR (error);
  picture = picture_load (folder, "accuracy.svg");
  REQUIRE (picture != NULL);
  EXPECT_TRUE (picture_has_text (picture, "channel's drop rate 0.2"));
  EXPECT_TRUE (picture_has_text (picture, "accuracy (%)"));
  EXPECT_INT (picture_count_marks (picture, BLUE, 0.4), 3 * 3);
  EXPECT_INT (picture_count_marks (picture, VERMILLION, 0.4), 2 * 3);
  REQUIRE (picture_count_marks (picture, BLUE, MEDIAN) == 3 + 1);
  /* Medians by ascending drop rate, after the legend's: 74, 72 and 70 %. */
  for (guint i = 1; i < 3; i++)
    {
      const PictureShape *left = picture_get_mark (picture, BLUE, MEDIAN, i);
      const PictureShape *right = picture_get_mark (picture, BLUE, MEDIAN, i + 1);

      EXPECT_TRUE (left->x < right->x && left->y > right->y);
    }
  EXPECT_NEAR (picture_get_mark (picture, BLUE, MEDIAN, 2)->y,
               (picture_get_mark (picture, BLUE, MEDIAN, 1)->y + picture_get_mark (picture, BLUE, MEDIAN, 3)->y) / 2,
               0.1);
}

/* The first method's second run was not evaluated at 0.4. */
TEST (ComparisonPicture, no_median_of_some_runs)
{
  g_autoptr (CleaveComparison) comparison = make_comparison ();
  const CleaveMethod *method = comparison->methods->pdata[0];
  CleaveResult *run = method->runs->pdata[1];
  const char *folder = test_temporary_folder ();
  g_autoptr (GError) error = NULL;
  g_autoptr (Picture) picture = NULL;

  g_array_remove_index (run->accuracies, 0);
  cleave_comparison_draw (comparison, folder, &error);
  REQUIRE_NO_ERROR (error);
  picture = picture_load (folder, "accuracy.svg");
  REQUIRE (picture != NULL);
  EXPECT_INT (picture_count_marks (picture, BLUE, 0.4), 3 * 3 - 1);
  EXPECT_INT (picture_count_marks (picture, BLUE, MEDIAN), 2 + 1);
  EXPECT_INT (picture_count_marks (picture, VERMILLION, MEDIAN), 3 + 1);
}

TEST (ComparisonPicture, one_run_or_none)
{
  g_autoptr (CleaveComparison) comparison = cleave_comparison_new ();
  const char *folder = test_temporary_folder ();
  g_autofree char *missing = g_build_filename (folder, "missing", NULL);
  GPtrArray *runs = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_comparison_draw (comparison, folder, &error));
  REQUIRE_NO_ERROR (error);
  g_ptr_array_add (runs, make_run (1, 20, 700));
  cleave_comparison_add (comparison, "lonely", "", runs, NAN, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (cleave_comparison_draw (comparison, folder, &error));
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (!cleave_comparison_draw (comparison, missing, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "comparison.svg");
}
