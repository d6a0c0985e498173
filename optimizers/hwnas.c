/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The baseline that NASC is compared with (section III): another optimizer searches the architecture as if the device
 * computed all of it, with no transfer and no loss; of the answer's split points, all tried, the one of the smallest
 * objective (4a) is taken.
 *
 * The other optimizer does not see the split: no value that it is told depends on it, so it could learn nothing of it,
 * and the noise would change the steps that it takes for the architecture.
 *
 * The state that it saves is (uuv): phase, split and the other optimizer's state. */
#include <cleave/cleave.h>

typedef enum
{
  PHASE_SEARCH,
  PHASE_SPLIT, /* all split points were asked */
  PHASE_DONE,
} Phase;

typedef struct
{
  GObject parent_instance;
  CleaveOptimizer *search;

  guint n_variables; /* the split included; 0 = not started */
  guint n_splits;

  /* The state, besides that of the search. */
  guint phase;
  guint split;
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
  self->phase = PHASE_SEARCH;
  /* Until all are tried the answer is cut last, which comes closest to having all of it on the device. */
  self->split = self->n_splits - 1;
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

/* The search's answer at every split point. */
static CleaveTrials *
ask_splits (Hwnas *self, GError **error)
{
  g_autoptr (CleaveCandidate) architecture = recommend_architecture (self, error);

  if (architecture == NULL)
    return NULL;

  CleaveTrials *trials = cleave_trials_new ();
  for (guint split = 0; split < self->n_splits; split++)
    {
      g_autoptr (CleaveCandidate) candidate = add_split (self, architecture, split);
      cleave_trials_add (trials, candidate, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_FULL);
    }
  return trials;
}

static CleaveTrials *
hwnas_ask (CleaveOptimizer *optimizer, double progress, CleaveRandom *random, GError **error)
{
  Hwnas *self = (Hwnas *)optimizer;

  if (!check_started (self, error))
    return NULL;
  if (self->phase == PHASE_SEARCH)
    {
      g_autoptr (CleaveTrials) trials = ask_search (self, progress, random, error);
      if (trials == NULL || cleave_trials_get_length (trials) > 0)
        return g_steal_pointer (&trials);
    }
  if (self->phase == PHASE_DONE)
    return cleave_trials_new ();

  CleaveTrials *trials = ask_splits (self, error);
  if (trials != NULL)
    self->phase = PHASE_SPLIT;
  return trials;
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
    }
  return cleave_optimizer_tell (self->search, told, values, n_values, error);
}

/* The split point of the smallest value, the first of equals. */
static gboolean
choose_split (Hwnas *self, const double *values, gsize n_values, GError **error)
{
  if (n_values != self->n_splits)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "hwnas: told %" G_GSIZE_FORMAT " values, expected one for each of %u split points", n_values,
                   self->n_splits);
      return FALSE;
    }
  self->split = 0;
  for (guint split = 1; split < self->n_splits; split++)
    if (values[split] < values[self->split])
      self->split = split;
  self->phase = PHASE_DONE;
  return TRUE;
}

static gboolean
hwnas_tell (CleaveOptimizer *optimizer, CleaveTrials *trials, const double *values, gsize n_values, GError **error)
{
  Hwnas *self = (Hwnas *)optimizer;

  if (!check_started (self, error))
    return FALSE;
  if (self->phase == PHASE_SPLIT)
    return choose_split (self, values, n_values, error);
  /* Once all is done, nothing is asked, so there is nothing to learn from. */
  return self->phase == PHASE_DONE || tell_search (self, trials, values, n_values, error);
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
  return search != NULL ? g_variant_new ("(uuv)", self->phase, self->split, search) : NULL;
}

static gboolean
hwnas_load (CleaveOptimizer *optimizer, GVariant *state, GError **error)
{
  Hwnas *self = (Hwnas *)optimizer;
  guint phase, split;
  g_autoptr (GVariant) search = NULL;

  if (!check_started (self, error))
    return FALSE;
  if (!g_variant_is_of_type (state, G_VARIANT_TYPE ("(uuv)")))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "hwnas: the state is of type %s, expected (uuv)",
                   g_variant_get_type_string (state));
      return FALSE;
    }
  g_variant_get (state, "(uuv)", &phase, &split, &search);
  if (phase > PHASE_DONE || split >= self->n_splits)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "hwnas: the state has phase %u and split %u, expected at most %u and %u", phase, split, PHASE_DONE,
                   self->n_splits - 1);
      return FALSE;
    }
  if (!cleave_optimizer_load (self->search, search, error))
    return FALSE;
  self->phase = phase;
  self->split = split;
  return TRUE;
}

static GVariant *
hwnas_metrics (CleaveOptimizer *optimizer)
{
  return cleave_optimizer_metrics (((Hwnas *)optimizer)->search);
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
