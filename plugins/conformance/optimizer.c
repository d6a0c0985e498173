/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds for every optimizer. */

#include "optimizer-play.h"

#include <math.h>

#define SEED 1

static gboolean
use_optimizer (Conformance *self, GObject *component, GError **error)
{
  g_autoptr (GVariant) variables = g_variant_ref_sink (
      g_variant_new_parsed ("@a(sas) [('a', ['0', '1', '2']), ('b', ['0', '1']), ('split', ['0', '1'])]"));
  CleaveOptimizer *optimizer = CLEAVE_OPTIMIZER (component);

  if (!cleave_optimizer_start (optimizer, variables, error))
    return FALSE;
  for (guint32 step = 0; step < 2; step++)
    {
      g_autoptr (CleaveRandom) random = cleave_random_new (SEED, 0, step, 0);
      g_autoptr (CleaveTrials) trials = cleave_optimizer_ask (optimizer, step / 2.0, random, error);
      guint n_trials = trials != NULL ? cleave_trials_get_length (trials) : 0;
      g_autofree double *values = g_new0 (double, n_trials + 1);

      if (trials == NULL || (n_trials > 0 && !cleave_optimizer_tell (optimizer, trials, values, n_trials, error)))
        return FALSE;
    }
  g_autoptr (CleaveCandidate) answer = cleave_optimizer_recommend (optimizer, error);
  g_autoptr (GVariant) metrics = answer != NULL ? cleave_optimizer_metrics (optimizer, error) : NULL;
  g_autoptr (GVariant) state = metrics != NULL ? cleave_optimizer_save (optimizer, error) : NULL;
  return state != NULL && cleave_optimizer_load (optimizer, state, error);
}

/* --- what it finds --- */

/* Of 24 candidates, a random search that scores one a step misses the best with probability (23/24)^400, 4e-8. One that
 * learns may settle too early on a problem so small: half of the searches are enough. */
#define N_SEARCH_STEPS 400
#define N_SEARCHES 8
#define N_SUCCESSES 4

static gboolean
check_optimum (Conformance *self, GError **error)
{
  guint n_successes = 0;

  for (guint32 seed = 1; seed <= N_SEARCHES; seed++)
    {
      g_auto (OptimizerPlay) play = { 0 };

      if (!optimizer_play_start (&play, self, seed, N_SEARCH_STEPS, OPTIMIZER_PLAY_LOSS, error)
          || !optimizer_play_finish (&play, error))
        return FALSE;
      double loss = optimizer_play_recommended_loss (&play, error);
      if (isnan (loss))
        return FALSE;
      n_successes += loss == 0;
    }
  if (n_successes < N_SUCCESSES)
    return conformance_fail (
        error,
        "the best of 24 candidates, whose variables add up, is recommended after %d steps in %u of "
        "%d searches, expected %d",
        N_SEARCH_STEPS, n_successes, N_SEARCHES, N_SUCCESSES);
  return TRUE;
}

/* --- what it may do at any moment --- */

/* Some closing steps come too. */
#define N_SHORT_STEPS 12

/* Names in the order of METRICS; NULL with an error set where a number is none. */
static char *
list_metrics (OptimizerPlay *play, GError **error)
{
  g_autoptr (GVariant) metrics = cleave_optimizer_metrics (play->optimizer, error);
  g_autoptr (GString) names = g_string_new (NULL);

  for (gsize i = 0; metrics != NULL && i < g_variant_n_children (metrics); i++)
    {
      const char *name;
      double value;

      g_variant_get_child (metrics, i, "{&sd}", &name, &value);
      if (!isfinite (value))
        {
          conformance_fail (error, "metric %s is %g, expected a finite number", name, value);
          return NULL;
        }
      g_string_append_printf (names, "%s ", name);
    }
  return metrics != NULL ? g_string_free (g_steal_pointer (&names), FALSE) : NULL;
}

/* Metrics become columns of a table, which has the same ones in every row. */
static gboolean
check_metrics (Conformance *self, GError **error)
{
  g_auto (OptimizerPlay) play = { 0 };
  g_autofree char *first = NULL;

  if (!optimizer_play_start (&play, self, SEED, N_SHORT_STEPS, OPTIMIZER_PLAY_LOSS, error))
    return FALSE;
  first = list_metrics (&play, error);
  while (first != NULL && !play.is_done)
    {
      if (!optimizer_play_go_on (&play, error))
        return FALSE;
      g_autofree char *names = list_metrics (&play, error);
      if (names == NULL)
        return FALSE;
      if (!g_str_equal (first, names))
        return conformance_fail (error, "the metrics were %sand are %snow, expected the same ones always", first,
                                 names);
    }
  return first != NULL;
}

static gboolean
check_recommendations (Conformance *self, GError **error)
{
  g_auto (OptimizerPlay) play = { 0 };

  if (!optimizer_play_start (&play, self, SEED, N_SHORT_STEPS, OPTIMIZER_PLAY_MIXED, error))
    return FALSE;
  while (!play.is_done)
    if (isnan (optimizer_play_recommended_loss (&play, error)) || !optimizer_play_go_on (&play, error))
      return FALSE;
  /* Done means done. */
  play.is_done = FALSE;
  if (isnan (optimizer_play_recommended_loss (&play, error)) || !optimizer_play_go_on (&play, error))
    return FALSE;
  return play.is_done || conformance_fail (error, "it was done, and asks again");
}

/* All candidates are worst. */
static gboolean
check_infinity (Conformance *self, GError **error)
{
  g_auto (OptimizerPlay) play = { 0 };

  return optimizer_play_start (&play, self, SEED, N_SHORT_STEPS, OPTIMIZER_PLAY_INFINITY, error)
         && optimizer_play_finish (&play, error) && !isnan (optimizer_play_recommended_loss (&play, error));
}

/* --- the same again --- */

/* Both to their ends, asking the same, and leaving the same state. */
static gboolean
check_same_rest (OptimizerPlay *play, OptimizerPlay *other, GError **error)
{
  while (!play->is_done)
    {
      if (!optimizer_play_go_on (play, error) || !optimizer_play_go_on (other, error))
        return FALSE;
      if (!optimizer_play_is_same (play, other))
        return conformance_fail (error, "step %u asks for other trials", play->step + 1);
    }
  g_autoptr (GVariant) state = cleave_optimizer_save (play->optimizer, error);
  g_autoptr (GVariant) other_state = state != NULL ? cleave_optimizer_save (other->optimizer, error) : NULL;

  if (other_state == NULL)
    return FALSE;
  return g_variant_equal (state, other_state) || conformance_fail (error, "its state is another at the end");
}

static gboolean
check_same_seed (Conformance *self, GError **error)
{
  g_auto (OptimizerPlay) play = { 0 };
  g_auto (OptimizerPlay) other = { 0 };

  if (!optimizer_play_start (&play, self, SEED, N_SHORT_STEPS, OPTIMIZER_PLAY_MIXED, error)
      || !optimizer_play_start (&other, self, SEED, N_SHORT_STEPS, OPTIMIZER_PLAY_MIXED, error))
    return FALSE;
  if (check_same_rest (&play, &other, error))
    return TRUE;
  g_prefix_error (error, "with the same seed, a second one: ");
  return FALSE;
}

/* A checkpoint holds a state as bytes. */
static GVariant *
pass_through_bytes (GVariant *state)
{
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (state);

  return g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (state), bytes, FALSE));
}

/* Saves before the search goes on from MOMENT, counted in calls of ask and tell, and goes on with both. */
static gboolean
check_state_at (Conformance *self, guint moment, gboolean *is_last, GError **error)
{
  g_auto (OptimizerPlay) play = { 0 };
  g_auto (OptimizerPlay) resumed = { 0 };

  if (!optimizer_play_start (&play, self, SEED, N_SHORT_STEPS, OPTIMIZER_PLAY_MIXED, error))
    return FALSE;
  for (guint i = 0; i < moment; i++)
    if (!optimizer_play_go_on (&play, error))
      return FALSE;
  *is_last = play.is_done;
  g_autoptr (GVariant) saved = cleave_optimizer_save (play.optimizer, error);
  if (saved == NULL)
    return FALSE;
  g_autoptr (GVariant) state = pass_through_bytes (saved);
  if (!optimizer_play_resume (&resumed, self, &play, state, error))
    return FALSE;
  double loss = optimizer_play_recommended_loss (&play, error);
  if (isnan (loss))
    return FALSE;
  if (optimizer_play_recommended_loss (&resumed, NULL) != loss)
    return conformance_fail (error, "it recommends another candidate");
  return check_same_rest (&play, &resumed, error);
}

static gboolean
check_state (Conformance *self, GError **error)
{
  gboolean is_last = FALSE;

  for (guint moment = 0; !is_last; moment++)
    if (!check_state_at (self, moment, &is_last, error))
      {
        g_prefix_error (error, "saved %s step %u and loaded: ", moment % 2 == 0 ? "before" : "in", moment / 2 + 1);
        return FALSE;
      }
  return TRUE;
}

/* Started once more, it has forgotten what was before. */
static gboolean
check_start_anew (Conformance *self, GError **error)
{
  g_auto (OptimizerPlay) play = { 0 };
  g_auto (OptimizerPlay) fresh = { 0 };

  if (!optimizer_play_start (&play, self, SEED + 1, N_SHORT_STEPS, OPTIMIZER_PLAY_LOSS, error)
      || !optimizer_play_finish (&play, error)
      || !optimizer_play_start (&fresh, self, SEED, N_SHORT_STEPS, OPTIMIZER_PLAY_LOSS, error)
      || !optimizer_play_restart (&play, SEED, error))
    return FALSE;
  if (check_same_rest (&fresh, &play, error))
    return TRUE;
  g_prefix_error (error, "started again: ");
  return FALSE;
}

/* --- nonsense: but that nothing is asked of an optimizer before it is started is the core's promise --- */

/* A state that does not fit is refused, with a reason, and changes nothing; with one that is taken, an optimizer works
 * or says why not. */
static gboolean
check_wrong_state (Conformance *self, GVariant *nonsense, gboolean must_refuse, GError **error)
{
  g_auto (OptimizerPlay) play = { 0 };
  g_autoptr (GError) problem = NULL;

  if (!optimizer_play_start (&play, self, SEED, N_SHORT_STEPS, OPTIMIZER_PLAY_LOSS, error)
      || !optimizer_play_go_on (&play, error) || !optimizer_play_go_on (&play, error))
    return FALSE;
  g_autoptr (GVariant) before = cleave_optimizer_save (play.optimizer, error);
  if (before == NULL)
    return FALSE;
  gboolean is_taken = cleave_optimizer_load (play.optimizer, nonsense, &problem);
  if (is_taken && must_refuse)
    return conformance_fail (error, "load takes a state of type %s, expected an error",
                             g_variant_get_type_string (nonsense));
  if (is_taken)
    {
      gboolean works
          = !isnan (optimizer_play_recommended_loss (&play, &problem)) && optimizer_play_finish (&play, &problem);

      return works || conformance_is_clean (problem)
             || conformance_fail (error, "after load of an empty state: %s", problem->message);
    }
  if (!conformance_is_clean (problem))
    return conformance_fail (error, "load of a state of type %s: %s", g_variant_get_type_string (nonsense),
                             problem->message);
  g_autoptr (GVariant) after = cleave_optimizer_save (play.optimizer, error);
  if (after == NULL)
    return FALSE;
  return g_variant_equal (before, after)
         || conformance_fail (error, "load refuses a state of type %s, and has changed the optimizer's own",
                              g_variant_get_type_string (nonsense));
}

/* States of no optimizer, and of its own one's type, but all zeros and empty. */
static gboolean
check_wrong_states (Conformance *self, GError **error)
{
  static const char *const texts[] = { "'nonsense'", "()", "<<true>>", "{'x': <1>}" };
  g_auto (OptimizerPlay) play = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GVariant) nonsense = g_variant_ref_sink (g_variant_new_parsed (texts[i]));

      conformance_go_on (self, "load of %s", texts[i]);
      if (!check_wrong_state (self, nonsense, TRUE, error))
        return FALSE;
    }
  conformance_go_on (self, "load of an empty state of its own type");
  if (!optimizer_play_start (&play, self, SEED, N_SHORT_STEPS, OPTIMIZER_PLAY_LOSS, error))
    return FALSE;
  g_autoptr (GVariant) state = cleave_optimizer_save (play.optimizer, error);
  if (state == NULL)
    return FALSE;
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (GVariant) empty
      = g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (state), nothing, FALSE));
  return check_wrong_state (self, empty, FALSE, error);
}

/* Spaces with hardly anything to search: taken, or refused. */
static gboolean
check_small_spaces (Conformance *self, GError **error)
{
  static const char *const spaces[] = { "@a(sas) [('split', ['0'])]", "@a(sas) [('a', ['0']), ('split', ['0'])]" };

  for (gsize i = 0; i < G_N_ELEMENTS (spaces); i++)
    {
      g_autoptr (GObject) component = conformance_make (self, error);
      g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed (spaces[i]));
      g_autoptr (GError) problem = NULL;

      if (component == NULL)
        return FALSE;
      if (!cleave_optimizer_start (CLEAVE_OPTIMIZER (component), variables, &problem)
          && !conformance_is_clean (problem))
        return conformance_fail (error, "the space %s: %s", spaces[i], problem->message);
    }
  return TRUE;
}

static gboolean
check_nonsense (Conformance *self, GError **error)
{
  return check_small_spaces (self, error) && check_wrong_states (self, error);
}

static const ConformanceCheck checks[] = {
  { "search: optimum", check_optimum, FALSE },
  { "search: recommends", check_recommendations, FALSE },
  { "search: infinity", check_infinity, FALSE },
  { "search: metrics", check_metrics, FALSE },
  { "search: same seed twice", check_same_seed, FALSE },
  { "search: started anew", check_start_anew, FALSE },
  { "state", check_state, FALSE },
  { "nonsense", check_nonsense, FALSE },
  { NULL, NULL, FALSE },
};

const ConformanceKind conformance_optimizer = { use_optimizer, 50, FALSE, checks };
