/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-candidate.h>

G_BEGIN_DECLS

/**
 * CleavePlacement:
 * @CLEAVE_PLACEMENT_SPLIT: head on the device, transfer, tail on the server; losses at every drop rate of the objective
 * @CLEAVE_PLACEMENT_DEVICE: the whole network on the device, no transfer, no loss
 *
 * Where a trial's network runs.
 */
typedef enum
{
  CLEAVE_PLACEMENT_SPLIT,
  CLEAVE_PLACEMENT_DEVICE,
} CleavePlacement;

/**
 * CleaveFidelity:
 * @CLEAVE_FIDELITY_MINIBATCH: on the step's minibatch
 * @CLEAVE_FIDELITY_FULL: on the whole search split
 *
 * How exactly a trial is to be scored.
 */
typedef enum
{
  CLEAVE_FIDELITY_MINIBATCH,
  CLEAVE_FIDELITY_FULL,
} CleaveFidelity;

#define CLEAVE_TYPE_TRIALS (cleave_trials_get_type ())

/**
 * CleaveTrials:
 *
 * Candidates to be scored together, on the same data. An empty list says that an optimizer is done. Reference counted;
 * it is filled by whoever made it and not changed afterwards.
 */
typedef struct _CleaveTrials CleaveTrials;

CLEAVE_EXPORT GType cleave_trials_get_type (void);
CLEAVE_EXPORT CleaveTrials *cleave_trials_new (void);
CLEAVE_EXPORT CleaveTrials *cleave_trials_ref (CleaveTrials *self);
CLEAVE_EXPORT void cleave_trials_unref (CleaveTrials *self);
CLEAVE_EXPORT void cleave_trials_add (CleaveTrials *self, CleaveCandidate *candidate, CleavePlacement placement,
                                      CleaveFidelity fidelity);
CLEAVE_EXPORT guint cleave_trials_get_length (CleaveTrials *self);
CLEAVE_EXPORT CleaveCandidate *cleave_trials_get_candidate (CleaveTrials *self, guint index);
CLEAVE_EXPORT CleavePlacement cleave_trials_get_placement (CleaveTrials *self, guint index);
CLEAVE_EXPORT CleaveFidelity cleave_trials_get_fidelity (CleaveTrials *self, guint index);
CLEAVE_EXPORT void cleave_trials_set_cutoff (CleaveTrials *self, guint index, double cutoff);
CLEAVE_EXPORT double cleave_trials_get_cutoff (CleaveTrials *self, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveTrials, cleave_trials_unref)

G_END_DECLS
