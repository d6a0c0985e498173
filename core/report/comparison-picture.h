/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pictures of a comparison, as the paper's Figs. 2 and 3. */

#include "comparison.h"

G_BEGIN_DECLS

/* Writes comparison.svg and .png (accuracy against latency), accuracy.svg and .png (accuracy against drop rate). */
gboolean cleave_comparison_draw (const CleaveComparison *self, const char *folder, GError **error);

G_END_DECLS
