/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A comparison's numbers for other programs. */

#include "comparison.h"

G_BEGIN_DECLS

/* A header line and a line a run. An accuracy is empty where its run was not evaluated at that drop rate. */
char *cleave_comparison_to_csv (const CleaveComparison *self);
/* Ends with a line break. What can't be told is null. */
char *cleave_comparison_to_json (const CleaveComparison *self);

G_END_DECLS
