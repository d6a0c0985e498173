/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <cleave/cleave-candidate.h>
#include <cleave/cleave-error.h>

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
 * Makes a candidate; the choices are copied. Whether the choices fit a space is checked by [method@Space.build].
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
 * Takes a reference.
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
 * Gives a reference back; the last one frees the candidate.
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
 * Gets all choices at once.
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
 * Gets the number of variables.
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
 * Gets the choice for one variable.
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
 * Gets the split point. What it means is for the space to say; [method@Network.get_cut] tells where the network is cut.
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
 * Compares two candidates.
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
 * Makes a candidate of the same architecture and another split point.
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

static guint
count_categories (GVariant *variables, gsize variable)
{
  g_autoptr (GVariant) pair = g_variant_get_child_value (variables, variable);
  g_autoptr (GVariant) categories = g_variant_get_child_value (pair, 1);

  return g_variant_n_children (categories);
}

/**
 * cleave_candidate_new_random:
 * @variables: a space's variables, `a(sas)` as [method@Space.variables] gives them
 * @random: what the choices are drawn from, one draw of [method@Random.below] a variable
 *
 * Draws a candidate of the space; all are equally likely.
 *
 * Returns: (transfer full): a new candidate
 */
CleaveCandidate *
cleave_candidate_new_random (GVariant *variables, CleaveRandom *random)
{
  g_return_val_if_fail (variables != NULL && g_variant_is_of_type (variables, G_VARIANT_TYPE ("a(sas)")), NULL);
  g_return_val_if_fail (random != NULL, NULL);

  const gsize n = g_variant_n_children (variables);
  g_autofree guint *choices = g_new (guint, n);
  for (gsize i = 0; i < n; i++)
    choices[i] = cleave_random_below (random, count_categories (variables, i));
  return cleave_candidate_new (choices, n);
}

/**
 * cleave_candidate_to_variant:
 * @self: a candidate
 *
 * The choices in a form that an optimizer's state can hold.
 *
 * Returns: (transfer none): a floating `au`, from which [ctor@Candidate.new_from_variant] makes the candidate again
 */
GVariant *
cleave_candidate_to_variant (CleaveCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, self->choices, self->n_choices, sizeof (guint));
}

/**
 * cleave_candidate_new_from_variant:
 * @variant: what [method@Candidate.to_variant] gave
 * @variables: the variables of the space that the candidate is to be of
 * @error: where to put what went wrong
 *
 * Takes a candidate out of a state, which may come from a damaged file or from a search of another space.
 *
 * Returns: (transfer full): a new candidate; %NULL with %CLEAVE_ERROR_DATA where @variant is no candidate of the space
 */
CleaveCandidate *
cleave_candidate_new_from_variant (GVariant *variant, GVariant *variables, GError **error)
{
  g_return_val_if_fail (variant != NULL, NULL);
  g_return_val_if_fail (variables != NULL && g_variant_is_of_type (variables, G_VARIANT_TYPE ("a(sas)")), NULL);

  if (!g_variant_is_of_type (variant, G_VARIANT_TYPE ("au")))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "a candidate is of type %s, expected au",
                   g_variant_get_type_string (variant));
      return NULL;
    }

  gsize n_choices;
  const guint *choices = g_variant_get_fixed_array (variant, &n_choices, sizeof (guint));
  gboolean is_valid = n_choices == g_variant_n_children (variables);
  for (gsize i = 0; is_valid && i < n_choices; i++)
    is_valid = choices[i] < count_categories (variables, i);
  if (is_valid)
    return cleave_candidate_new (choices, n_choices);
  cleave_error_set_literal (error, CLEAVE_ERROR_DATA, "a candidate is of another space");
  return NULL;
}
