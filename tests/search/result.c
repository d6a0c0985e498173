/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "result.h"

#include "test.h"

static CleaveResult *
make_result (void)
{
  const guint choices[] = { 2, 0, 1 };
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, G_N_ELEMENTS (choices));
  g_autoptr (GVariant) variables = g_variant_ref_sink (
      g_variant_new_parsed ("[('block-1', ['a', 'b', 'c']), ('block-2', ['d', 'e']), ('split', ['0', '1'])]"));
  const CleaveLatency latency = { 0.1, 2.048, 1.0 / 3, 0.1 + 2.048 + 1.0 / 3, 512, 16384 };
  const CleaveAccuracy accuracy[] = { { 0, 30 }, { 0.2, 21 } };
  GArray *accuracies = g_array_new (FALSE, FALSE, sizeof (CleaveAccuracy));

  g_array_append_vals (accuracies, accuracy, G_N_ELEMENTS (accuracy));
  return cleave_result_new (7, candidate, variables, 30, &latency, 0.2, 40, accuracies);
}

TEST (Result, reads_back_bit_for_bit)
{
  g_autoptr (CleaveResult) result = make_result ();
  g_autofree char *text = cleave_result_to_json (result);
  g_autofree char *path = g_build_filename (test_temporary_folder (), "result.json", NULL);
  g_autofree char *again = NULL;
  g_autoptr (CleaveResult) reread = NULL;
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  REQUIRE_NO_ERROR (error);
  reread = cleave_result_load (path, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (cleave_candidate_equal (reread->candidate, result->candidate));
  EXPECT_STRING (reread->choice_names[0], "c");
  EXPECT_STRING (reread->choice_names[1], "d");
  EXPECT_NEAR (reread->latency.tail_ms, 1.0 / 3, 0);
  EXPECT_INT (g_array_index (reread->accuracies, CleaveAccuracy, 1).n_correct, 21);
  again = cleave_result_to_json (reread);
  EXPECT_STRING (again, text);
}

/* Numbers that an evaluation or a share of the images could do nothing with. */
TEST (Result, impossible_numbers_are_named)
{
  static const struct
  {
    const char *right, *wrong, *part;
  } cases[] = {
    { "\"drop_rate\" : 0.2", "\"drop_rate\" : 1", "\"drop_rate\" is missing or wrong, expected a number below 1" },
    { "\"channel_drop_rate\" : 0.2", "\"channel_drop_rate\" : 1.5", "\"channel_drop_rate\"" },
    { "\"test_images\" : 40", "\"test_images\" : 0", "\"test_images\"" },
  };
  g_autoptr (CleaveResult) result = make_result ();
  g_autofree char *path = g_build_filename (test_temporary_folder (), "result.json", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autofree char *json = cleave_result_to_json (result);
      g_autoptr (GError) error = NULL;

      g_string_assign (text, json);
      EXPECT_INT (g_string_replace (text, cases[i].right, cases[i].wrong, 0), 1);
      g_file_set_contents (path, text->str, -1, NULL);
      EXPECT_TRUE (cleave_result_load (path, &error) == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_DATA, cases[i].part);
    }
}

TEST (Result, damage_is_named)
{
  static const struct
  {
    const char *text;
    const char *part;
  } cases[] = {
    { "", "expected a JSON object" },
    { "[1]", "expected a JSON object" },
    { "{\"seed\": 1", "JSON" },
    { "{\"seed\": -1}", "\"seed\"" },
    { "{\"seed\": 1, \"architecture\": 3}", "\"architecture\"" },
    { "{\"seed\": 1, \"architecture\": [1, -2], \"split\": 0}", "\"architecture\"" },
    { "{\"seed\": 1, \"architecture\": [1], \"split\": 0, \"architecture_choices\": [\"a\", \"b\"]}",
      "\"architecture_variables\"" },
  };
  g_autofree char *path = g_build_filename (test_temporary_folder (), "result.json", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (CleaveResult) result = NULL;

      g_file_set_contents (path, cases[i].text, -1, NULL);
      result = cleave_result_load (path, &error);
      EXPECT_TRUE (result == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_DATA, cases[i].part);
    }
}
