/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <cleave/cleave-candidate.h>

#include <string.h>

struct _CleaveCandidate
{
  gatomicrefcount references;
  gsize n_choices;
  guint choices[];
};

G_DEFINE_BOXED_TYPE (CleaveCandidate, cleave_candidate, cleave_candidate_ref, cleave_candidate_unref)

/**
 * cleave_candidate_new:
 * @choices: (array length=n_choices): a category's index for every variable, the split point last
 * @n_choices: how many
 *
 * Makes a candidate. Whether the choices fit a space is checked by [method@Space.build].
 *
 * Returns: (transfer full): a new candidate
 */
CleaveCandidate *
cleave_candidate_new (const guint *choices, gsize n_choices)
{
  g_return_val_if_fail (choices != NULL || n_choices == 0, NULL);

  CleaveCandidate *self = g_malloc (sizeof (CleaveCandidate) + n_choices * sizeof (guint));
  g_atomic_ref_count_init (&self->references);
  self->n_choices = n_choices;
  if (n_choices > 0)
    memcpy (self->choices, choices, n_choices * sizeof (guint));
  return self;
}

/**
 * cleave_candidate_ref:
 * @self: a candidate
 *
 * Returns: (transfer full): the same candidate, with one more reference
 */
CleaveCandidate *
cleave_candidate_ref (CleaveCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * cleave_candidate_unref:
 * @self: (transfer full): a candidate
 *
 * Drops a reference.
 */
void
cleave_candidate_unref (CleaveCandidate *self)
{
  g_return_if_fail (self != NULL);

  if (g_atomic_ref_count_dec (&self->references))
    g_free (self);
}

/**
 * cleave_candidate_get_choices:
 * @self: a candidate
 * @n_choices: (out) (optional): how many there are
 *
 * Returns: (array length=n_choices) (transfer none): all choices, the split point last
 */
const guint *
cleave_candidate_get_choices (CleaveCandidate *self, gsize *n_choices)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (n_choices != NULL)
    *n_choices = self->n_choices;
  return self->choices;
}

/**
 * cleave_candidate_get_length:
 * @self: a candidate
 *
 * Returns: the number of choices, the split point included
 */
gsize
cleave_candidate_get_length (CleaveCandidate *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_choices;
}

/**
 * cleave_candidate_get:
 * @self: a candidate
 * @variable: the index of a variable, less than [method@Candidate.get_length]
 *
 * Returns: the category chosen for this variable
 */
guint
cleave_candidate_get (CleaveCandidate *self, gsize variable)
{
  g_return_val_if_fail (self != NULL && variable < self->n_choices, 0);

  return self->choices[variable];
}

/**
 * cleave_candidate_get_split:
 * @self: a candidate that is not empty
 *
 * Returns: the split point: the last variable's category
 */
guint
cleave_candidate_get_split (CleaveCandidate *self)
{
  g_return_val_if_fail (self != NULL && self->n_choices > 0, 0);

  return self->choices[self->n_choices - 1];
}

/**
 * cleave_candidate_equal:
 * @self: a candidate
 * @other: another
 *
 * Returns: whether both have the same choices, the split point included
 */
gboolean
cleave_candidate_equal (CleaveCandidate *self, CleaveCandidate *other)
{
  g_return_val_if_fail (self != NULL && other != NULL, FALSE);

  return self->n_choices == other->n_choices
         && memcmp (self->choices, other->choices, self->n_choices * sizeof (guint)) == 0;
}

/**
 * cleave_candidate_with_split:
 * @self: a candidate that is not empty
 * @split: a split point
 *
 * Returns: (transfer full): the same architecture with this split point
 */
CleaveCandidate *
cleave_candidate_with_split (CleaveCandidate *self, guint split)
{
  g_return_val_if_fail (self != NULL && self->n_choices > 0, NULL);

  CleaveCandidate *result = cleave_candidate_new (self->choices, self->n_choices);
  result->choices[result->n_choices - 1] = split;
  return result;
}
