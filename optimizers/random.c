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

  GArray *n_categories; /* guint, of each variable; NULL = not started */

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

  g_clear_pointer (&self->n_categories, g_array_unref);
  g_clear_pointer (&self->waiting, g_ptr_array_unref);
  g_clear_pointer (&self->best, cleave_candidate_unref);
}

static gboolean
check_started (RandomSearch *self, GError **error)
{
  if (self->n_categories == NULL)
    cleave_error_set_literal (error, CLEAVE_ERROR_PLUGIN, "random: it was not started");
  return self->n_categories != NULL;
}

static CleaveCandidate *
draw_candidate (RandomSearch *self, CleaveRandom *random)
{
  guint n_variables = self->n_categories->len;
  g_autofree guint *choices = g_new (guint, n_variables);

  for (guint d = 0; d < n_variables; d++)
    choices[d] = cleave_random_below (random, g_array_index (self->n_categories, guint, d));
  return cleave_candidate_new (choices, n_variables);
}

static gboolean
random_search_start (CleaveOptimizer *optimizer, GVariant *variables, GError **error)
{
  RandomSearch *self = (RandomSearch *)optimizer;
  g_autoptr (GArray) n_categories = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree guint *zeros = g_new0 (guint, g_variant_n_children (variables));

  for (gsize d = 0; d < g_variant_n_children (variables); d++)
    {
      const char *name;
      g_autoptr (GVariant) names = NULL;
      g_variant_get_child (variables, d, "(&s@as)", &name, &names);
      const guint n = g_variant_n_children (names);
      if (n == 0)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                       "random: the variable %s has no categories, expected one at least", name);
          return FALSE;
        }
      g_array_append_val (n_categories, n);
    }

  random_search_finalize (self);
  self->waiting = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_candidate_unref);
  self->best = cleave_candidate_new (zeros, n_categories->len);
  self->value = INFINITY;
  self->is_scored = FALSE;
  self->n_categories = g_steal_pointer (&n_categories);
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
      g_autoptr (CleaveCandidate) candidate = draw_candidate (self, random);
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
save_candidate (CleaveCandidate *candidate)
{
  gsize n_choices;
  const guint *choices = cleave_candidate_get_choices (candidate, &n_choices);

  return g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, choices, n_choices, sizeof (guint));
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
    g_variant_builder_add_value (&waiting, save_candidate (self->waiting->pdata[i]));
  return g_variant_new ("(aau@audb)", &waiting, save_candidate (self->best), self->value, self->is_scored);
}

/* A candidate that save_candidate() gave. */
static CleaveCandidate *
load_candidate (RandomSearch *self, GVariant *saved, GError **error)
{
  gsize n_choices;
  const guint *choices = g_variant_get_fixed_array (saved, &n_choices, sizeof (guint));
  gboolean is_valid = n_choices == self->n_categories->len;

  for (gsize d = 0; is_valid && d < n_choices; d++)
    is_valid = choices[d] < g_array_index (self->n_categories, guint, d);
  if (is_valid)
    return cleave_candidate_new (choices, n_choices);
  cleave_error_set_literal (error, CLEAVE_ERROR_DATA, "random: the state has a candidate of another space");
  return NULL;
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
  g_autoptr (CleaveCandidate) best = load_candidate (self, best_state, error);
  for (gsize i = 0; best != NULL && i < g_variant_n_children (waiting_state); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (waiting_state, i);
      CleaveCandidate *candidate = load_candidate (self, child, error);
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
