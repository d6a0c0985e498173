/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "survey.h"

/* One candidate: VARIABLE at CATEGORY, the split point at SPLIT, all else at 0. */
static gboolean
visit (CleaveSpace *space, gsize n_variables, gsize variable, guint category, guint split, CleaveSurveyFunc func,
       gpointer data, GError **error)
{
  g_autofree guint *choices = g_new0 (guint, n_variables);
  g_autoptr (CleaveCandidate) candidate = NULL;
  g_autoptr (CleaveNetwork) network = NULL;

  choices[n_variables - 1] = split;
  choices[variable] = category;
  candidate = cleave_candidate_new (choices, n_variables);
  network = cleave_space_build (space, candidate, error);
  return network != NULL && func (network, data, error);
}

gboolean
cleave_survey (CleaveSpace *space, GVariant *variables, CleaveSurveyFunc func, gpointer data, GError **error)
{
  gsize n_variables = g_variant_n_children (variables);
  g_autoptr (GVariant) split = g_variant_get_child_value (variables, n_variables - 1);
  g_autoptr (GVariant) splits = g_variant_get_child_value (split, 1);
  guint last_split = g_variant_n_children (splits) - 1;

  for (gsize variable = 0; variable < n_variables; variable++)
    {
      const char *name;
      g_autofree const char **categories = NULL;

      g_variant_get_child (variables, variable, "(&s^a&s)", &name, &categories);
      for (guint category = 0; categories[category] != NULL; category++)
        if (!visit (space, n_variables, variable, category, 0, func, data, error)
            || (variable + 1 < n_variables
                && !visit (space, n_variables, variable, category, last_split, func, data, error)))
          {
            g_prefix_error (error, "%s = %s, the other variables at their first category: ", name,
                            categories[category]);
            return FALSE;
          }
    }
  return TRUE;
}
