/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random search that keeps the candidate of the lowest value. */
#include <cleave/cleave.h>

typedef struct
{
  GObject parent_instance;
  guint samples; /* the parameter that is declared below */
  GVariant *variables;
  GVariant *state; /* the best candidate and its value: all that a checkpoint keeps */
} MyPlugin;

static void
my_plugin_finalize (gpointer instance)
{
  g_clear_pointer (&((MyPlugin *)instance)->variables, g_variant_unref);
  g_clear_pointer (&((MyPlugin *)instance)->state, g_variant_unref);
}

static void
keep (MyPlugin *self, CleaveCandidate *candidate, double value)
{
  g_clear_pointer (&self->state, g_variant_unref);
  self->state = g_variant_ref_sink (g_variant_new ("(@aud)", cleave_candidate_to_variant (candidate), value));
}

static gboolean
my_plugin_start (CleaveOptimizer *optimizer, GVariant *variables, GError **error)
{
  MyPlugin *self = (MyPlugin *)optimizer;
  g_autofree guint *choices = g_new0 (guint, g_variant_n_children (variables));
  g_autoptr (CleaveCandidate) first = cleave_candidate_new (choices, g_variant_n_children (variables));

  my_plugin_finalize (self);
  self->variables = g_variant_ref (variables);
  keep (self, first, G_MAXDOUBLE);
  return TRUE;
}

/* An empty list ends the search. All that is random comes from RANDOM, so that the seed fixes a run. */
static CleaveTrials *
my_plugin_ask (CleaveOptimizer *optimizer, double progress, CleaveRandom *random, GError **error)
{
  MyPlugin *self = (MyPlugin *)optimizer;
  CleaveTrials *trials = cleave_trials_new ();

  for (guint i = 0; i < self->samples && progress < 1; i++)
    {
      g_autoptr (CleaveCandidate) candidate = cleave_candidate_new_random (self->variables, random);
      cleave_trials_add (trials, candidate, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_MINIBATCH);
    }
  return trials;
}

static gboolean
my_plugin_tell (CleaveOptimizer *optimizer, CleaveTrials *trials, const double *values, gsize n_values, GError **error)
{
  MyPlugin *self = (MyPlugin *)optimizer;
  double best;

  for (gsize i = 0; i < n_values; i++)
    {
      g_variant_get_child (self->state, 1, "d", &best);
      if (values[i] < best)
        keep (self, cleave_trials_get_candidate (trials, i), values[i]);
    }
  return TRUE;
}

static CleaveCandidate *
my_plugin_recommend (CleaveOptimizer *optimizer, GError **error)
{
  MyPlugin *self = (MyPlugin *)optimizer;
  g_autoptr (GVariant) choices = g_variant_get_child_value (self->state, 0);

  return cleave_candidate_new_from_variant (choices, self->variables, error);
}

CLEAVE_PLUGIN_BEGIN (MyPlugin, my_plugin, OPTIMIZER)
  CLEAVE_PARAMETER (samples, UINT, "", 1, 1024, 2, "Candidates scored together, on the same minibatch")
  CLEAVE_METHOD (start, my_plugin_start)
  CLEAVE_METHOD (ask, my_plugin_ask)
  CLEAVE_METHOD (tell, my_plugin_tell)
  CLEAVE_METHOD (recommend, my_plugin_recommend)
  CLEAVE_STATE (state, "(aud)")
  CLEAVE_FINALIZE (my_plugin_finalize)
CLEAVE_PLUGIN_END
