/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "trials-table.h"

const char *const cleave_trials_table_columns[] = {
  [CLEAVE_TRIALS_COLUMN_EPOCH] = "epoch",         [CLEAVE_TRIALS_COLUMN_STEP] = "step",
  [CLEAVE_TRIALS_COLUMN_PLACEMENT] = "placement", [CLEAVE_TRIALS_COLUMN_FIDELITY] = "fidelity",
  [CLEAVE_TRIALS_COLUMN_LOSS] = "loss",           [CLEAVE_TRIALS_COLUMN_LATENCY] = "latency_ms",
  [CLEAVE_TRIALS_COLUMN_OBJECTIVE] = "objective", [CLEAVE_TRIALS_N_COLUMNS] = NULL,
};

const char *const cleave_trials_table_placements[] = {
  [CLEAVE_PLACEMENT_SPLIT] = "split",
  [CLEAVE_PLACEMENT_DEVICE] = "device",
};

const char *const cleave_trials_table_fidelities[] = {
  [CLEAVE_FIDELITY_MINIBATCH] = "minibatch",
  [CLEAVE_FIDELITY_FULL] = "full",
};
