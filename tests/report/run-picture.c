/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-picture.h"
#include "result.h"

#include "picture.h"
#include "test.h"

#include <math.h>

#define HEADER "epoch,step,placement,fidelity,loss,latency_ms,objective"
#define ENTROPY ",optimizer_delta,optimizer_theta_entropy"

/* Okabe and Ito. */
#define BLUE "#0072B2"
#define SKY "#56B4E9"
#define ORANGE "#E69F00"

#define DOT 0.45 /* opacity */

/* A run folder with these trials. */
static const char *
make_run (const char *trials)
{
  const guint choices[] = { 0, 0 };
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, G_N_ELEMENTS (choices));
  g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed ("[('block-1', ['a']), ('split', ['0'])]"));
  const CleaveLatency latency = { .head_ms = 20, .total_ms = 20 };
  const CleaveCut cut = { 0, FALSE };
  const CleaveAccuracy accuracy[] = { { 0, 30 }, { 0.1, 29 }, { 0.2, 27 }, { 0.3, 20 } };
  GArray *accuracies = g_array_new (FALSE, FALSE, sizeof (CleaveAccuracy));
  g_autoptr (CleaveResult) result = NULL;
  const char *folder = test_temporary_folder ();
  g_autofree char *result_path = g_build_filename (folder, "result.json", NULL);
  g_autofree char *trials_path = g_build_filename (folder, "trials.csv", NULL);
  g_autofree char *json = NULL;

  g_array_append_vals (accuracies, accuracy, G_N_ELEMENTS (accuracy));
  result = cleave_result_new (7, candidate, variables, 30, &latency, cut, 0.2, 40, accuracies);
  json = cleave_result_to_json (result);
  EXPECT_TRUE (g_file_set_contents (result_path, json, -1, NULL)
               && g_file_set_contents (trials_path, trials, -1, NULL));
  return folder;
}

/* Two trials a step, of objectives 1 and 3 and latencies 20 and 40 ms. */
static char *
make_trials (guint n_steps)
{
  GString *text = g_string_new (HEADER ENTROPY "\n");

  for (guint step = 1; step <= n_steps; step++)
    g_string_append_printf (text, "1,%u,split,minibatch,1,20,1,1,0.5\n1,%u,split,minibatch,1,40,3,1,0.5\n", step, step);
  return g_string_free (text, FALSE);
}

TEST (RunPicture, trials_and_their_running_values)
{
  g_autofree char *trials = make_trials (100);
  const char *folder = make_run (trials);
  g_autoptr (GError) error = NULL;
  g_autoptr (Picture) objective = NULL;
  g_autoptr (Picture) latency = NULL;
  const PictureShape *first, *second;
  guint n_lines = 0;

  cleave_run_draw (folder, &error);
  REQUIRE_NO_ERROR (error);
  objective = picture_load (folder, "objective.svg");
  latency = picture_load (folder, "latency.svg");
  REQUIRE (objective != NULL && latency != NULL);
  EXPECT_TRUE (picture_has_text (objective, "running mean of 11")); /* 5 % of 200, and the one in the middle */
  EXPECT_TRUE (picture_has_text (objective, "theta entropy"));
  EXPECT_TRUE (picture_has_text (latency, "threshold 30 ms"));
  EXPECT_TRUE (picture_has_text (latency, "running median of 11"));
  REQUIRE (picture_count_marks (objective, SKY, DOT) == 200 + 1);
  EXPECT_INT (picture_count_marks (latency, SKY, DOT), 200 + 1);
  first = picture_get_mark (objective, SKY, DOT, 1);
  second = picture_get_mark (objective, SKY, DOT, 2);
  EXPECT_NEAR (first->x, second->x, 0.1);
  /* The running mean is on the whole halfway between 1 and 3. The other line of many corners is the entropy's. */
  for (guint i = 0; i < objective->shapes->len; i++)
    {
      const PictureShape *shape = objective->shapes->pdata[i];

      if (shape->filled || shape->n_corners < 50 || !g_str_equal (shape->colour, BLUE))
        continue;
      if (n_lines++ == 0)
        {
          /* Where the window is narrowest, four of seven values are alike: 1 ÷ 14 of the distance below the middle at
           * one end, above it at the other. */
          EXPECT_NEAR (shape->y, (first->y + second->y) / 2, 0.02 * (second->y - first->y));
          EXPECT_NEAR (shape->height, (second->y - first->y) / 7, 0.1);
        }
      else
        EXPECT_TRUE (shape->y < first->y);
    }
  EXPECT_INT (n_lines, 2);
}

/* The paper's search has 90 epochs of 390 steps of two trials. */
TEST (RunPicture, long_searches_are_thinned_out)
{
  g_autofree char *trials = make_trials (35100);
  const char *folder = make_run (trials);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) svg = NULL;
  g_autoptr (Picture) latency = NULL;

  cleave_run_draw (folder, &error);
  REQUIRE_NO_ERROR (error);
  latency = picture_load (folder, "latency.svg");
  REQUIRE (latency != NULL);
  EXPECT_INT (picture_count_marks (latency, SKY, DOT), 1500 + 1);
  svg = picture_read (folder, "latency.svg");
  EXPECT_TRUE (g_bytes_get_size (svg) < 500000);
}

/* 5 % of 38 trials is less than one on either side, of 40 it is one. */
TEST (RunPicture, few_trials_have_no_running_value)
{
  for (guint n_steps = 19; n_steps <= 20; n_steps++)
    {
      g_autofree char *trials = make_trials (n_steps);
      const char *folder = make_run (trials);
      g_autoptr (GError) error = NULL;
      g_autoptr (Picture) objective = NULL;
      g_autoptr (Picture) latency = NULL;

      cleave_run_draw (folder, &error);
      REQUIRE_NO_ERROR (error);
      objective = picture_load (folder, "objective.svg");
      latency = picture_load (folder, "latency.svg");
      REQUIRE (objective != NULL && latency != NULL);
      EXPECT_INT (picture_count_marks (objective, SKY, DOT), 2 * n_steps + 1);
      EXPECT_TRUE (!picture_has_text (objective, "running mean of 1"));
      EXPECT_TRUE (picture_has_text (objective, "running mean of 3") == (n_steps == 20));
      EXPECT_TRUE (picture_has_text (latency, "running median of 3") == (n_steps == 20));
    }
}

TEST (RunPicture, trials_scored_otherwise_are_told_apart)
{
  const char *folder = make_run (HEADER "\n1,1,device,minibatch,1,20,1\n1,2,device,minibatch,1,inf,inf\n"
                                        "1,3,split,full,1,30,1\n1,3,split,full,1,40,2\n1,3,split,full,1,50,3\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (Picture) objective = NULL;

  cleave_run_draw (folder, &error);
  REQUIRE_NO_ERROR (error);
  objective = picture_load (folder, "objective.svg");
  REQUIRE (objective != NULL);
  EXPECT_INT (picture_count_marks (objective, ORANGE, DOT), 1 + 1); /* one is infinite */
  EXPECT_INT (picture_count_marks (objective, BLUE, DOT), 3 + 1);
  EXPECT_TRUE (picture_has_text (objective, "on the device, on a minibatch"));
  EXPECT_TRUE (picture_has_text (objective, "split, on all search images"));
  EXPECT_TRUE (!picture_has_text (objective, "theta entropy"));
}

/* The second and third are left with the penalty of 15 and 20 ms above the threshold. */
TEST (RunPicture, trials_cut_off_have_a_latency_but_no_objective)
{
  const char *folder = make_run (HEADER "\n1,1,split,full,1,20,1\n1,1,split,full,,45,15\n"
                                        "1,1,device,full,,50,20\n1,1,split,full,2,30,2\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (Picture) objective = NULL;
  g_autoptr (Picture) latency = NULL;

  cleave_run_draw (folder, &error);
  REQUIRE_NO_ERROR (error);
  objective = picture_load (folder, "objective.svg");
  latency = picture_load (folder, "latency.svg");
  REQUIRE (objective != NULL && latency != NULL);
  EXPECT_INT (picture_count_marks (objective, BLUE, DOT), 2 + 1);
  EXPECT_TRUE (picture_has_text (objective, "candidate"));
  EXPECT_INT (picture_count_marks (latency, BLUE, DOT), 3 + 1);
  EXPECT_TRUE (picture_has_text (latency, "on the device, on all search images"));
}

TEST (RunPicture, a_search_of_no_trials_says_so)
{
  static const char *const pictures[][2]
      = { { "objective.svg", "no candidates were scored" }, { "latency.svg", "no candidates were sampled" } };
  const char *folder = make_run (HEADER ENTROPY "\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (Picture) accuracy = NULL;

  cleave_run_draw (folder, &error);
  REQUIRE_NO_ERROR (error);
  for (gsize i = 0; i < G_N_ELEMENTS (pictures); i++)
    {
      g_autoptr (Picture) picture = picture_load (folder, pictures[i][0]);

      EXPECT_TRUE (picture != NULL && picture_has_text (picture, pictures[i][1]));
    }
  accuracy = picture_load (folder, "accuracy.svg");
  REQUIRE (accuracy != NULL);
  EXPECT_INT (picture_count_marks (accuracy, BLUE, 1), 4);
  EXPECT_TRUE (picture_has_text (accuracy, "channel's drop rate 0.2"));
  EXPECT_TRUE (picture_has_text (accuracy, "75")); /* 30 of 40 images */
}

TEST (RunPicture, damage_is_named)
{
  static const struct
  {
    const char *trials;
    const char *part;
  } cases[] = {
    { "", "trials.csv: line 1, column 1: \"\", expected the columns to begin with epoch,step" },
    { "epoch,step,placement,loss\n", "trials.csv: line 1, column 4: \"loss\"" },
    { HEADER "\n1,1,split,minibatch,1,20\n", "trials.csv: line 2, column 7: the line has 6 columns, expected 7" },
    { HEADER "\n1,1,split,minibatch,1,20,1,2\n", "line 2, column 8: the line has 8 columns" },
    { HEADER "\n\n", "line 2, column 1: the line has 0 columns" },
    { HEADER "\n0,1,split,minibatch,1,20,1\n", "line 2, column 1 (epoch): \"0\", expected a whole number" },
    { HEADER "\n1,1,split,minibatch,1,20,1\n1,x,split,minibatch,1,20,1\n", "line 3, column 2 (step): \"x\"" },
    { HEADER "\n1,1,whole,minibatch,1,20,1\n", "column 3 (placement): \"whole\", expected split or device" },
    { HEADER "\n1,1,split,some,1,20,1\n", "column 4 (fidelity): \"some\", expected minibatch or full" },
    { HEADER "\n1,1,split,full,1x,20,1\n", "column 5 (loss): \"1x\", expected a number or nothing" },
    { HEADER "\n1,1,split,full,,,1\n", "column 6 (latency_ms): \"\", expected a number" },
    { HEADER "\n1,1,split,full,,20, 1\n", "column 7 (objective): \" 1\", expected a number" },
    { HEADER ENTROPY "\n1,1,split,full,,20,1,,y\n", "column 9 (optimizer_theta_entropy): \"y\"" },
  };
  const char *folder = test_temporary_folder ();
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (!cleave_run_draw (folder, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "result.json");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) problem = NULL;

      EXPECT_TRUE (!cleave_run_draw (make_run (cases[i].trials), &problem));
      EXPECT_ERROR (problem, CLEAVE_ERROR_DATA, cases[i].part);
    }
}
