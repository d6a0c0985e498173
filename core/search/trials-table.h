/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What trials.csv is made of. Behind its own columns is one for each number that the optimizer reports. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

/* Begins the name of such a column, here and in metrics.csv. */
#define CLEAVE_OPTIMIZER_COLUMN_PREFIX "optimizer_"

enum
{
  CLEAVE_TRIALS_COLUMN_EPOCH,
  CLEAVE_TRIALS_COLUMN_STEP,
  CLEAVE_TRIALS_COLUMN_PLACEMENT,
  CLEAVE_TRIALS_COLUMN_FIDELITY,
  CLEAVE_TRIALS_COLUMN_LOSS, /* empty where the trial was cut off: no image was scored */
  CLEAVE_TRIALS_COLUMN_LATENCY,
  CLEAVE_TRIALS_COLUMN_OBJECTIVE,
  CLEAVE_TRIALS_N_COLUMNS,
};

extern const char *const cleave_trials_table_columns[CLEAVE_TRIALS_N_COLUMNS + 1]; /* ends with NULL */
extern const char *const cleave_trials_table_placements[2];                        /* by CleavePlacement */
extern const char *const cleave_trials_table_fidelities[2];                        /* by CleaveFidelity */

G_END_DECLS
