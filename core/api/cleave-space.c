/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <cleave/cleave-error.h>
#include <cleave/cleave-space.h>

G_DEFINE_INTERFACE (CleaveSpace, cleave_space, G_TYPE_OBJECT)

static void
cleave_space_default_init (CleaveSpaceInterface *iface)
{
}

static gboolean
check_variables (CleaveSpace *self, GVariant *variables, GError **error)
{
  const char *type = G_OBJECT_TYPE_NAME (self);

  if (!g_variant_is_of_type (variables, G_VARIANT_TYPE ("a(sas)")))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: variables are of type %s, expected a(sas)", type,
                   g_variant_get_type_string (variables));
      return FALSE;
    }
  if (g_variant_n_children (variables) == 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: there is no variable, expected the split at least",
                   type);
      return FALSE;
    }
  for (gsize i = 0; i < g_variant_n_children (variables); i++)
    {
      const char *name;
      g_autoptr (GVariant) categories = NULL;
      g_variant_get_child (variables, i, "(&s@as)", &name, &categories);
      if (g_variant_n_children (categories) == 0)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: the variable “%s” has no category", type, name);
          return FALSE;
        }
    }
  return TRUE;
}

/**
 * cleave_space_variables:
 * @self: a space
 * @error: return location for an error
 *
 * What there is to choose: an array `a(sas)` of variables, each with its name and the names of its categories. The last
 * variable is the split point. They depend on the space's parameters alone, not on the data set.
 *
 * Returns: (transfer full): at least one variable, each with at least one category; %NULL on failure,
 *   %CLEAVE_ERROR_PLUGIN where the plugin gave something else
 */
GVariant *
cleave_space_variables (CleaveSpace *self, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_SPACE (self), NULL);

  CleaveSpaceInterface *iface = CLEAVE_SPACE_GET_IFACE (self);
  g_autoptr (GVariant) variables = NULL;
  g_autoptr (GError) failure = NULL;
  if (iface->variables != NULL)
    variables = iface->variables (self, &failure);
  if (variables != NULL)
    g_variant_take_ref (variables);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (variables == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: “variables” gave nothing and set no error",
                   G_OBJECT_TYPE_NAME (self));
      return NULL;
    }
  return check_variables (self, variables, error) ? g_steal_pointer (&variables) : NULL;
}

static gboolean
check_candidate (GVariant *variables, CleaveCandidate *candidate, GError **error)
{
  const gsize n_variables = g_variant_n_children (variables);
  gsize n_choices;
  const guint *choices = cleave_candidate_get_choices (candidate, &n_choices);

  if (n_choices == 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "the candidate is empty, expected %" G_GSIZE_FORMAT " numbers and a split", n_variables - 1);
      return FALSE;
    }
  if (n_choices != n_variables)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "architecture has %" G_GSIZE_FORMAT " numbers, expected %" G_GSIZE_FORMAT, n_choices - 1,
                   n_variables - 1);
      return FALSE;
    }
  for (gsize i = 0; i < n_choices; i++)
    {
      const char *name;
      g_autoptr (GVariant) categories = NULL;
      g_variant_get_child (variables, i, "(&s@as)", &name, &categories);
      const gsize n_categories = g_variant_n_children (categories);
      if (choices[i] >= n_categories)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s %u is outside 0–%" G_GSIZE_FORMAT,
                       i == n_choices - 1 ? "split" : name, choices[i], n_categories - 1);
          return FALSE;
        }
    }
  return TRUE;
}

/**
 * cleave_space_build:
 * @self: a space
 * @candidate: a category for every variable
 * @error: return location for an error
 *
 * The network of a candidate, cut at its split point: it takes the data set's images and gives a number a class.
 *
 * An implementation is given only candidates that fit its variables. Networks of candidates that make the same choice
 * for a block share that block's weights, so a block of one name and choice must have the same parameters in all.
 *
 * Returns: (transfer full): the network; %NULL with %CLEAVE_ERROR_CONFIG where the candidate does not fit the
 *   variables, with %CLEAVE_ERROR_PLUGIN where the plugin gave no network or one without a cut
 */
CleaveNetwork *
cleave_space_build (CleaveSpace *self, CleaveCandidate *candidate, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_SPACE (self) && candidate != NULL, NULL);

  CleaveSpaceInterface *iface = CLEAVE_SPACE_GET_IFACE (self);
  g_autoptr (GVariant) variables = cleave_space_variables (self, error);
  if (variables == NULL || !check_candidate (variables, candidate, error))
    return NULL;

  g_autoptr (CleaveNetwork) network = NULL;
  g_autoptr (GError) failure = NULL;
  if (iface->build != NULL)
    network = iface->build (self, candidate, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (network == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: “build” gave nothing and set no error",
                   G_OBJECT_TYPE_NAME (self));
      return NULL;
    }
  if (cleave_network_get_cut (network) == cleave_network_get_n_ops (network))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: “build” gave a network without a cut for split %u",
                   G_OBJECT_TYPE_NAME (self), cleave_candidate_get_split (candidate));
      return NULL;
    }
  return g_steal_pointer (&network);
}

/**
 * cleave_space_set_dataset:
 * @self: a space
 * @info: (nullable): classes and image shape of the data set; %NULL where there is none that fits
 * @error: return location for an error
 *
 * Tells what the networks are to take and give, before anything is built. Without effect on a space that does not
 * implement it.
 *
 * Returns: whether the space can build networks for it; if not, an error is set (%CLEAVE_ERROR_PLUGIN where the space
 *   did not set one)
 */
gboolean
cleave_space_set_dataset (CleaveSpace *self, const CleaveDatasetInfo *info, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_SPACE (self), FALSE);

  CleaveSpaceInterface *iface = CLEAVE_SPACE_GET_IFACE (self);
  GError *failure = NULL;
  if (iface->set_dataset == NULL)
    return TRUE;
  gboolean taken = iface->set_dataset (self, info, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (!taken)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: “set_dataset” failed and set no error",
                 G_OBJECT_TYPE_NAME (self));
  return taken;
}
