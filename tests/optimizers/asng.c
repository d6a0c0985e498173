/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"
#include <math.h>

/* A started asng over three variables of two categories, unless VARIABLES says otherwise. */
static CleaveOptimizer *
start_asng (const char *variables_text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed (
      variables_text != NULL ? variables_text : "@a(sas) [('a', ['x', 'y']), ('b', ['x', 'y']), ('c', ['x', 'y'])]"));
  g_autoptr (GObject) asng = host != NULL ? cleave_host_create (host, CLEAVE_KIND_OPTIMIZER, "asng", &error) : NULL;

  if (asng != NULL)
    cleave_optimizer_start (CLEAVE_OPTIMIZER (asng), variables, &error);
  if (!EXPECT_NO_ERROR (error))
    return NULL;
  return CLEAVE_OPTIMIZER (g_steal_pointer (&asng));
}

/* Tells two candidates, which choose the same category of every variable, and their values. */
static gboolean
tell_two (CleaveOptimizer *asng, guint n_variables, guint first_choice, guint second_choice, double first_value,
          double second_value, GError **error)
{
  const double values[] = { first_value, second_value };
  const guint choices[] = { first_choice, second_choice };
  g_autoptr (CleaveTrials) trials = cleave_trials_new ();

  for (guint n = 0; n < 2; n++)
    {
      g_autofree guint *all = g_new (guint, n_variables);
      for (guint d = 0; d < n_variables; d++)
        all[d] = choices[n];
      g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (all, n_variables);
      cleave_trials_add (trials, candidate, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_MINIBATCH);
    }
  return cleave_optimizer_tell (asng, trials, values, 2, error);
}

static double
saved_number (CleaveOptimizer *asng, const char *key)
{
  g_autoptr (GVariant) state = cleave_optimizer_save (asng, NULL);
  double number = NAN;

  g_variant_lookup (state, key, "d", &number);
  return number;
}

static double
saved_theta (CleaveOptimizer *asng, guint variable, guint category)
{
  g_autoptr (GVariant) state = cleave_optimizer_save (asng, NULL);
  g_autoptr (GVariant) theta = g_variant_lookup_value (state, "theta", G_VARIANT_TYPE ("aad"));
  g_autoptr (GVariant) numbers = g_variant_get_child_value (theta, variable);
  double number;

  g_variant_get_child (numbers, category, "d", &number);
  return number;
}

TEST (Asng, OneUpdateByHand)
{
  g_autoptr (CleaveOptimizer) asng = start_asng (NULL);
  g_autoptr (GError) error = NULL;
  REQUIRE (asng != NULL);

  tell_two (asng, 3, 1, 0, 8, 9, &error);
  REQUIRE_NO_ERROR (error);
  /* θ = ½, G = ∓½, so F^½G is −(½/√½ + √½·½/(½ + √½)) = −1 per variable and its norm √3. β = 1/√3. θ moves to
   * ½ − ½/√3 < θ_min = ⅓; the projection leaves ⅓ and ⅔. s = −√(β(2 − β))/√3, so ‖s‖² = β(2 − β) = γ. The 1e-9 in the
   * norm allows for 1e-8. */
  double beta = 1 / sqrt (3), gamma = beta * (2 - beta);
  for (guint d = 0; d < 3; d++)
    {
      EXPECT_NEAR (saved_theta (asng, d, 0), 1.0 / 3, 1e-8);
      EXPECT_NEAR (saved_theta (asng, d, 1), 2.0 / 3, 1e-8);
    }
  EXPECT_NEAR (saved_number (asng, "gamma"), gamma, 1e-12);
  EXPECT_NEAR (saved_number (asng, "delta"), exp (beta * (gamma - gamma / 1.5)), 1e-8);
}

TEST (Asng, InfinityIsWorstAndNanIsRefused)
{
  g_autoptr (CleaveOptimizer) asng = start_asng (NULL);
  GError *error = NULL;
  REQUIRE (asng != NULL);

  g_autoptr (GVariant) before = cleave_optimizer_save (asng, &error);
  EXPECT_TRUE (!tell_two (asng, 3, 0, 1, 8, NAN, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_NUMERIC, "NaN");
  tell_two (asng, 3, 0, 1, INFINITY, INFINITY, &error);
  EXPECT_NO_ERROR (error);
  g_autoptr (GVariant) after = cleave_optimizer_save (asng, &error);
  EXPECT_TRUE (g_variant_equal (before, after));

  tell_two (asng, 3, 0, 1, INFINITY, 8, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (saved_theta (asng, 0, 1) > 0.6);
}

TEST (Asng, RefusesTrialsOfAnotherSpace)
{
  g_autoptr (CleaveOptimizer) asng = start_asng (NULL);
  GError *error = NULL;
  REQUIRE (asng != NULL);

  EXPECT_TRUE (!tell_two (asng, 2, 0, 1, 8, 9, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "2 choices, expected 3");
  EXPECT_TRUE (!tell_two (asng, 3, 0, 2, 8, 9, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "choice 2 for variable 0");
}

TEST (Asng, DrawsFromTheta)
{
  g_autoptr (CleaveOptimizer) asng = start_asng ("@a(sas) [('a', ['x', 'y', 'z']), ('b', ['x'])]");
  g_autoptr (GVariant) state = g_variant_ref_sink (g_variant_new_parsed (
      "{'theta': <[[0.7, 0.2, 0.1], [1.0]]>, 'delta': <2.0>, 'gamma': <0.5>, 's': <[0.0, 0.0]>}"));
  g_autoptr (GError) error = NULL;
  const guint n_rounds = 10000;
  guint counts[3] = { 0 };
  REQUIRE (asng != NULL);

  cleave_optimizer_load (asng, state, &error);
  REQUIRE_NO_ERROR (error);
  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, i, 0);
      g_autoptr (CleaveTrials) trials = cleave_optimizer_ask (asng, 0.5, random, &error);
      REQUIRE_NO_ERROR (error);
      REQUIRE (cleave_trials_get_length (trials) == 2);
      for (guint n = 0; n < 2; n++)
        counts[cleave_candidate_get (cleave_trials_get_candidate (trials, n), 0)]++;
    }
  /* Four standard deviations of 20000 draws: 4·√(0.25/20000) = 0.014. */
  EXPECT_NEAR (counts[0] / 20000.0, 0.7, 0.014);
  EXPECT_NEAR (counts[1] / 20000.0, 0.2, 0.014);
  EXPECT_NEAR (counts[2] / 20000.0, 0.1, 0.014);
}

TEST (Asng, AsksNoMoreAtTheEnd)
{
  g_autoptr (CleaveOptimizer) asng = start_asng (NULL);
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  g_autoptr (GError) error = NULL;
  REQUIRE (asng != NULL);

  g_autoptr (CleaveTrials) trials = cleave_optimizer_ask (asng, 1, random, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_INT (cleave_trials_get_length (trials), 0);
}

TEST (Asng, RecommendsTheFirstOfEquals)
{
  g_autoptr (CleaveOptimizer) asng = start_asng ("@a(sas) [('a', ['x', 'y', 'z']), ('b', ['x', 'y'])]");
  g_autoptr (GVariant) state = g_variant_ref_sink (g_variant_new_parsed (
      "{'theta': <[[0.2, 0.4, 0.4], [0.5, 0.5]]>, 'delta': <2.0>, 'gamma': <0.5>, 's': <[0.0, 0.0, 0.0]>}"));
  g_autoptr (GError) error = NULL;
  REQUIRE (asng != NULL);

  cleave_optimizer_load (asng, state, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveCandidate) best = cleave_optimizer_recommend (asng, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_INT (cleave_candidate_get (best, 0), 1);
  EXPECT_INT (cleave_candidate_get (best, 1), 0);
}

/* With so few parameters the published rules divide by zero or take the root of a negative number. */
TEST (Asng, LearnsOneVariable)
{
  g_autoptr (CleaveOptimizer) asng = start_asng ("@a(sas) [('a', ['x', 'y'])]");
  g_autoptr (GError) error = NULL;
  REQUIRE (asng != NULL);

  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, i, 0);
      g_autoptr (CleaveTrials) trials = cleave_optimizer_ask (asng, 0, random, &error);
      REQUIRE_NO_ERROR (error);
      double values[2];
      for (guint n = 0; n < 2; n++)
        values[n] = 5.0 - cleave_candidate_get (cleave_trials_get_candidate (trials, n), 0);
      cleave_optimizer_tell (asng, trials, values, 2, &error);
      REQUIRE_NO_ERROR (error);
      REQUIRE (isfinite (saved_number (asng, "delta")) && saved_number (asng, "delta") > 0);
      REQUIRE (fabs (saved_theta (asng, 0, 0) + saved_theta (asng, 0, 1) - 1) < 1e-12);
    }
  /* The bound is half of 1/K. */
  EXPECT_NEAR (saved_theta (asng, 0, 1), 0.75, 1e-9);
}

TEST (Asng, NothingToLearnIsNoError)
{
  g_autoptr (CleaveOptimizer) asng = start_asng ("@a(sas) [('a', ['x']), ('b', ['x'])]");
  g_autoptr (GError) error = NULL;
  REQUIRE (asng != NULL);

  tell_two (asng, 2, 0, 0, 1, 2, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_NEAR (saved_theta (asng, 0, 0), 1, 0);
  g_autoptr (GVariant) metrics = cleave_optimizer_metrics (asng, &error);
  double entropy = NAN;
  g_variant_lookup (metrics, "theta_entropy", "d", &entropy);
  EXPECT_NEAR (entropy, 0, 0);
}

TEST (Asng, EntropyIsNormalised)
{
  g_autoptr (CleaveOptimizer) asng = start_asng ("@a(sas) [('a', ['x', 'y', 'z', 'w']), ('b', ['x'])]");
  g_autoptr (GVariant) state = g_variant_ref_sink (g_variant_new_parsed (
      "{'theta': <[[0.5, 0.25, 0.125, 0.125], [1.0]]>, 'delta': <2.0>, 'gamma': <0.5>, 's': <[0.0, 0.0, 0.0]>}"));
  g_autoptr (GError) error = NULL;
  double entropy = NAN;
  REQUIRE (asng != NULL);

  cleave_optimizer_load (asng, state, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (GVariant) metrics = cleave_optimizer_metrics (asng, &error);
  g_variant_lookup (metrics, "theta_entropy", "d", &entropy);
  /* 1.75 bits of 2; b has nothing to tell. */
  EXPECT_NEAR (entropy, 0.875, 1e-12);
}

TEST (Asng, RefusesAWrongState)
{
  static const struct
  {
    const char *state;
    const char *complaint;
  } cases[] = {
    { "[1, 2]", "type ai, expected a{sv}" },
    { "{'delta': <1.0>, 'gamma': <0.0>, 's': <[0.0, 0.0]>}", "no theta" },
    { "{'theta': <[[0.5, 0.5]]>, 'delta': <1.0>, 'gamma': <0.0>, 's': <[0.0, 0.0]>}", "1 variables, expected 2" },
    { "{'theta': <[[1.0], [0.5, 0.5]]>, 'delta': <1.0>, 'gamma': <0.0>, 's': <[0.0, 0.0]>}", "1 numbers, expected 2" },
    { "{'theta': <[[0.5, 0.6], [0.5, 0.5]]>, 'delta': <1.0>, 'gamma': <0.0>, 's': <[0.0, 0.0]>}", "sums to 1.1" },
    { "{'theta': <[[1.0, 0.0], [0.5, 0.5]]>, 'delta': <1.0>, 'gamma': <0.0>, 's': <[0.0, 0.0]>}", "positive" },
    { "{'theta': <[[0.5, 0.5], [0.5, 0.5]]>, 'delta': <0.0>, 'gamma': <0.0>, 's': <[0.0, 0.0]>}", "delta 0" },
    { "{'theta': <[[0.5, 0.5], [0.5, 0.5]]>, 'delta': <1.0>, 'gamma': <1.5>, 's': <[0.0, 0.0]>}", "gamma 1.5" },
    { "{'theta': <[[0.5, 0.5], [0.5, 0.5]]>, 'delta': <1.0>, 'gamma': <0.0>, 's': <[0.0]>}", "s has 1 numbers" },
    { "{'theta': <[[0.5, 0.5], [0.5, 0.5]]>, 'delta': <1.0>, 'gamma': <0.0>, 's': <[0.0, inf]>}", "holds inf" },
    { "{'theta': <[[0.5, 0.5], [0.5, 0.5]]>, 'delta': <1.0>, 'gamma': <0>, 's': <[0.0, 0.0]>}", "no gamma of type d" },
  };
  g_autoptr (CleaveOptimizer) asng = start_asng ("@a(sas) [('a', ['x', 'y']), ('b', ['x', 'y'])]");
  GError *error = NULL;
  REQUIRE (asng != NULL);

  g_autoptr (GVariant) before = cleave_optimizer_save (asng, &error);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) state = g_variant_ref_sink (g_variant_new_parsed (cases[i].state));
      EXPECT_TRUE (!cleave_optimizer_load (asng, state, &error));
      EXPECT_ERROR (error, CLEAVE_ERROR_DATA, cases[i].complaint);
    }
  g_autoptr (GVariant) after = cleave_optimizer_save (asng, &error);
  EXPECT_TRUE (g_variant_equal (before, after));
}

/* A step so long that β > 2, and an α that lets Δ collapse: √(β(2 − β)) must stay real. */
TEST (Asng, AnyStepLengthStaysFinite)
{
  g_autoptr (CleaveOptimizer) asng = start_asng (NULL);
  g_autoptr (GVariant) variables
      = g_variant_ref_sink (g_variant_new_parsed ("@a(sas) [('a', ['x', 'y']), ('b', ['x', 'y', 'z'])]"));
  g_autoptr (GError) error = NULL;
  REQUIRE (asng != NULL);

  g_object_set (asng, "initial-delta", 100.0, "alpha", 0.01, NULL);
  cleave_optimizer_start (asng, variables, &error);
  for (guint i = 0; i < 100; i++)
    {
      tell_two (asng, 2, i % 2, 1, i % 3, i % 5, &error);
      REQUIRE_NO_ERROR (error);
      /* Loading checks that each number is finite and within its range. */
      g_autoptr (GVariant) state = cleave_optimizer_save (asng, &error);
      cleave_optimizer_load (asng, state, &error);
      REQUIRE_NO_ERROR (error);
    }
}
