/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What holds for every optimizer that is found. */
#include "cleave-host.h"
#include "test.h"

static const guint categories[] = { 3, 1, 4, 2 };

static GVariant *
make_variables (void)
{
  return g_variant_ref_sink (g_variant_new_parsed (
      "@a(sas) [('a', ['0', '1', '2']), ('b', ['0']), ('c', ['0', '1', '2', '3']), ('split', ['0', '1'])]"));
}

static CleaveOptimizer *
make_started (CleaveHost *host, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) variables = make_variables ();
  g_autoptr (GObject) optimizer = cleave_host_create (host, CLEAVE_KIND_OPTIMIZER, name, &error);

  if (optimizer != NULL)
    cleave_optimizer_start (CLEAVE_OPTIMIZER (optimizer), variables, &error);
  return EXPECT_NO_ERROR (error) ? CLEAVE_OPTIMIZER (g_steal_pointer (&optimizer)) : NULL;
}

static gboolean
is_in_space (CleaveCandidate *candidate)
{
  if (cleave_candidate_get_length (candidate) != G_N_ELEMENTS (categories))
    return FALSE;
  for (guint d = 0; d < G_N_ELEMENTS (categories); d++)
    if (cleave_candidate_get (candidate, d) >= categories[d])
      return FALSE;
  return TRUE;
}

/* The search's budget is used up in the middle of the check, so that closing trials, too, come before and after. */
#define N_STEPS 30
#define SAVE_STEP 20
#define END_STEP 19

/* One round: ask, score by the sum of the choices, tell, unless it is done. Gives the trials, or NULL after a failure.
 */
static CleaveTrials *
play_round (CleaveOptimizer *optimizer, guint step)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRandom) random = cleave_random_new (7, 1, step, 0);
  g_autoptr (CleaveTrials) trials = cleave_optimizer_ask (optimizer, step < END_STEP ? 0.5 : 1, random, &error);

  if (!EXPECT_NO_ERROR (error))
    return NULL;
  guint n_trials = cleave_trials_get_length (trials);
  g_autofree double *values = g_new0 (double, n_trials);
  for (guint n = 0; n < n_trials; n++)
    {
      CleaveCandidate *candidate = cleave_trials_get_candidate (trials, n);
      if (!EXPECT_TRUE (is_in_space (candidate)))
        return NULL;
      for (guint d = 0; d < G_N_ELEMENTS (categories); d++)
        values[n] += cleave_candidate_get (candidate, d);
    }
  if (n_trials > 0)
    cleave_optimizer_tell (optimizer, trials, values, n_trials, &error);
  return EXPECT_NO_ERROR (error) ? g_steal_pointer (&trials) : NULL;
}

static void
check_same_trials (CleaveTrials *first, CleaveTrials *second)
{
  REQUIRE (first != NULL && second != NULL);
  REQUIRE (cleave_trials_get_length (first) == cleave_trials_get_length (second));
  for (guint n = 0; n < cleave_trials_get_length (first); n++)
    {
      EXPECT_TRUE (
          cleave_candidate_equal (cleave_trials_get_candidate (first, n), cleave_trials_get_candidate (second, n)));
      EXPECT_INT (cleave_trials_get_placement (first, n), cleave_trials_get_placement (second, n));
      EXPECT_INT (cleave_trials_get_fidelity (first, n), cleave_trials_get_fidelity (second, n));
      EXPECT_TRUE (cleave_trials_get_cutoff (first, n) == cleave_trials_get_cutoff (second, n));
    }
}

/* After save and load, through the bytes that a checkpoint holds, the search goes on exactly as without. */
static void
check_state_round_trip (CleaveHost *host, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveOptimizer) optimizer = make_started (host, name);
  g_autoptr (CleaveOptimizer) resumed = make_started (host, name);
  REQUIRE (optimizer != NULL && resumed != NULL);

  for (guint step = 0; step < SAVE_STEP; step++)
    {
      g_autoptr (CleaveTrials) trials = play_round (optimizer, step);
      REQUIRE (trials != NULL);
    }
  g_autoptr (GVariant) state = cleave_optimizer_save (optimizer, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (state);
  g_autoptr (GVariant) read = g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (state), bytes, FALSE));
  cleave_optimizer_load (resumed, read, &error);
  REQUIRE_NO_ERROR (error);
  for (guint step = SAVE_STEP; step < N_STEPS; step++)
    {
      g_autoptr (CleaveTrials) first = play_round (optimizer, step);
      g_autoptr (CleaveTrials) second = play_round (resumed, step);
      check_same_trials (first, second);
    }
  g_autoptr (GVariant) first_end = cleave_optimizer_save (optimizer, &error);
  g_autoptr (GVariant) second_end = cleave_optimizer_save (resumed, &error);
  EXPECT_TRUE (g_variant_equal (first_end, second_end));
}

static void
check_answers (CleaveHost *host, const char *name)
{
  g_autoptr (GVariant) nonsense = g_variant_ref_sink (g_variant_new_string ("nonsense"));
  g_autoptr (CleaveOptimizer) optimizer = make_started (host, name);
  GError *error = NULL;
  REQUIRE (optimizer != NULL);

  EXPECT_TRUE (!cleave_optimizer_load (optimizer, nonsense, &error));
  EXPECT_TRUE (error != NULL);
  g_clear_error (&error);
  g_autoptr (CleaveCandidate) answer = cleave_optimizer_recommend (optimizer, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (is_in_space (answer));
  g_autoptr (GVariant) metrics = cleave_optimizer_metrics (optimizer, &error);
  EXPECT_TRUE (g_variant_is_of_type (metrics, G_VARIANT_TYPE ("a{sd}")));
}

TEST (ConformanceOptimizers, EveryOne)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (GPtrArray) plugins = cleave_host_list (host);

  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = g_ptr_array_index (plugins, i);
      if (plugin->kind != CLEAVE_KIND_OPTIMIZER)
        continue;
      check_state_round_trip (host, plugin->name);
      check_answers (host, plugin->name);
    }
}
