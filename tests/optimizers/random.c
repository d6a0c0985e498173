/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"

#include <math.h>

#define N_CELLS (3 * 4 * 5)

static CleaveOptimizer *
make (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  GObject *optimizer = host != NULL ? cleave_host_create (host, CLEAVE_KIND_OPTIMIZER, "random", &error) : NULL;

  EXPECT_NO_ERROR (error);
  return CLEAVE_OPTIMIZER (optimizer);
}

static CleaveOptimizer *
make_started (guint samples, guint draws)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveOptimizer) optimizer = make ();
  g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed (
      "@a(sas) [('a', ['0', '1', '2']), ('b', ['0', '1', '2', '3']), ('split', ['0', '1', '2', '3', '4'])]"));

  if (optimizer == NULL)
    return NULL;
  g_object_set (optimizer, "samples", samples, "draws", draws, NULL);
  cleave_optimizer_start (optimizer, variables, &error);
  return EXPECT_NO_ERROR (error) ? g_steal_pointer (&optimizer) : NULL;
}

/* Numbers the candidates. */
static guint
find_cell (CleaveCandidate *candidate)
{
  return (cleave_candidate_get (candidate, 0) * 4 + cleave_candidate_get (candidate, 1)) * 5
         + cleave_candidate_get_split (candidate);
}

static gboolean
meets_limit (guint cell)
{
  return cell % 3 == 0;
}

/* In ms, different for each cell on the same side of 31. */
static double
get_penalty (guint cell)
{
  return meets_limit (cell) ? 0 : 0.5 + fabs (cell - 31.0) / 8;
}

/* Far smaller above the limit. Of those that meet it no two lose the same on all images, for 7 and 20 have no common
 * divisor; on a minibatch something is added that depends on the step. */
static double
get_loss (guint cell, gboolean full, guint step)
{
  double loss = meets_limit (cell) ? 1 + 7 * (cell / 3) % 20 / 20.0 : 1e-3;

  return full ? loss : loss + (cell * 31 + step * 17) % 10 / 10.0;
}

/* As the search scores: the penalty alone where it reaches the cutoff. */
static double
get_value (CleaveTrials *trials, guint index, guint step)
{
  guint cell = find_cell (cleave_trials_get_candidate (trials, index));
  double penalty = get_penalty (cell);
  gboolean full = cleave_trials_get_fidelity (trials, index) == CLEAVE_FIDELITY_FULL;

  return penalty >= cleave_trials_get_cutoff (trials, index) ? penalty : penalty + get_loss (cell, full, step);
}

static CleaveTrials *
ask (CleaveOptimizer *optimizer, double progress, guint step)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRandom) random = cleave_random_new (5, 1, step, 0);
  CleaveTrials *trials = cleave_optimizer_ask (optimizer, progress, random, &error);

  EXPECT_NO_ERROR (error);
  return trials != NULL ? trials : cleave_trials_new ();
}

static void
tell (CleaveOptimizer *optimizer, CleaveTrials *trials, guint step)
{
  g_autoptr (GError) error = NULL;
  guint n_trials = cleave_trials_get_length (trials);
  g_autofree double *values = g_new (double, n_trials);

  for (guint i = 0; i < n_trials; i++)
    values[i] = get_value (trials, i, step);
  cleave_optimizer_tell (optimizer, trials, values, n_trials, &error);
  EXPECT_NO_ERROR (error);
}

static guint
recommended_cell (CleaveOptimizer *optimizer)
{
  g_autoptr (CleaveCandidate) answer = cleave_optimizer_recommend (optimizer, NULL);

  return answer != NULL ? find_cell (answer) : G_MAXUINT;
}

static gboolean
is_draw (CleaveTrials *trials, guint index)
{
  return cleave_trials_get_cutoff (trials, index) == 0;
}

static double
chi_square (const guint *counts, guint n_cells, double expected)
{
  double sum = 0;

  for (guint i = 0; i < n_cells; i++)
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
  return sum;
}

/* The 99.99 % quantile of χ² with 59 degrees of freedom is 108.2 (Wilson and Hilferty's approximation:
 * 59·(1 − 2/531 + 3.719·√(2/531))³). */
TEST (RandomSearch, DrawsUniformly)
{
  g_autoptr (CleaveOptimizer) optimizer = make_started (1, 4000);
  guint counts[N_CELLS] = { 0 };
  REQUIRE (optimizer != NULL);

  g_autoptr (CleaveTrials) trials = ask (optimizer, 0, 0);
  REQUIRE (cleave_trials_get_length (trials) == 4000);
  for (guint i = 0; i < 4000; i++)
    {
      EXPECT_TRUE (is_draw (trials, i));
      EXPECT_INT (cleave_trials_get_fidelity (trials, i), CLEAVE_FIDELITY_MINIBATCH);
      EXPECT_INT (cleave_trials_get_placement (trials, i), CLEAVE_PLACEMENT_SPLIT);
      counts[find_cell (cleave_trials_get_candidate (trials, i))]++;
    }
  EXPECT_TRUE (chi_square (counts, N_CELLS, 4000.0 / N_CELLS) < 108.2);
}

/* Two a step from the second on, of 64 draws of which a third meets the limit, and each of those 20 equally often: the
 * 99.99 % quantile of χ² with 19 degrees of freedom is 50.9 (as above: 19·(1 − 2/171 + 3.719·√(2/171))³). */
TEST (RandomSearch, ScoresUniformlyWhatMeetsTheLimit)
{
  g_autoptr (CleaveOptimizer) optimizer = make_started (2, 64);
  guint counts[N_CELLS / 3] = { 0 };
  REQUIRE (optimizer != NULL);

  for (guint step = 0; step < 1001; step++)
    {
      g_autoptr (CleaveTrials) trials = ask (optimizer, 0.5, step);
      guint n_scored = 0;
      for (guint i = 0; i < cleave_trials_get_length (trials); i++)
        if (!is_draw (trials, i))
          {
            guint cell = find_cell (cleave_trials_get_candidate (trials, i));
            EXPECT_TRUE (isinf (cleave_trials_get_cutoff (trials, i)));
            REQUIRE (meets_limit (cell));
            counts[cell / 3]++;
            n_scored++;
          }
      EXPECT_INT (n_scored, step == 0 ? 0 : 2);
      tell (optimizer, trials, step);
    }
  EXPECT_TRUE (chi_square (counts, N_CELLS / 3, 2000.0 / (N_CELLS / 3)) < 50.9);
}

/* Draws of one a step, so that there are moments where none that meets the limit was seen. */
TEST (RandomSearch, RecommendsNothingAboveTheLimitOnceOneMeetsIt)
{
  for (guint round = 0; round < 20; round++)
    {
      g_autoptr (CleaveOptimizer) optimizer = make_started (1, 1);
      double smallest = INFINITY;
      REQUIRE (optimizer != NULL);

      for (guint step = 0; step < 30; step++)
        {
          g_autoptr (CleaveTrials) trials = ask (optimizer, step < 20 ? 0.5 : 1, 100 * round + step);
          for (guint i = 0; i < cleave_trials_get_length (trials); i++)
            smallest = fmin (smallest, get_penalty (find_cell (cleave_trials_get_candidate (trials, i))));
          tell (optimizer, trials, step);
          EXPECT_NEAR (get_penalty (recommended_cell (optimizer)), smallest, 0);
        }
      EXPECT_NEAR (smallest, 0, 0);
    }
}

/* On a minibatch, and then nothing more is asked. */
TEST (RandomSearch, AnswersWithTheSmallestValueOfThoseScored)
{
  g_autoptr (CleaveOptimizer) optimizer = make_started (2, 16);
  double smallest = INFINITY;
  REQUIRE (optimizer != NULL);

  for (guint step = 0; step < 12; step++)
    {
      g_autoptr (CleaveTrials) trials = ask (optimizer, step / 12.0, step);
      guint best = recommended_cell (optimizer);
      for (guint i = 0; i < cleave_trials_get_length (trials); i++)
        if (!is_draw (trials, i) && get_value (trials, i, step) < smallest)
          {
            smallest = get_value (trials, i, step);
            best = find_cell (cleave_trials_get_candidate (trials, i));
          }
      tell (optimizer, trials, step);
      if (step > 0)
        EXPECT_INT (recommended_cell (optimizer), best);
    }
  g_autoptr (CleaveTrials) rest = ask (optimizer, 1, 12);
  EXPECT_INT (cleave_trials_get_length (rest), 0);
}

TEST (RandomSearch, RefusesAWrongState)
{
  static const char *const cases[][2] = {
    { "(1, 2)", "type (ii), expected (aauaudb)" },
    { "(@aau [], [uint32 0, 0], 1.0, true)", "a candidate is of another space" },
    { "(@aau [], [uint32 0, 0, 0], nan, true)", "value NaN" },
    { "([[uint32 0, 4, 0]], [uint32 0, 0, 0], 1.0, true)", "a candidate is of another space" },
    { "(@aau [], [uint32 3, 0, 0], 1.0, false)", "a candidate is of another space" },
  };
  g_autoptr (CleaveOptimizer) optimizer = make_started (1, 4);
  GError *error = NULL;
  REQUIRE (optimizer != NULL);

  for (guint step = 0; step < 3; step++)
    {
      g_autoptr (CleaveTrials) trials = ask (optimizer, 0, step);
      tell (optimizer, trials, step);
    }
  g_autoptr (GVariant) before = cleave_optimizer_save (optimizer, &error);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) state = g_variant_ref_sink (g_variant_new_parsed (cases[i][0]));
      EXPECT_TRUE (!cleave_optimizer_load (optimizer, state, &error));
      EXPECT_ERROR (error, CLEAVE_ERROR_DATA, cases[i][1]);
    }
  g_autoptr (GVariant) after = cleave_optimizer_save (optimizer, &error);
  EXPECT_TRUE (g_variant_equal (before, after));
}

TEST (RandomSearch, SaysWhatItNeeds)
{
  g_autoptr (CleaveOptimizer) optimizer = make ();
  g_autoptr (GVariant) empty = g_variant_ref_sink (g_variant_new_parsed ("@a(sas) [('a', [])]"));
  GError *error = NULL;
  REQUIRE (optimizer != NULL);

  EXPECT_TRUE (cleave_optimizer_recommend (optimizer, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "not started");
  EXPECT_TRUE (!cleave_optimizer_start (optimizer, empty, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "the variable a has no categories");
}
