/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The baseline that NASC is compared with (section III): another optimizer searches the architecture as if the device
 * computed all of it, with no transfer and no loss; of the answer's split points, all tried, the one of the smallest
 * objective (4a) is taken, the first of equals.
 *
 * The other optimizer does not see the split: no value that it is told depends on it, so it could learn nothing of it,
 * and the noise would change the steps that it takes for the architecture.
 *
 * Split points are tried one a step, so that a checkpoint fits between, from the last to the first: the architecture
 * was searched to be fast on the device, so the late ones have low values, and many of the others need not be scored,
 * as their latency penalty alone is above the best value.
 *
 * The state that it saves is (buudv): whether the search has ended, the split point of the answer, how many are left to
 * try, the best value, and the other optimizer's state. */
#include <cleave/cleave.h>

#include <math.h>

typedef struct
{
  GObject parent_instance;
  CleaveOptimizer *search;

  guint n_variables; /* the split included; 0 = not started */
  guint n_splits;

  /* The state, besides that of the search. */
  gboolean searched;
  guint split;       /* the best so far */
  guint n_left;      /* split points to try: all before this one */
  double best_value; /* of those tried */
} Hwnas;

static gboolean
check_started (Hwnas *self, GError **error)
{
  if (self->n_variables == 0)
    cleave_error_set_literal (error, CLEAVE_ERROR_PLUGIN, "hwnas: it was not started");
  return self->n_variables > 0;
}

static gboolean
hwnas_start (CleaveOptimizer *optimizer, GVariant *variables, GError **error)
{
  Hwnas *self = (Hwnas *)optimizer;
  gsize n_variables = g_variant_n_children (variables);
  GVariantBuilder builder;

  if (self->search == NULL || n_variables < 2)
    {
      cleave_error_set_literal (error, CLEAVE_ERROR_CONFIG,
                                self->search == NULL ? "hwnas: search is not set, expected an optimizer"
                                                     : "hwnas: expected a space with one variable before the split");
      return FALSE;
    }
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sas)"));
  for (gsize d = 0; d + 1 < n_variables; d++)
    {
      g_autoptr (GVariant) variable = g_variant_get_child_value (variables, d);
      g_variant_builder_add_value (&builder, variable);
    }
  g_autoptr (GVariant) architecture = g_variant_ref_sink (g_variant_builder_end (&builder));
  if (!cleave_optimizer_start (self->search, architecture, error))
    return FALSE;

  g_autoptr (GVariant) split = g_variant_get_child_value (variables, n_variables - 1);
  g_autoptr (GVariant) splits = g_variant_get_child_value (split, 1);
  self->n_variables = n_variables;
  self->n_splits = g_variant_n_children (splits);
  self->searched = FALSE;
  /* Until one is tried the answer is cut last, which comes closest to having all of it on the device. */
  self->split = self->n_splits - 1;
  self->n_left = self->n_splits;
  self->best_value = INFINITY;
  return TRUE;
}

/* An architecture with a split point. */
static CleaveCandidate *
add_split (Hwnas *self, CleaveCandidate *architecture, guint split)
{
  g_autofree guint *choices = g_new (guint, self->n_variables);

  for (guint d = 0; d + 1 < self->n_variables; d++)
    choices[d] = cleave_candidate_get (architecture, d);
  choices[self->n_variables - 1] = split;
  return cleave_candidate_new (choices, self->n_variables);
}

/* A candidate of the search must have all variables but the split. */
static gboolean
check_length (Hwnas *self, CleaveCandidate *candidate, guint n_expected, GError **error)
{
  gsize n_choices = cleave_candidate_get_length (candidate);

  if (n_choices != n_expected)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                 "hwnas: a candidate has %" G_GSIZE_FORMAT " choices, expected %u", n_choices, n_expected);
  return n_choices == n_expected;
}

/* What the search asks, on the device. */
static CleaveTrials *
ask_search (Hwnas *self, double progress, CleaveRandom *random, GError **error)
{
  g_autoptr (CleaveTrials) asked = cleave_optimizer_ask (self->search, progress, random, error);
  g_autoptr (CleaveTrials) trials = cleave_trials_new ();

  if (asked == NULL)
    return NULL;
  for (guint i = 0; i < cleave_trials_get_length (asked); i++)
    {
      CleaveCandidate *architecture = cleave_trials_get_candidate (asked, i);
      if (!check_length (self, architecture, self->n_variables - 1, error))
        return NULL;
      g_autoptr (CleaveCandidate) candidate = add_split (self, architecture, self->split);
      cleave_trials_add (trials, candidate, CLEAVE_PLACEMENT_DEVICE, cleave_trials_get_fidelity (asked, i));
      cleave_trials_set_cutoff (trials, i, cleave_trials_get_cutoff (asked, i));
    }
  return g_steal_pointer (&trials);
}

static CleaveCandidate *
recommend_architecture (Hwnas *self, GError **error)
{
  g_autoptr (CleaveCandidate) architecture = cleave_optimizer_recommend (self->search, error);

  if (architecture == NULL || !check_length (self, architecture, self->n_variables - 1, error))
    return NULL;
  return g_steal_pointer (&architecture);
}

/* The search's answer at the last split point that is left. A penalty that equals the best value does not cut it off:
 * with a loss of 0 its value is as good, and of equals the earlier one is taken. */
static CleaveTrials *
ask_split (Hwnas *self, GError **error)
{
  g_autoptr (CleaveCandidate) architecture = recommend_architecture (self, error);

  if (architecture == NULL)
    return NULL;

  CleaveTrials *trials = cleave_trials_new ();
  g_autoptr (CleaveCandidate) candidate = add_split (self, architecture, self->n_left - 1);
  cleave_trials_add (trials, candidate, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_FULL);
  cleave_trials_set_cutoff (trials, 0, nextafter (self->best_value, INFINITY));
  return trials;
}

static CleaveTrials *
hwnas_ask (CleaveOptimizer *optimizer, double progress, CleaveRandom *random, GError **error)
{
  Hwnas *self = (Hwnas *)optimizer;

  if (!check_started (self, error))
    return NULL;
  if (!self->searched)
    {
      g_autoptr (CleaveTrials) trials = ask_search (self, progress, random, error);
      if (trials == NULL || cleave_trials_get_length (trials) > 0)
        return g_steal_pointer (&trials);
      self->searched = TRUE;
    }
  return self->n_left > 0 ? ask_split (self, error) : cleave_trials_new ();
}

/* The search is told of its architectures, without the split, as trials on the device. */
static gboolean
tell_search (Hwnas *self, CleaveTrials *trials, const double *values, gsize n_values, GError **error)
{
  g_autoptr (CleaveTrials) told = cleave_trials_new ();

  for (guint i = 0; i < n_values; i++)
    {
      CleaveCandidate *candidate = cleave_trials_get_candidate (trials, i);
      if (!check_length (self, candidate, self->n_variables, error))
        return FALSE;
      g_autoptr (CleaveCandidate) architecture
          = cleave_candidate_new (cleave_candidate_get_choices (candidate, NULL), self->n_variables - 1);
      cleave_trials_add (told, architecture, cleave_trials_get_placement (trials, i),
                         cleave_trials_get_fidelity (trials, i));
      cleave_trials_set_cutoff (told, i, cleave_trials_get_cutoff (trials, i));
    }
  return cleave_optimizer_tell (self->search, told, values, n_values, error);
}

/* Keeps the split point that was tried if no later one is better. */
static gboolean
tell_split (Hwnas *self, CleaveTrials *trials, const double *values, gsize n_values, GError **error)
{
  const guint split = self->n_left - 1;

  if (n_values != 1 || cleave_candidate_get_split (cleave_trials_get_candidate (trials, 0)) != split)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "hwnas: told %" G_GSIZE_FORMAT " values, expected one, of split point %u", n_values, split);
      return FALSE;
    }
  if (values[0] <= self->best_value)
    {
      self->split = split;
      self->best_value = values[0];
    }
  self->n_left = split;
  return TRUE;
}

static gboolean
hwnas_tell (CleaveOptimizer *optimizer, CleaveTrials *trials, const double *values, gsize n_values, GError **error)
{
  Hwnas *self = (Hwnas *)optimizer;

  if (!check_started (self, error))
    return FALSE;
  if (!self->searched)
    return tell_search (self, trials, values, n_values, error);
  /* Once all is done, nothing is asked, so there is nothing to learn from. */
  return self->n_left == 0 || tell_split (self, trials, values, n_values, error);
}

static CleaveCandidate *
hwnas_recommend (CleaveOptimizer *optimizer, GError **error)
{
  Hwnas *self = (Hwnas *)optimizer;

  if (!check_started (self, error))
    return NULL;
  g_autoptr (CleaveCandidate) architecture = recommend_architecture (self, error);
  return architecture != NULL ? add_split (self, architecture, self->split) : NULL;
}

static GVariant *
hwnas_save (CleaveOptimizer *optimizer, GError **error)
{
  Hwnas *self = (Hwnas *)optimizer;

  if (!check_started (self, error))
    return NULL;
  g_autoptr (GVariant) search = cleave_optimizer_save (self->search, error);
  if (search == NULL)
    return NULL;
  return g_variant_new ("(buudv)", self->searched, self->split, self->n_left, self->best_value, search);
}

static gboolean
hwnas_load (CleaveOptimizer *optimizer, GVariant *state, GError **error)
{
  Hwnas *self = (Hwnas *)optimizer;
  gboolean searched;
  guint split, n_left;
  double best_value;
  g_autoptr (GVariant) search = NULL;

  if (!check_started (self, error))
    return FALSE;
  if (!g_variant_is_of_type (state, G_VARIANT_TYPE ("(buudv)")))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "hwnas: the state is of type %s, expected (buudv)",
                   g_variant_get_type_string (state));
      return FALSE;
    }
  g_variant_get (state, "(buudv)", &searched, &split, &n_left, &best_value, &search);
  if (split >= self->n_splits || n_left > self->n_splits || isnan (best_value))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "hwnas: the state has split %u, %u left and best value %g, expected at most %u, at most %u and a "
                   "number",
                   split, n_left, best_value, self->n_splits - 1, self->n_splits);
      return FALSE;
    }
  if (!cleave_optimizer_load (self->search, search, error))
    return FALSE;
  self->searched = searched;
  self->split = split;
  self->n_left = n_left;
  self->best_value = best_value;
  return TRUE;
}

static GVariant *
hwnas_metrics (CleaveOptimizer *optimizer, GError **error)
{
  return cleave_optimizer_metrics (((Hwnas *)optimizer)->search, error);
}

CLEAVE_PLUGIN_BEGIN (Hwnas, hwnas, OPTIMIZER)
  CLEAVE_PARAMETER_COMPONENT (search, OPTIMIZER, "asng", "Searches the architecture, on the device alone")
  CLEAVE_METHOD (start, hwnas_start)
  CLEAVE_METHOD (ask, hwnas_ask)
  CLEAVE_METHOD (tell, hwnas_tell)
  CLEAVE_METHOD (recommend, hwnas_recommend)
  CLEAVE_METHOD (save, hwnas_save)
  CLEAVE_METHOD (load, hwnas_load)
  CLEAVE_METHOD (metrics, hwnas_metrics)
CLEAVE_PLUGIN_END
