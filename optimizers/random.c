/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random search with a hard latency limit: candidates are drawn uniformly, and those above the limit are drawn again.
 *
 * A trial with a cutoff of 0 asks for nothing but its latency penalty, which is 0 for a candidate that meets the limit
 * and costs no image. Those wait to be scored in a later step, first come first, so what is scored is drawn uniformly
 * from the candidates that meet the limit. Steps have different minibatches, so the smallest value is in part luck.
 *
 * The state that it saves is (aauaudb): the candidates that wait, the best one, its value, and whether it was scored.
 */
#include <cleave/cleave.h>

#include <math.h>

#define STATE_TYPE "(aauaudb)"

typedef struct
{
  GObject parent_instance;
  guint samples;
  guint draws;

  GVariant *variables; /* NULL = not started */

  /* The state, which save and load carry. */
  GPtrArray *waiting; /* CleaveCandidate, which meet the limit */
  CleaveCandidate *best;
  double value; /* of the best, on a minibatch; its penalty until one is scored */
  gboolean is_scored;
} RandomSearch;

static void
random_search_finalize (gpointer instance)
{
  RandomSearch *self = instance;

  g_clear_pointer (&self->variables, g_variant_unref);
  g_clear_pointer (&self->waiting, g_ptr_array_unref);
  g_clear_pointer (&self->best, cleave_candidate_unref);
}

static gboolean
check_started (RandomSearch *self, GError **error)
{
  if (self->variables == NULL)
    cleave_error_set_literal (error, CLEAVE_ERROR_PLUGIN, "random: it was not started");
  return self->variables != NULL;
}

static gboolean
random_search_start (CleaveOptimizer *optimizer, GVariant *variables, GError **error)
{
  RandomSearch *self = (RandomSearch *)optimizer;
  g_autofree guint *zeros = g_new0 (guint, g_variant_n_children (variables));

  random_search_finalize (self);
  self->waiting = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_candidate_unref);
  self->best = cleave_candidate_new (zeros, g_variant_n_children (variables));
  self->value = INFINITY;
  self->is_scored = FALSE;
  self->variables = g_variant_ref (variables);
  return TRUE;
}

/* Those that are scored come first, in the order in which they wait. Others are drawn while too few wait for the step
 * after this. */
static CleaveTrials *
random_search_ask (CleaveOptimizer *optimizer, double progress, CleaveRandom *random, GError **error)
{
  RandomSearch *self = (RandomSearch *)optimizer;

  if (!check_started (self, error))
    return NULL;

  CleaveTrials *trials = cleave_trials_new ();
  if (progress >= 1)
    return trials;
  const guint n_scored = MIN (self->samples, self->waiting->len);
  const guint n_drawn = self->waiting->len < 2 * self->samples ? self->draws : 0;
  for (guint i = 0; i < n_scored; i++)
    cleave_trials_add (trials, self->waiting->pdata[i], CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_MINIBATCH);
  for (guint i = n_scored; i < n_scored + n_drawn; i++)
    {
      g_autoptr (CleaveCandidate) candidate = cleave_candidate_new_random (self->variables, random);
      cleave_trials_add (trials, candidate, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_MINIBATCH);
      cleave_trials_set_cutoff (trials, i, 0);
    }
  return trials;
}

/* One that was scored meets the limit, so it is better than any that was not. */
static void
keep_best (RandomSearch *self, CleaveCandidate *candidate, double value, gboolean is_scored)
{
  if (is_scored == self->is_scored ? value >= self->value : self->is_scored)
    return;
  cleave_candidate_unref (self->best);
  self->best = cleave_candidate_ref (candidate);
  self->value = value;
  self->is_scored = is_scored;
}

static gboolean
random_search_tell (CleaveOptimizer *optimizer, CleaveTrials *trials, const double *values, gsize n_values,
                    GError **error)
{
  RandomSearch *self = (RandomSearch *)optimizer;
  guint n_scored = 0;

  if (!check_started (self, error))
    return FALSE;
  for (gsize i = 0; i < n_values; i++)
    {
      CleaveCandidate *candidate = cleave_trials_get_candidate (trials, i);
      const gboolean is_draw = cleave_trials_get_cutoff (trials, i) == 0;
      keep_best (self, candidate, values[i], !is_draw);
      if (!is_draw)
        n_scored++;
      else if (values[i] == 0)
        g_ptr_array_add (self->waiting, cleave_candidate_ref (candidate));
    }
  g_ptr_array_remove_range (self->waiting, 0, MIN (n_scored, self->waiting->len));
  return TRUE;
}

/* Until one is scored, the first that meets the limit, or what comes nearest to it. */
static CleaveCandidate *
random_search_recommend (CleaveOptimizer *optimizer, GError **error)
{
  RandomSearch *self = (RandomSearch *)optimizer;

  return check_started (self, error) ? cleave_candidate_ref (self->best) : NULL;
}

static GVariant *
random_search_save (CleaveOptimizer *optimizer, GError **error)
{
  RandomSearch *self = (RandomSearch *)optimizer;
  GVariantBuilder waiting;

  if (!check_started (self, error))
    return NULL;
  g_variant_builder_init (&waiting, G_VARIANT_TYPE ("aau"));
  for (guint i = 0; i < self->waiting->len; i++)
    g_variant_builder_add_value (&waiting, cleave_candidate_to_variant (self->waiting->pdata[i]));
  return g_variant_new ("(aau@audb)", &waiting, cleave_candidate_to_variant (self->best), self->value, self->is_scored);
}

static gboolean
random_search_load (CleaveOptimizer *optimizer, GVariant *state, GError **error)
{
  RandomSearch *self = (RandomSearch *)optimizer;
  g_autoptr (GVariant) waiting_state = NULL, best_state = NULL;
  g_autoptr (GPtrArray) waiting = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_candidate_unref);
  double value;
  gboolean is_scored;

  if (!check_started (self, error))
    return FALSE;
  if (!g_variant_is_of_type (state, G_VARIANT_TYPE (STATE_TYPE)))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "random: the state is of type %s, expected " STATE_TYPE,
                   g_variant_get_type_string (state));
      return FALSE;
    }
  g_variant_get (state, "(@aau@audb)", &waiting_state, &best_state, &value, &is_scored);
  if (isnan (value))
    {
      cleave_error_set_literal (error, CLEAVE_ERROR_DATA, "random: the state has a value NaN, expected a number");
      return FALSE;
    }
  g_autoptr (CleaveCandidate) best = cleave_candidate_new_from_variant (best_state, self->variables, error);
  for (gsize i = 0; best != NULL && i < g_variant_n_children (waiting_state); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (waiting_state, i);
      CleaveCandidate *candidate = cleave_candidate_new_from_variant (child, self->variables, error);
      if (candidate == NULL)
        return FALSE;
      g_ptr_array_add (waiting, candidate);
    }
  if (best == NULL)
    return FALSE;
  g_ptr_array_unref (self->waiting);
  cleave_candidate_unref (self->best);
  self->waiting = g_steal_pointer (&waiting);
  self->best = g_steal_pointer (&best);
  self->value = value;
  self->is_scored = is_scored;
  return TRUE;
}

CLEAVE_PLUGIN_BEGIN (RandomSearch, random_search, OPTIMIZER)
  CLEAVE_PARAMETER (samples, UINT, "", 1, 1024, 2, "Candidates scored a step, on the same minibatch")
  CLEAVE_PARAMETER (draws, UINT, "", 1, 4096, 16,
                    "Candidates drawn a step where fewer than twice samples that meet the latency limit wait")
  CLEAVE_METHOD (start, random_search_start)
  CLEAVE_METHOD (ask, random_search_ask)
  CLEAVE_METHOD (tell, random_search_tell)
  CLEAVE_METHOD (recommend, random_search_recommend)
  CLEAVE_METHOD (save, random_search_save)
  CLEAVE_METHOD (load, random_search_load)
  CLEAVE_FINALIZE (random_search_finalize)
CLEAVE_PLUGIN_END
