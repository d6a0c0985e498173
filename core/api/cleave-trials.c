/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cleave/cleave-trials.h>
#include <math.h>

typedef struct
{
  CleaveCandidate *candidate;
  CleavePlacement placement;
  CleaveFidelity fidelity;
  double cutoff;
} Trial;

struct _CleaveTrials
{
  gatomicrefcount reference_count;
  GArray *trials; /* Trial */
};

G_DEFINE_BOXED_TYPE (CleaveTrials, cleave_trials, cleave_trials_ref, cleave_trials_unref)

static void
trial_clear (gpointer data)
{
  Trial *trial = data;

  cleave_candidate_unref (trial->candidate);
}

/**
 * cleave_trials_new: (constructor)
 *
 * An empty list of trials, which [method@Trials.add] fills. As the answer of [method@Optimizer.ask], an empty list
 * says that the optimizer is done.
 *
 * Returns: (transfer full): a new list
 */
CleaveTrials *
cleave_trials_new (void)
{
  CleaveTrials *self = g_new0 (CleaveTrials, 1);

  g_atomic_ref_count_init (&self->reference_count);
  self->trials = g_array_new (FALSE, FALSE, sizeof (Trial));
  g_array_set_clear_func (self->trials, trial_clear);
  return self;
}

/**
 * cleave_trials_ref:
 * @self: a list of trials
 *
 * Takes a reference.
 *
 * Returns: (transfer full): the same list
 */
CleaveTrials *
cleave_trials_ref (CleaveTrials *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->reference_count);
  return self;
}

/**
 * cleave_trials_unref:
 * @self: (transfer full): a list of trials
 *
 * Gives up a reference; the last one frees the list.
 */
void
cleave_trials_unref (CleaveTrials *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->reference_count))
    return;
  g_array_unref (self->trials);
  g_free (self);
}

/**
 * cleave_trials_add:
 * @self: a list of trials
 * @candidate: the candidate to score
 * @placement: where its network runs
 * @fidelity: on how many images it is scored
 *
 * Appends a trial, without a cutoff. A candidate may stand in the list more than once.
 */
void
cleave_trials_add (CleaveTrials *self, CleaveCandidate *candidate, CleavePlacement placement, CleaveFidelity fidelity)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (candidate != NULL);

  Trial trial = { cleave_candidate_ref (candidate), placement, fidelity, INFINITY };
  g_array_append_val (self->trials, trial);
}

/**
 * cleave_trials_get_length:
 * @self: a list of trials
 *
 * Gets the number of trials.
 *
 * Returns: the number of trials
 */
guint
cleave_trials_get_length (CleaveTrials *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->trials->len;
}

/**
 * cleave_trials_get_candidate:
 * @self: a list of trials
 * @index: which trial, below the length
 *
 * Gets the candidate of a trial.
 *
 * Returns: (transfer none): the trial's candidate, valid while the list lives
 */
CleaveCandidate *
cleave_trials_get_candidate (CleaveTrials *self, guint index)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (index < self->trials->len, NULL);

  return g_array_index (self->trials, Trial, index).candidate;
}

/**
 * cleave_trials_get_placement:
 * @self: a list of trials
 * @index: which trial, below the length
 *
 * Gets the placement of a trial.
 *
 * Returns: where the trial's network runs
 */
CleavePlacement
cleave_trials_get_placement (CleaveTrials *self, guint index)
{
  g_return_val_if_fail (self != NULL, CLEAVE_PLACEMENT_SPLIT);
  g_return_val_if_fail (index < self->trials->len, CLEAVE_PLACEMENT_SPLIT);

  return g_array_index (self->trials, Trial, index).placement;
}

/**
 * cleave_trials_get_fidelity:
 * @self: a list of trials
 * @index: which trial, below the length
 *
 * Gets the fidelity of a trial.
 *
 * Returns: on how many images the trial is scored
 */
CleaveFidelity
cleave_trials_get_fidelity (CleaveTrials *self, guint index)
{
  g_return_val_if_fail (self != NULL, CLEAVE_FIDELITY_MINIBATCH);
  g_return_val_if_fail (index < self->trials->len, CLEAVE_FIDELITY_MINIBATCH);

  return g_array_index (self->trials, Trial, index).fidelity;
}

/**
 * cleave_trials_set_cutoff:
 * @self: a list of trials
 * @index: which trial, below the length
 * @cutoff: a value, or infinity for none
 *
 * Says from which value on it does not matter how bad the trial exactly is. The loss is never negative, so where the
 * latency penalty alone reaches the cutoff, no image is scored, and the penalty is the trial's value. A cutoff of 0 is
 * reached by any penalty, so it asks for the penalty alone, which is 0 where the latency threshold is met.
 */
void
cleave_trials_set_cutoff (CleaveTrials *self, guint index, double cutoff)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (index < self->trials->len);
  g_return_if_fail (!isnan (cutoff));

  g_array_index (self->trials, Trial, index).cutoff = cutoff;
}

/**
 * cleave_trials_get_cutoff:
 * @self: a list of trials
 * @index: which trial, below the length
 *
 * Gets the cutoff of a trial, see [method@Trials.set_cutoff].
 *
 * Returns: the value from which on it does not matter how bad the trial exactly is; infinity where there is none
 */
double
cleave_trials_get_cutoff (CleaveTrials *self, guint index)
{
  g_return_val_if_fail (self != NULL, INFINITY);
  g_return_val_if_fail (index < self->trials->len, INFINITY);

  return g_array_index (self->trials, Trial, index).cutoff;
}
