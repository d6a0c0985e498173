/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

static GVariant *
make_variables (void)
{
  return g_variant_ref_sink (
      g_variant_new_parsed ("@a(sas) [('a', ['0', '1', '2']), ('b', ['0']), ('split', ['0', '1'])]"));
}

/* Category by category with the numbers of the stream, in the order of the variables. */
TEST (Candidate, drawn_from_the_stream)
{
  g_autoptr (GVariant) variables = make_variables ();
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  g_autoptr (CleaveRandom) same = cleave_random_new (1, 2, 3, 4);

  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (CleaveCandidate) candidate = cleave_candidate_new_random (variables, random);
      REQUIRE (cleave_candidate_get_length (candidate) == 3);
      EXPECT_INT (cleave_candidate_get (candidate, 0), cleave_random_below (same, 3));
      EXPECT_INT (cleave_candidate_get (candidate, 1), cleave_random_below (same, 1));
      EXPECT_INT (cleave_candidate_get (candidate, 2), cleave_random_below (same, 2));
    }
}

TEST (Candidate, goes_through_a_variant)
{
  const guint choices[] = { 2, 0, 1 };
  g_autoptr (GVariant) variables = make_variables ();
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, 3);
  g_autoptr (GVariant) variant = g_variant_ref_sink (cleave_candidate_to_variant (candidate));
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveCandidate) again = cleave_candidate_new_from_variant (variant, variables, &error);

  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (cleave_candidate_equal (candidate, again));
}

TEST (Candidate, of_another_space_is_refused)
{
  static const char *const wrong[][2] = {
    { "@au []", "another space" },
    { "[uint32 0, 0]", "another space" },
    { "[uint32 3, 0, 0]", "another space" },
    { "[uint32 0, 0, 2]", "another space" },
    { "[0, 0, 0]", "a candidate is of type ai, expected au" },
  };
  g_autoptr (GVariant) variables = make_variables ();
  GError *error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new_parsed (wrong[i][0]));
      EXPECT_TRUE (cleave_candidate_new_from_variant (variant, variables, &error) == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_DATA, wrong[i][1]);
    }
}
