/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asng against trajectories of the published ASNG code: categories, choices and losses in, θ, Δ, γ and s out. */
#include "cleave-host.h"
#include "test.h"
#include <json-glib/json-glib.h>

/* The published code sums in another order: rounding, amplified over the steps. */
static const double tolerance = 1e-9;

static GVariant *
variables_from (JsonArray *categories)
{
  GVariantBuilder variables;

  g_variant_builder_init (&variables, G_VARIANT_TYPE ("a(sas)"));
  for (guint d = 0; d < json_array_get_length (categories); d++)
    {
      GVariantBuilder names;
      g_variant_builder_init (&names, G_VARIANT_TYPE ("as"));
      for (gint64 i = 0; i < json_array_get_int_element (categories, d); i++)
        g_variant_builder_add (&names, "s", "category");
      g_variant_builder_add (&variables, "(sas)", "variable", &names);
    }
  return g_variant_ref_sink (g_variant_builder_end (&variables));
}

static CleaveTrials *
trials_from (JsonArray *samples)
{
  CleaveTrials *trials = cleave_trials_new ();

  for (guint n = 0; n < json_array_get_length (samples); n++)
    {
      JsonArray *sample = json_array_get_array_element (samples, n);
      guint n_choices = json_array_get_length (sample);
      g_autofree guint *choices = g_new (guint, n_choices);
      for (guint d = 0; d < n_choices; d++)
        choices[d] = json_array_get_int_element (sample, d);
      g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, n_choices);
      cleave_trials_add (trials, candidate, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_MINIBATCH);
    }
  return trials;
}

static gboolean
numbers_match (GVariant *numbers, JsonArray *expected, const char *what)
{
  gsize n;
  const double *actual = g_variant_get_fixed_array (numbers, &n, sizeof (double));

  if (!EXPECT_INT (n, json_array_get_length (expected)))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (!test_check_near (actual[i], json_array_get_double_element (expected, i), tolerance, FALSE, __FILE__, __LINE__,
                          what))
      return FALSE;
  return TRUE;
}

static gboolean
number_matches (GVariant *state, const char *key, double expected, const char *what)
{
  double actual = G_MAXDOUBLE;

  g_variant_lookup (state, key, "d", &actual);
  return test_check_near (actual, expected, tolerance, FALSE, __FILE__, __LINE__, what);
}

static gboolean
state_matches (CleaveOptimizer *asng, JsonObject *step, const char *where)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) state = cleave_optimizer_save (asng, &error);

  if (!EXPECT_NO_ERROR (error))
    return FALSE;
  g_autoptr (GVariant) theta = g_variant_lookup_value (state, "theta", G_VARIANT_TYPE ("aad"));
  g_autoptr (GVariant) s = g_variant_lookup_value (state, "s", G_VARIANT_TYPE ("ad"));
  JsonArray *expected = json_object_get_array_member (step, "theta");
  if (!EXPECT_TRUE (theta != NULL && s != NULL)
      || !EXPECT_INT (g_variant_n_children (theta), json_array_get_length (expected)))
    return FALSE;
  for (guint d = 0; d < json_array_get_length (expected); d++)
    {
      g_autoptr (GVariant) numbers = g_variant_get_child_value (theta, d);
      if (!numbers_match (numbers, json_array_get_array_element (expected, d), where))
        return FALSE;
    }
  return numbers_match (s, json_object_get_array_member (step, "s"), where)
         && number_matches (state, "delta", json_object_get_double_member (step, "Delta"), where)
         && number_matches (state, "gamma", json_object_get_double_member (step, "gamma"), where);
}

static gboolean
follow_step (CleaveOptimizer *asng, JsonObject *step, const char *where)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveTrials) trials = trials_from (json_object_get_array_member (step, "choices"));
  JsonArray *losses = json_object_get_array_member (step, "losses");
  guint n_losses = json_array_get_length (losses);
  g_autofree double *values = g_new (double, n_losses);

  for (guint n = 0; n < n_losses; n++)
    values[n] = json_array_get_double_element (losses, n);
  cleave_optimizer_tell (asng, trials, values, n_losses, &error);
  if (!EXPECT_NO_ERROR (error))
    return FALSE;
  return !json_object_has_member (step, "theta") || state_matches (asng, step, where);
}

static void
follow_trajectory (CleaveHost *host, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  json_parser_load_from_file (parser, path, &error);
  REQUIRE_NO_ERROR (error);
  JsonObject *trajectory = json_node_get_object (json_parser_get_root (parser));
  g_autoptr (GVariant) variables = variables_from (json_object_get_array_member (trajectory, "categories"));

  g_autoptr (GObject) asng = cleave_host_create (host, CLEAVE_KIND_OPTIMIZER, "asng", &error);
  REQUIRE_NO_ERROR (error);
  g_object_set (asng, "samples", (guint)json_object_get_int_member (trajectory, "lambda_"), "alpha",
                json_object_get_double_member (trajectory, "alpha"), "initial-delta",
                json_object_get_double_member (trajectory, "delta0"), NULL);
  cleave_optimizer_start (CLEAVE_OPTIMIZER (asng), variables, &error);
  REQUIRE_NO_ERROR (error);

  JsonArray *steps = json_object_get_array_member (trajectory, "steps");
  EXPECT_TRUE (json_array_get_length (steps) > 0);
  for (guint i = 0; i < json_array_get_length (steps); i++)
    {
      g_autofree char *where = g_strdup_printf ("%s, step %u", path, i);
      if (!follow_step (CLEAVE_OPTIMIZER (asng), json_array_get_object_element (steps, i), where))
        return;
    }

  g_autoptr (CleaveCandidate) best = cleave_optimizer_recommend (CLEAVE_OPTIMIZER (asng), &error);
  REQUIRE_NO_ERROR (error);
  JsonArray *expected = json_object_get_array_member (trajectory, "best");
  REQUIRE (cleave_candidate_get_length (best) == json_array_get_length (expected));
  for (guint d = 0; d < json_array_get_length (expected); d++)
    EXPECT_INT (cleave_candidate_get (best, d), json_array_get_int_element (expected, d));
}

TEST (Asng, FollowsThePublishedCode)
{
  if (test_golden_folder () == NULL)
    SKIP ("no golden folder");

  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (test_golden_folder (), "asng", NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  REQUIRE_NO_ERROR (error);
  guint n_files = 0;
  const char *name;
  while ((name = g_dir_read_name (folder)) != NULL)
    if (g_str_has_suffix (name, ".json"))
      {
        g_autofree char *file = g_build_filename (path, name, NULL);
        follow_trajectory (host, file);
        n_files++;
      }
  EXPECT_TRUE (n_files > 0);
}
