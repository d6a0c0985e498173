/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-random.h>

G_BEGIN_DECLS

#define CLEAVE_TYPE_CANDIDATE (cleave_candidate_get_type ())

/**
 * CleaveCandidate:
 *
 * A choice for every variable of a space (a category's index, from 0), the last being the split point. Immutable,
 * reference counted.
 */
typedef struct _CleaveCandidate CleaveCandidate;

CLEAVE_EXPORT GType cleave_candidate_get_type (void);
CLEAVE_EXPORT CleaveCandidate *cleave_candidate_new (const guint *choices, gsize n_choices);
CLEAVE_EXPORT CleaveCandidate *cleave_candidate_ref (CleaveCandidate *self);
CLEAVE_EXPORT void cleave_candidate_unref (CleaveCandidate *self);
CLEAVE_EXPORT const guint *cleave_candidate_get_choices (CleaveCandidate *self, gsize *n_choices);
CLEAVE_EXPORT gsize cleave_candidate_get_length (CleaveCandidate *self);
CLEAVE_EXPORT guint cleave_candidate_get (CleaveCandidate *self, gsize variable);
CLEAVE_EXPORT guint cleave_candidate_get_split (CleaveCandidate *self);
CLEAVE_EXPORT gboolean cleave_candidate_equal (CleaveCandidate *self, CleaveCandidate *other);
CLEAVE_EXPORT CleaveCandidate *cleave_candidate_with_split (CleaveCandidate *self, guint split);
CLEAVE_EXPORT CleaveCandidate *cleave_candidate_new_random (GVariant *variables, CleaveRandom *random);
CLEAVE_EXPORT GVariant *cleave_candidate_to_variant (CleaveCandidate *self);
CLEAVE_EXPORT CleaveCandidate *cleave_candidate_new_from_variant (GVariant *variant, GVariant *variables,
                                                                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveCandidate, cleave_candidate_unref)

G_END_DECLS
