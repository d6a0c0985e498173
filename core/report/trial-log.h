/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The trials of a search, as trials.csv has them. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

typedef struct
{
  guint step; /* from 1, over the whole stage */
  CleavePlacement placement;
  CleaveFidelity fidelity;
  double loss; /* NaN where no image was scored, the penalty alone being too high */
  double latency_ms;
  double objective;
  double entropy; /* of the optimizer's distribution after the step; NaN where it reports none */
} CleaveTrialEntry;

typedef struct
{
  GArray *entries;    /* CleaveTrialEntry, in the order asked */
  char *entropy_name; /* nullable: what the first column of the optimizer whose name ends in "entropy" holds */
} CleaveTrialLog;

/* An error names file, line and column. */
CleaveTrialLog *cleave_trial_log_load (const char *path, GError **error);
void cleave_trial_log_free (CleaveTrialLog *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveTrialLog, cleave_trial_log_free)

G_END_DECLS
