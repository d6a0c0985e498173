/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "optimizer-play.h"

#include <math.h>

#define PURPOSE 4
/* Steps that a search grants after its budget, besides one for each category of each variable: what `cleave search`
 * grants. */
#define SPARE_CLOSING_STEPS 100u

/* Each variable adds to the loss on its own, and each the same where it is not at its best, so each can be found on its
 * own. The optimum, of loss 0, is not at the first categories, which an answer may have by default. */
typedef struct
{
  guint n_categories;
  guint best;
} Variable;

static const Variable variables[] = { { 3, 2 }, { 1, 0 }, { 4, 1 }, { 2, 1 } };
/* A number that only all its bits hold. */
#define WEIGHT (1 / 3.0)

static GVariant *
make_variables (void)
{
  return g_variant_ref_sink (g_variant_new_parsed (
      "@a(sas) [('a', ['0', '1', '2']), ('b', ['0']), ('c', ['0', '1', '2', '3']), ('split', ['0', '1'])]"));
}

static guint
count_closing_steps (void)
{
  guint n = SPARE_CLOSING_STEPS;

  for (gsize d = 0; d < G_N_ELEMENTS (variables); d++)
    n += variables[d].n_categories;
  return n;
}

static CleaveOptimizer *
make_started (Conformance *conformance, GError **error)
{
  g_autoptr (GObject) optimizer = conformance_make (conformance, error);
  g_autoptr (GVariant) problem = make_variables ();

  if (optimizer == NULL || !cleave_optimizer_start (CLEAVE_OPTIMIZER (optimizer), problem, error))
    return NULL;
  return CLEAVE_OPTIMIZER (g_steal_pointer (&optimizer));
}

gboolean
optimizer_play_start (OptimizerPlay *self, Conformance *conformance, guint32 seed, guint n_steps,
                      OptimizerPlayValues values, GError **error)
{
  *self = (OptimizerPlay){ .seed = seed, .n_steps = n_steps, .values = values };
  self->optimizer = make_started (conformance, error);
  return self->optimizer != NULL;
}

gboolean
optimizer_play_resume (OptimizerPlay *self, Conformance *conformance, const OptimizerPlay *stopped, GVariant *state,
                       GError **error)
{
  *self = *stopped;
  self->trials = stopped->trials != NULL ? cleave_trials_ref (stopped->trials) : NULL;
  self->optimizer = make_started (conformance, error);
  return self->optimizer != NULL && cleave_optimizer_load (self->optimizer, state, error);
}

gboolean
optimizer_play_restart (OptimizerPlay *self, guint32 seed, GError **error)
{
  g_autoptr (GVariant) problem = make_variables ();

  g_clear_pointer (&self->trials, cleave_trials_unref);
  self->seed = seed;
  self->step = 0;
  self->is_done = FALSE;
  return cleave_optimizer_start (self->optimizer, problem, error);
}

void
optimizer_play_clear (OptimizerPlay *self)
{
  g_clear_object (&self->optimizer);
  g_clear_pointer (&self->trials, cleave_trials_unref);
}

static gboolean
check_in_space (CleaveCandidate *candidate, const char *method, GError **error)
{
  gsize n_choices = cleave_candidate_get_length (candidate);

  if (n_choices != G_N_ELEMENTS (variables))
    return conformance_fail (error, "%s gave a candidate with %" G_GSIZE_FORMAT " choices, expected %" G_GSIZE_FORMAT,
                             method, n_choices, G_N_ELEMENTS (variables));
  for (gsize d = 0; d < n_choices; d++)
    if (cleave_candidate_get (candidate, d) >= variables[d].n_categories)
      return conformance_fail (error, "%s gave category %u of a variable that has %u", method,
                               cleave_candidate_get (candidate, d), variables[d].n_categories);
  return TRUE;
}

/* On the device alone the split makes no difference. */
static double
get_loss (CleaveCandidate *candidate, CleavePlacement placement)
{
  gsize n = G_N_ELEMENTS (variables) - (placement == CLEAVE_PLACEMENT_DEVICE ? 1 : 0);
  double loss = 0;

  for (gsize d = 0; d < n; d++)
    if (cleave_candidate_get (candidate, d) != variables[d].best)
      loss += WEIGHT;
  return loss;
}

static gboolean
ask (OptimizerPlay *self, GError **error)
{
  double progress = self->step < self->n_steps ? (double)self->step / self->n_steps : 1;
  g_autoptr (CleaveRandom) random = cleave_random_new (self->seed, PURPOSE, self->step, 0);
  g_autoptr (CleaveTrials) trials = cleave_optimizer_ask (self->optimizer, progress, random, error);

  if (trials == NULL)
    return FALSE;
  for (guint i = 0; i < cleave_trials_get_length (trials); i++)
    {
      if (!check_in_space (cleave_trials_get_candidate (trials, i), "ask", error))
        return FALSE;
      if (cleave_trials_get_placement (trials, i) > CLEAVE_PLACEMENT_DEVICE
          || cleave_trials_get_fidelity (trials, i) > CLEAVE_FIDELITY_FULL)
        return conformance_fail (error, "ask gave a trial with placement %d and fidelity %d, expected 0 or 1 each",
                                 cleave_trials_get_placement (trials, i), cleave_trials_get_fidelity (trials, i));
    }
  self->is_done = cleave_trials_get_length (trials) == 0;
  if (!self->is_done && self->step >= self->n_steps + count_closing_steps ())
    return conformance_fail (error, "it still asks for trials %u steps after the search's end",
                             self->step - self->n_steps);
  self->trials = self->is_done ? NULL : g_steal_pointer (&trials);
  return TRUE;
}

/* All candidates are within the latency limit: the penalty, which alone counts where it reaches a trial's cutoff, is 0.
 */
static double
get_value (const OptimizerPlay *self, guint index)
{
  if (self->values == OPTIMIZER_PLAY_INFINITY
      || (self->values == OPTIMIZER_PLAY_MIXED && index == 0 && self->step % 3 == 2))
    return INFINITY;
  if (cleave_trials_get_cutoff (self->trials, index) <= 0)
    return 0;
  return get_loss (cleave_trials_get_candidate (self->trials, index),
                   cleave_trials_get_placement (self->trials, index));
}

static gboolean
tell (OptimizerPlay *self, GError **error)
{
  g_autoptr (CleaveTrials) trials = cleave_trials_ref (self->trials);
  guint n_trials = cleave_trials_get_length (trials);
  g_autofree double *values = g_new (double, n_trials);

  for (guint i = 0; i < n_trials; i++)
    values[i] = get_value (self, i);
  g_clear_pointer (&self->trials, cleave_trials_unref);
  self->step++;
  return cleave_optimizer_tell (self->optimizer, trials, values, n_trials, error);
}

gboolean
optimizer_play_go_on (OptimizerPlay *self, GError **error)
{
  gboolean is_told = self->trials != NULL;

  if (self->is_done || (is_told ? tell (self, error) : ask (self, error)))
    return TRUE;
  g_prefix_error (error, "step %u: ", is_told ? self->step : self->step + 1);
  return FALSE;
}

gboolean
optimizer_play_finish (OptimizerPlay *self, GError **error)
{
  while (!self->is_done)
    if (!optimizer_play_go_on (self, error))
      return FALSE;
  return TRUE;
}

double
optimizer_play_recommended_loss (OptimizerPlay *self, GError **error)
{
  g_autoptr (CleaveCandidate) answer = cleave_optimizer_recommend (self->optimizer, error);

  if (answer == NULL || !check_in_space (answer, "recommend", error))
    return NAN;
  return get_loss (answer, CLEAVE_PLACEMENT_SPLIT);
}

gboolean
optimizer_play_is_same (const OptimizerPlay *self, const OptimizerPlay *other)
{
  guint n_trials = self->trials != NULL ? cleave_trials_get_length (self->trials) : 0;

  if (n_trials != (other->trials != NULL ? cleave_trials_get_length (other->trials) : 0)
      || self->is_done != other->is_done)
    return FALSE;
  for (guint i = 0; i < n_trials; i++)
    if (!cleave_candidate_equal (cleave_trials_get_candidate (self->trials, i),
                                 cleave_trials_get_candidate (other->trials, i))
        || cleave_trials_get_placement (self->trials, i) != cleave_trials_get_placement (other->trials, i)
        || cleave_trials_get_fidelity (self->trials, i) != cleave_trials_get_fidelity (other->trials, i)
        || cleave_trials_get_cutoff (self->trials, i) != cleave_trials_get_cutoff (other->trials, i))
      return FALSE;
  return TRUE;
}
