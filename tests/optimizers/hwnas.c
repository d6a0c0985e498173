/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"
#include <float.h>
#include <math.h>

#define N_SPLITS 23

/* Two variables of three and four categories; with the split of fbnet's size, or without. */
static GVariant *
make_variables (gboolean with_split)
{
  static const char *const names[] = { "a", "b", "split" };
  static const guint n_categories[] = { 3, 4, N_SPLITS };
  GVariantBuilder variables;

  g_variant_builder_init (&variables, G_VARIANT_TYPE ("a(sas)"));
  for (guint d = 0; d < (with_split ? 3 : 2); d++)
    {
      g_variant_builder_open (&variables, G_VARIANT_TYPE ("(sas)"));
      g_variant_builder_add (&variables, "s", names[d]);
      g_variant_builder_open (&variables, G_VARIANT_TYPE ("as"));
      for (guint i = 0; i < n_categories[d]; i++)
        {
          g_autofree char *category = g_strdup_printf ("%u", i);
          g_variant_builder_add (&variables, "s", category);
        }
      g_variant_builder_close (&variables);
      g_variant_builder_close (&variables);
    }
  return g_variant_ref_sink (g_variant_builder_end (&variables));
}

/* An optimizer, not yet started. */
static CleaveOptimizer *
make (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  GObject *optimizer = host != NULL ? cleave_host_create (host, CLEAVE_KIND_OPTIMIZER, name, &error) : NULL;

  EXPECT_NO_ERROR (error);
  return CLEAVE_OPTIMIZER (optimizer);
}

static CleaveOptimizer *
make_started (const char *name, gboolean with_split)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveOptimizer) optimizer = make (name);
  g_autoptr (GVariant) variables = make_variables (with_split);

  if (optimizer != NULL)
    cleave_optimizer_start (optimizer, variables, &error);
  return EXPECT_NO_ERROR (error) ? g_steal_pointer (&optimizer) : NULL;
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

/* Tells values that depend on the architecture and, where the trial is split, on the split: smallest at 10, where
 * 7·10 = 1 mod 23. Thirds make values that only all bits of a number hold. */
static void
tell (CleaveOptimizer *optimizer, CleaveTrials *trials)
{
  g_autoptr (GError) error = NULL;
  guint n_trials = cleave_trials_get_length (trials);
  g_autofree double *values = g_new (double, n_trials);

  for (guint i = 0; i < n_trials; i++)
    {
      CleaveCandidate *candidate = cleave_trials_get_candidate (trials, i);
      guint split = cleave_trials_get_placement (trials, i) == CLEAVE_PLACEMENT_SPLIT
                            && cleave_candidate_get_length (candidate) == 3
                        ? cleave_candidate_get_split (candidate)
                        : 0;
      values[i] = 2.0 * cleave_candidate_get (candidate, 0) - cleave_candidate_get (candidate, 1)
                  + (7 * split + N_SPLITS - 1) % N_SPLITS / 3.0;
    }
  cleave_optimizer_tell (optimizer, trials, values, n_trials, &error);
  EXPECT_NO_ERROR (error);
}

static guint
recommended_split (CleaveOptimizer *optimizer)
{
  g_autoptr (CleaveCandidate) answer = cleave_optimizer_recommend (optimizer, NULL);

  return answer != NULL ? cleave_candidate_get_split (answer) : G_MAXUINT;
}

/* The state of the other optimizer in a state of hwnas. */
static GVariant *
save_search (CleaveOptimizer *hwnas)
{
  g_autoptr (GVariant) state = cleave_optimizer_save (hwnas, NULL);
  GVariant *search;

  g_variant_get (state, "(buudv)", NULL, NULL, NULL, NULL, &search);
  return search;
}

/* Step by step the same as asng on a space that has no split. */
TEST (Hwnas, SearchesOnTheDeviceAsIfThereWereNoSplit)
{
  g_autoptr (CleaveOptimizer) hwnas = make_started ("hwnas", TRUE);
  g_autoptr (CleaveOptimizer) asng = make_started ("asng", FALSE);
  REQUIRE (hwnas != NULL && asng != NULL);

  for (guint step = 0; step < 30; step++)
    {
      g_autoptr (CleaveTrials) trials = ask (hwnas, step / 30.0, step);
      g_autoptr (CleaveTrials) expected = ask (asng, step / 30.0, step);
      REQUIRE (cleave_trials_get_length (trials) == 2 && cleave_trials_get_length (expected) == 2);
      for (guint i = 0; i < 2; i++)
        {
          CleaveCandidate *candidate = cleave_trials_get_candidate (trials, i);
          CleaveCandidate *architecture = cleave_trials_get_candidate (expected, i);
          EXPECT_INT (cleave_trials_get_placement (trials, i), CLEAVE_PLACEMENT_DEVICE);
          EXPECT_INT (cleave_trials_get_fidelity (trials, i), CLEAVE_FIDELITY_MINIBATCH);
          REQUIRE (cleave_candidate_get_length (candidate) == 3);
          EXPECT_INT (cleave_candidate_get (candidate, 0), cleave_candidate_get (architecture, 0));
          EXPECT_INT (cleave_candidate_get (candidate, 1), cleave_candidate_get (architecture, 1));
          EXPECT_TRUE (cleave_candidate_get_split (candidate) < N_SPLITS);
        }
      tell (hwnas, trials);
      tell (asng, expected);
    }
  g_autoptr (GVariant) state = save_search (hwnas);
  g_autoptr (GVariant) expected_state = cleave_optimizer_save (asng, NULL);
  EXPECT_TRUE (g_variant_equal (state, expected_state));
  g_autoptr (GVariant) metrics = cleave_optimizer_metrics (hwnas, NULL);
  g_autoptr (GVariant) expected_metrics = cleave_optimizer_metrics (asng, NULL);
  EXPECT_TRUE (g_variant_equal (metrics, expected_metrics));
  EXPECT_INT (recommended_split (hwnas), N_SPLITS - 1);
}

/* Plays a search of a few steps to its end. */
static CleaveOptimizer *
make_searched (void)
{
  g_autoptr (CleaveOptimizer) hwnas = make_started ("hwnas", TRUE);

  for (guint step = 0; hwnas != NULL && step < 5; step++)
    {
      g_autoptr (CleaveTrials) trials = ask (hwnas, step / 5.0, step);
      tell (hwnas, trials);
    }
  return g_steal_pointer (&hwnas);
}

/* The next ask is for this split point of the architecture alone; it is told its penalty where that reaches the cutoff,
 * as the search does, else penalty and loss. Gives how many were scored: 0 or 1. */
static guint
play_split (CleaveOptimizer *hwnas, CleaveCandidate *architecture, guint split, double penalty, double loss)
{
  g_autoptr (CleaveTrials) trials = ask (hwnas, 1, 5);
  g_autoptr (GError) error = NULL;

  if (!EXPECT_INT (cleave_trials_get_length (trials), 1))
    return 0;
  CleaveCandidate *candidate = cleave_trials_get_candidate (trials, 0);
  EXPECT_INT (cleave_trials_get_placement (trials, 0), CLEAVE_PLACEMENT_SPLIT);
  EXPECT_INT (cleave_trials_get_fidelity (trials, 0), CLEAVE_FIDELITY_FULL);
  EXPECT_INT (cleave_candidate_get (candidate, 0), cleave_candidate_get (architecture, 0));
  EXPECT_INT (cleave_candidate_get (candidate, 1), cleave_candidate_get (architecture, 1));
  EXPECT_INT (cleave_candidate_get_split (candidate), split);
  gboolean scored = penalty < cleave_trials_get_cutoff (trials, 0);
  const double value = scored ? penalty + loss : penalty;
  cleave_optimizer_tell (hwnas, trials, &value, 1, &error);
  EXPECT_NO_ERROR (error);
  return scored;
}

/* The end of a search with these penalties and losses gives the split that trying all of them gives, and scores only
 * those whose penalty is not above all values before. */
static void
check_splits (const double *penalties, const double *losses)
{
  g_autoptr (CleaveOptimizer) hwnas = make_searched ();
  g_autoptr (CleaveCandidate) before = hwnas != NULL ? cleave_optimizer_recommend (hwnas, NULL) : NULL;
  guint best = 0, n_scored = 0, n_expected = 0;
  double lowest = INFINITY;
  REQUIRE (before != NULL);

  for (guint split = 1; split < N_SPLITS; split++)
    if (penalties[split] + losses[split] < penalties[best] + losses[best])
      best = split;
  for (guint i = 0; i < N_SPLITS; i++)
    {
      guint split = N_SPLITS - 1 - i;

      n_scored += play_split (hwnas, before, split, penalties[split], losses[split]);
      n_expected += penalties[split] <= lowest && isfinite (penalties[split]);
      lowest = fmin (lowest, penalties[split] + losses[split]);
      EXPECT_TRUE (recommended_split (hwnas) >= split);
    }
  EXPECT_INT (n_scored, n_expected);
  EXPECT_INT (recommended_split (hwnas), best);
  g_autoptr (CleaveTrials) rest = ask (hwnas, 1, 6);
  EXPECT_INT (cleave_trials_get_length (rest), 0);
}

TEST (Hwnas, TakesTheBestOfAllSplits)
{
  double penalties[N_SPLITS] = { 0 }, losses[N_SPLITS] = { 0 };

  for (guint round = 0; round < 40; round++)
    {
      g_autoptr (CleaveRandom) random = cleave_random_new (9, round, 0, 0);
      /* Few values, so that the smallest comes more than once, and a loss of 0 makes a penalty equal a value. The first
       * rounds have no penalty: all are scored. */
      for (guint split = 0; split < N_SPLITS; split++)
        {
          penalties[split] = round < 10 ? 0 : cleave_random_below (random, 6);
          losses[split] = cleave_random_below (random, 4);
        }
      check_splits (penalties, losses);
    }
  for (guint split = 0; split < N_SPLITS; split++)
    penalties[split] = INFINITY;
  check_splits (penalties, losses);
  penalties[N_SPLITS - 1] = 8;
  check_splits (penalties, losses);
}

/* The last split's value is 3. Of an earlier one, a penalty of 3 with a loss of 0 is as good, and the earlier is taken;
 * with a loss, be it the smallest, it is worse. */
TEST (Hwnas, PenaltyThatEqualsTheBestValueIsNoReasonToSkip)
{
  double penalties[N_SPLITS], losses[N_SPLITS];

  for (guint split = 0; split < N_SPLITS; split++)
    {
      penalties[split] = split == N_SPLITS - 1 ? 1 : split == 7 ? 3 : 4;
      losses[split] = split == N_SPLITS - 1 ? 2 : 0;
    }
  check_splits (penalties, losses);
  losses[7] = 4 * DBL_EPSILON;
  check_splits (penalties, losses);
}

TEST (Hwnas, RefusesAWrongState)
{
  static const char *const cases[][2] = {
    { "(1, 2)", "type (ii), expected (buudv)" },
    { "(false, uint32 23, uint32 0, 1.0, <0>)", "split 23, 0 left and best value 1, expected at most 22, at most 23" },
    { "(true, uint32 0, uint32 24, 1.0, <0>)", "split 0, 24 left" },
    { "(false, uint32 0, uint32 0, nan, <0>)", "best value nan" },
    { "(true, uint32 0, uint32 0, 1.0, <'nonsense'>)", "asng: the state is of type s" },
  };
  g_autoptr (CleaveOptimizer) hwnas = make_started ("hwnas", TRUE);
  GError *error = NULL;
  REQUIRE (hwnas != NULL);

  g_autoptr (GVariant) before = cleave_optimizer_save (hwnas, &error);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) state = g_variant_ref_sink (g_variant_new_parsed (cases[i][0]));
      EXPECT_TRUE (!cleave_optimizer_load (hwnas, state, &error));
      EXPECT_ERROR (error, CLEAVE_ERROR_DATA, cases[i][1]);
    }
  g_autoptr (GVariant) after = cleave_optimizer_save (hwnas, &error);
  EXPECT_TRUE (g_variant_equal (before, after));
}

TEST (Hwnas, SaysWhatItNeeds)
{
  g_autoptr (CleaveOptimizer) hwnas = make ("hwnas");
  g_autoptr (GVariant) only_split = g_variant_ref_sink (g_variant_new_parsed ("[('split', ['0', '1'])]"));
  g_autoptr (GVariant) variables = make_variables (TRUE);
  const double values[] = { 1, 2 };
  GError *error = NULL;
  REQUIRE (hwnas != NULL);

  EXPECT_TRUE (cleave_optimizer_recommend (hwnas, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "not started");
  EXPECT_TRUE (!cleave_optimizer_start (hwnas, only_split, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "one variable before the split");

  EXPECT_TRUE (cleave_optimizer_start (hwnas, variables, &error));
  g_autoptr (CleaveTrials) trials = ask (hwnas, 1, 0);
  CleaveCandidate *candidate = cleave_trials_get_candidate (trials, 0);
  g_autoptr (CleaveTrials) two = cleave_trials_new ();
  cleave_trials_add (two, candidate, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_FULL);
  cleave_trials_add (two, candidate, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_FULL);
  EXPECT_TRUE (!cleave_optimizer_tell (hwnas, two, values, 2, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "told 2 values, expected one, of split point 22");
  g_autoptr (CleaveCandidate) elsewhere = cleave_candidate_with_split (candidate, 21);
  g_autoptr (CleaveTrials) other = cleave_trials_new ();
  cleave_trials_add (other, elsewhere, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_FULL);
  EXPECT_TRUE (!cleave_optimizer_tell (hwnas, other, values, 1, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "expected one, of split point 22");

  g_object_set (hwnas, "search", NULL, NULL);
  EXPECT_TRUE (!cleave_optimizer_start (hwnas, variables, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "search is not set");
}

/* The inner one takes b for its split: four closing steps, which the outer one puts on the device with their cutoffs;
 * then come its own. */
TEST (Hwnas, MayHoldItsLike)
{
  g_autoptr (CleaveOptimizer) outer = make ("hwnas");
  g_autoptr (CleaveOptimizer) inner = make ("hwnas");
  g_autoptr (GVariant) variables = make_variables (TRUE);
  g_autoptr (GError) error = NULL;
  REQUIRE (outer != NULL && inner != NULL);

  g_object_set (outer, "search", inner, NULL);
  cleave_optimizer_start (outer, variables, &error);
  REQUIRE_NO_ERROR (error);
  for (guint step = 0; step < 4 + N_SPLITS; step++)
    {
      g_autoptr (CleaveTrials) trials = ask (outer, 1, step);
      REQUIRE (cleave_trials_get_length (trials) == 1);
      EXPECT_INT (cleave_trials_get_placement (trials, 0), step < 4 ? CLEAVE_PLACEMENT_DEVICE : CLEAVE_PLACEMENT_SPLIT);
      EXPECT_INT (cleave_trials_get_fidelity (trials, 0), CLEAVE_FIDELITY_FULL);
      EXPECT_TRUE (isinf (cleave_trials_get_cutoff (trials, 0)) == (step == 0 || step == 4));
      tell (outer, trials);
    }
  g_autoptr (CleaveTrials) rest = ask (outer, 1, 4 + N_SPLITS);
  EXPECT_INT (cleave_trials_get_length (rest), 0);
  g_autoptr (CleaveCandidate) answer = cleave_optimizer_recommend (outer, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_INT (cleave_candidate_get (answer, 1), 3);
  EXPECT_INT (cleave_candidate_get_split (answer), 10);
}
