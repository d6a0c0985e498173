/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The latency of every candidate of a space at once. Where a block's ends have the same shapes whatever is chosen in
 * it, and the oracles add up blocks, each choice adds its own to the latency, given the split point. So the dynamic
 * programme over blocks has no state but the split, and finds the lowest latency exactly. That choices are independent
 * is not proved but checked, at random candidates and the best one. */

#include "latency.h"

G_BEGIN_DECLS

typedef struct _CleaveLatencySpace CleaveLatencySpace;

/* VARIABLES are the space's. Some candidates are estimated as they are too: where they differ, choices depend on
 * each other and the error is CLEAVE_ERROR_UNSUPPORTED. */
CleaveLatencySpace *cleave_latency_space_new (CleaveComponents *components, GVariant *variables, guint64 seed,
                                              GError **error);
void cleave_latency_space_free (CleaveLatencySpace *self);
double cleave_latency_space_total_ms (const CleaveLatencySpace *self, const guint *choices);
/* The candidate of the lowest latency; of equals, any. */
CleaveCandidate *cleave_latency_space_find_best (const CleaveLatencySpace *self);
/* How many of n candidates, drawn uniformly, take no longer than LIMIT_MS. */
guint64 cleave_latency_space_count_within (const CleaveLatencySpace *self, double limit_ms, guint64 n,
                                           CleaveRandom *random);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveLatencySpace, cleave_latency_space_free)

G_END_DECLS
