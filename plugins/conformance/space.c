/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds for every space. That each op takes what the one before it gives, and that what crosses the cut is one
 * op's output, needs no check: the network builder makes no other network. */

#include "conformance-private.h"

#include <string.h>

/* Candidates drawn at random, besides one for each category. */
#define N_RANDOM 64
#define PURPOSE 2

/* What the networks of a space have in common. */
typedef struct
{
  CleaveSpace *space;   /* borrowed */
  GVariant *variables;  /* borrowed */
  CleaveNetwork *first; /* nullable: the first that was seen */
  GHashTable *weights;  /* parameter name and choice → shape, as text */
} Survey;

static char *
describe_candidate (CleaveCandidate *candidate)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < cleave_candidate_get_length (candidate); i++)
    g_string_append_printf (text, "%s%u", i > 0 ? "," : "", cleave_candidate_get (candidate, i));
  return g_string_free (text, FALSE);
}

static const CleaveOp *
last_op (CleaveNetwork *network)
{
  return cleave_network_get_op (network, cleave_network_get_n_ops (network) - 1);
}

static guint
count_categories (GVariant *variables, gsize variable)
{
  g_autoptr (GVariant) categories = NULL;

  g_variant_get_child (variables, variable, "(&s@as)", NULL, &categories);
  return g_variant_n_children (categories);
}

/* The first category of every variable, but CATEGORY of VARIABLE. */
static CleaveCandidate *
make_candidate (GVariant *variables, gsize variable, guint category)
{
  gsize n_variables = g_variant_n_children (variables);
  g_autofree guint *choices = g_new0 (guint, n_variables);

  choices[variable] = category;
  return cleave_candidate_new (choices, n_variables);
}

static CleaveCandidate *
draw_candidate (GVariant *variables, guint32 index)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (1, PURPOSE, index, 0);

  return cleave_candidate_new_random (variables, random);
}

/* A component that was told of no data set, and its variables. */
static GObject *
make_space (Conformance *self, GVariant **variables, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);

  if (component == NULL || !cleave_space_set_dataset (CLEAVE_SPACE (component), NULL, error))
    return NULL;
  *variables = cleave_space_variables (CLEAVE_SPACE (component), error);
  return *variables != NULL ? g_steal_pointer (&component) : NULL;
}

static gboolean
use_space (Conformance *self, GObject *component, GError **error)
{
  CleaveSpace *space = CLEAVE_SPACE (component);

  if (!cleave_space_set_dataset (space, NULL, error))
    return FALSE;
  g_autoptr (GVariant) variables = cleave_space_variables (space, error);
  if (variables == NULL)
    return FALSE;
  g_autoptr (CleaveCandidate) candidate = make_candidate (variables, 0, 0);
  g_autoptr (CleaveNetwork) network = cleave_space_build (space, candidate, error);
  return network != NULL;
}

/* --- variables --- */

static gboolean
check_names (GVariant *variables, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (gsize i = 0; i < g_variant_n_children (variables); i++)
    {
      const char *name;
      g_autofree const char **categories = NULL;
      g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

      g_variant_get_child (variables, i, "(&s^a&s)", &name, &categories);
      if (*name == '\0' || !g_hash_table_add (names, (gpointer)name))
        return conformance_fail (error, "variable %" G_GSIZE_FORMAT " is called “%s”, expected a name of its own", i,
                                 name);
      for (gsize c = 0; categories[c] != NULL; c++)
        if (*categories[c] == '\0' || !g_hash_table_add (seen, (gpointer)categories[c]))
          return conformance_fail (error,
                                   "category %" G_GSIZE_FORMAT " of %s is called “%s”, expected a name of its own", c,
                                   name, categories[c]);
    }
  return TRUE;
}

static gboolean
check_variables (Conformance *self, GError **error)
{
  static const double ones[] = { 1, 1, 1 };
  g_autoptr (GVariant) variables = NULL;
  g_autoptr (GObject) component = make_space (self, &variables, error);
  g_autoptr (CleaveDatasetInfo) info = cleave_dataset_info_new (7, 3, 32, 32, ones, ones);

  if (component == NULL || !check_names (variables, error))
    return FALSE;
  /* Whether it takes this data set makes no difference here. */
  cleave_space_set_dataset (CLEAVE_SPACE (component), info, NULL);
  g_autoptr (GVariant) again = cleave_space_variables (CLEAVE_SPACE (component), error);
  if (again == NULL)
    return FALSE;
  if (!g_variant_equal (variables, again))
    return conformance_fail (error, "the variables have changed, expected them not to depend on the data set");
  return TRUE;
}

/* --- networks --- */

static char *
describe_op (const CleaveOp *op)
{
  return g_strdup_printf ("%s %u×%u×%u to %u×%u×%u, kernel %u, stride %u, padding %u, groups %u, source %d",
                          cleave_op_kind_to_string (op->kind), op->in_channels, op->in_height, op->in_width,
                          op->out_channels, op->out_height, op->out_width, op->kernel, op->stride, op->padding,
                          op->groups, op->source);
}

/* Weights are kept by block and choice for all candidates together: their shapes must not depend on other choices. */
static gboolean
check_weights (Survey *survey, CleaveNetwork *network, GError **error)
{
  for (guint i = 0; i < cleave_network_get_n_ops (network); i++)
    {
      const CleaveOp *op = cleave_network_get_op (network, i);
      const CleaveBlock *block = cleave_network_get_block (network, op->block);

      if (op->kind != CLEAVE_OP_CONV && op->kind != CLEAVE_OP_NORM && op->kind != CLEAVE_OP_LINEAR)
        continue;
      g_autofree char *name = cleave_network_parameter_name (network, i, "weight");
      g_autofree char *key = g_strdup_printf ("%s of %s", name, block->choice != NULL ? block->choice : "every choice");
      g_autofree char *shape = g_strdup_printf ("%s %u×%u×%u×%u", cleave_op_kind_to_string (op->kind), op->out_channels,
                                                op->in_channels / op->groups, op->kernel, op->kernel);
      const char *before = g_hash_table_lookup (survey->weights, key);
      if (before != NULL && !g_str_equal (before, shape))
        return conformance_fail (error, "the weight %s is %s, in another network %s", key, shape, before);
      if (before == NULL)
        g_hash_table_insert (survey->weights, g_steal_pointer (&key), g_steal_pointer (&shape));
    }
  return TRUE;
}

static gboolean
check_shapes (Survey *survey, CleaveNetwork *network, GError **error)
{
  const CleaveOp *last = last_op (network);
  CleaveNetwork *first = survey->first;

  if (last->out_height != 1 || last->out_width != 1)
    return conformance_fail (error, "the output is %u×%u×%u, expected one number a class", last->out_channels,
                             last->out_height, last->out_width);
  if (first != NULL && last->out_channels != last_op (first)->out_channels)
    return conformance_fail (error, "there are %u classes, in another network %u", last->out_channels,
                             last_op (first)->out_channels);
  if (first != NULL
      && (cleave_network_get_in_channels (network) != cleave_network_get_in_channels (first)
          || cleave_network_get_in_height (network) != cleave_network_get_in_height (first)
          || cleave_network_get_in_width (network) != cleave_network_get_in_width (first)))
    return conformance_fail (error, "the input is %u×%u×%u, in another network %u×%u×%u",
                             cleave_network_get_in_channels (network), cleave_network_get_in_height (network),
                             cleave_network_get_in_width (network), cleave_network_get_in_channels (first),
                             cleave_network_get_in_height (first), cleave_network_get_in_width (first));
  return TRUE;
}

static gboolean
survey_candidate (Survey *survey, CleaveCandidate *candidate, GError **error)
{
  g_autoptr (CleaveNetwork) network = cleave_space_build (survey->space, candidate, error);

  if (network == NULL || !check_shapes (survey, network, error) || !check_weights (survey, network, error))
    {
      g_autofree char *text = describe_candidate (candidate);

      g_prefix_error (error, "candidate %s: ", text);
      return FALSE;
    }
  if (survey->first == NULL)
    survey->first = g_steal_pointer (&network);
  return TRUE;
}

/* Every category of every variable, with the first and the last split point, and some candidates at random. */
static gboolean
survey_space (Survey *survey, GError **error)
{
  gsize n_variables = g_variant_n_children (survey->variables);
  guint n_splits = count_categories (survey->variables, n_variables - 1);

  for (gsize i = 0; i < n_variables; i++)
    for (guint c = 0; c < count_categories (survey->variables, i); c++)
      {
        g_autoptr (CleaveCandidate) candidate = make_candidate (survey->variables, i, c);
        g_autoptr (CleaveCandidate) late = cleave_candidate_with_split (candidate, n_splits - 1);

        if (!survey_candidate (survey, candidate, error) || !survey_candidate (survey, late, error))
          return FALSE;
      }
  for (guint32 i = 0; i < N_RANDOM; i++)
    {
      g_autoptr (CleaveCandidate) candidate = draw_candidate (survey->variables, i);

      if (!survey_candidate (survey, candidate, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_networks (Conformance *self, GError **error)
{
  g_autoptr (GVariant) variables = NULL;
  g_autoptr (GObject) component = make_space (self, &variables, error);
  g_autoptr (GHashTable) weights = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Survey survey = { (CleaveSpace *)component, variables, NULL, weights };
  gboolean holds = component != NULL && survey_space (&survey, error);

  g_clear_pointer (&survey.first, cleave_network_unref);
  return holds;
}

/* Whether two networks are the same, their cuts apart. */
static gboolean
check_same_ops (CleaveNetwork *network, CleaveNetwork *expected, GError **error)
{
  guint n_ops = cleave_network_get_n_ops (network);

  if (n_ops != cleave_network_get_n_ops (expected))
    return conformance_fail (error, "%u ops, expected %u", n_ops, cleave_network_get_n_ops (expected));
  for (guint i = 0; i < n_ops; i++)
    {
      g_autofree char *op = describe_op (cleave_network_get_op (network, i));
      g_autofree char *expected_op = describe_op (cleave_network_get_op (expected, i));

      if (!g_str_equal (op, expected_op))
        return conformance_fail (error, "op %u is a %s, expected a %s", i, op, expected_op);
    }
  return TRUE;
}

/* The split point says where a network is cut, and nothing of what it computes. */
static gboolean
check_cuts (Conformance *self, GError **error)
{
  g_autoptr (GVariant) variables = NULL;
  g_autoptr (GObject) component = make_space (self, &variables, error);
  guint n_splits = component != NULL ? count_categories (variables, g_variant_n_children (variables) - 1) : 0;

  for (guint32 i = 0; component != NULL && i < 4; i++)
    {
      g_autoptr (CleaveCandidate) drawn = draw_candidate (variables, i);
      g_autoptr (CleaveCandidate) candidate = cleave_candidate_with_split (drawn, 0);
      g_autoptr (CleaveNetwork) first = cleave_space_build (CLEAVE_SPACE (component), candidate, error);

      for (guint split = 0; split < n_splits; split++)
        {
          g_autoptr (CleaveCandidate) moved = cleave_candidate_with_split (drawn, split);
          g_autoptr (CleaveNetwork) network
              = first != NULL ? cleave_space_build (CLEAVE_SPACE (component), moved, error) : NULL;

          if (network == NULL || !check_same_ops (network, first, error))
            {
              g_autofree char *text = describe_candidate (moved);

              g_prefix_error (error, "candidate %s, against split point 0: ", text);
              return FALSE;
            }
        }
    }
  return component != NULL;
}

/* A candidate built again, by whichever component, is the same network with the same cut. */
static gboolean
check_built_again (CleaveSpace *space, CleaveCandidate *candidate, CleaveNetwork *expected, GError **error)
{
  g_autoptr (CleaveNetwork) network = cleave_space_build (space, candidate, error);

  if (network == NULL)
    return FALSE;
  if (!check_same_ops (network, expected, error))
    {
      g_prefix_error (error, "a candidate built twice: ");
      return FALSE;
    }
  if (cleave_network_get_cut (network) != cleave_network_get_cut (expected))
    return conformance_fail (error, "a candidate built twice is cut before op %u and before op %u",
                             cleave_network_get_cut (expected), cleave_network_get_cut (network));
  return TRUE;
}

static gboolean
check_same_twice (Conformance *self, GError **error)
{
  g_autoptr (GVariant) variables = NULL, other_variables = NULL;
  g_autoptr (GObject) component = make_space (self, &variables, error);
  g_autoptr (GObject) another = component != NULL ? make_space (self, &other_variables, error) : NULL;

  if (another == NULL)
    return FALSE;
  if (!g_variant_equal (variables, other_variables))
    return conformance_fail (error, "two components have different variables");
  for (guint32 i = 0; i < 4; i++)
    {
      g_autoptr (CleaveCandidate) candidate = draw_candidate (variables, i);
      g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (component), candidate, error);

      if (network == NULL || !check_built_again (CLEAVE_SPACE (component), candidate, network, error)
          || !check_built_again (CLEAVE_SPACE (another), candidate, network, error))
        return FALSE;
    }
  return TRUE;
}

/* --- data sets --- */

/* The network of the first candidate, for a data set that the space takes. */
static CleaveNetwork *
build_first (CleaveSpace *space, GVariant *variables, const CleaveDatasetInfo *info, GError **error)
{
  g_autoptr (CleaveCandidate) candidate = make_candidate (variables, 0, 0);

  if (!cleave_space_set_dataset (space, info, error))
    return NULL;
  return cleave_space_build (space, candidate, error);
}

/* Told how many classes there are, a space gives as many numbers, or refuses. */
static gboolean
check_classes (Conformance *self, GError **error)
{
  static const double ones[] = { 1, 1, 1, 1 };
  static const guint n_classes[] = { 7, 13 };
  g_autoptr (GVariant) variables = NULL;
  g_autoptr (GObject) component = make_space (self, &variables, error);
  CleaveSpace *space = (CleaveSpace *)component;
  g_autoptr (CleaveNetwork) plain = component != NULL ? build_first (space, variables, NULL, error) : NULL;

  if (plain == NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (n_classes); i++)
    {
      g_autoptr (CleaveDatasetInfo) info = cleave_dataset_info_new (
          n_classes[i], cleave_network_get_in_channels (plain), cleave_network_get_in_height (plain),
          cleave_network_get_in_width (plain), ones, ones);
      g_autoptr (GError) problem = NULL;
      g_autoptr (CleaveNetwork) network = build_first (space, variables, info, &problem);

      if (network == NULL && conformance_is_clean (problem))
        conformance_note (self, "%u classes are refused: %s", n_classes[i], problem->message);
      else if (network == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }
      else if (last_op (network)->out_channels != n_classes[i])
        return conformance_fail (error, "told of %u classes, a network gives %u numbers", n_classes[i],
                                 last_op (network)->out_channels);
    }
  return TRUE;
}

/* Data sets as no space expects them. */
static gboolean
check_nonsense (Conformance *self, GError **error)
{
  static const double ones[] = { 1, 1, 1, 1 };
  static const guint shapes[][4] = { { 1, 1, 1, 1 }, { 65535, 4, 16384, 16384 }, { 2, 3, 1, 16384 } };
  g_autoptr (GVariant) variables = NULL;
  g_autoptr (GObject) component = make_space (self, &variables, error);

  for (gsize i = 0; component != NULL && i < G_N_ELEMENTS (shapes); i++)
    {
      const guint *shape = shapes[i];
      g_autoptr (CleaveDatasetInfo) info = cleave_dataset_info_new (shape[0], shape[1], shape[2], shape[3], ones, ones);
      g_autoptr (GError) problem = NULL;

      conformance_go_on (self, "images of %u×%u×%u in %u classes", shape[1], shape[2], shape[3], shape[0]);
      g_autoptr (CleaveNetwork) network = build_first (CLEAVE_SPACE (component), variables, info, &problem);
      if (network == NULL && !conformance_is_clean (problem))
        return conformance_fail (error, "a data set of images of %u×%u×%u in %u classes: %s", shape[1], shape[2],
                                 shape[3], shape[0], problem->message);
    }
  return component != NULL;
}

static const ConformanceCheck checks[] = {
  { "variables", check_variables, FALSE },
  { "networks", check_networks, FALSE },
  { "networks: cuts", check_cuts, FALSE },
  { "networks: same twice", check_same_twice, FALSE },
  { "data set: classes", check_classes, FALSE },
  { "data set: nonsense", check_nonsense, FALSE },
  { NULL, NULL, FALSE },
};

const ConformanceKind conformance_space = { use_space, 50, FALSE, checks };
