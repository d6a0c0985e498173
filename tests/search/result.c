/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "result.h"

#include "cleave-host.h"
#include "test.h"

#include <string.h>

static CleaveResult *
make_result (void)
{
  const guint choices[] = { 2, 0, 1 };
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, G_N_ELEMENTS (choices));
  g_autoptr (GVariant) variables = g_variant_ref_sink (
      g_variant_new_parsed ("[('block-1', ['a', 'b', 'c']), ('block-2', ['d', 'e']), ('split', ['0', '1'])]"));
  const CleaveLatency latency = { 0.1, 2.048, 1.0 / 3, 0.1 + 2.048 + 1.0 / 3, 512, 16384 };
  const CleaveCut cut = { 1, TRUE };
  const CleaveAccuracy accuracy[] = { { 0, 30 }, { 0.2, 21 } };
  GArray *accuracies = g_array_new (FALSE, FALSE, sizeof (CleaveAccuracy));

  g_array_append_vals (accuracies, accuracy, G_N_ELEMENTS (accuracy));
  return cleave_result_new (7, candidate, variables, 30, &latency, cut, 0.2, 40, accuracies);
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
  EXPECT_INT (reread->cut.head_blocks, 1);
  EXPECT_INT (reread->cut.inside_block, TRUE);
  EXPECT_INT (g_array_index (reread->accuracies, CleaveAccuracy, 1).n_correct, 21);
  again = cleave_result_to_json (reread);
  EXPECT_STRING (again, text);
}

TEST (Result, an_unknown_cut_reads_back)
{
  g_autoptr (CleaveResult) result = make_result ();
  g_autofree char *path = g_build_filename (test_temporary_folder (), "result.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (CleaveResult) reread = NULL;
  g_autoptr (GError) error = NULL;

  result->cut = (CleaveCut){ -1, FALSE };
  text = cleave_result_to_json (result);
  EXPECT_TRUE (strstr (text, "\"head_blocks\" : null,\n  \"cut_inside_block\" : null,") != NULL);
  g_file_set_contents (path, text, -1, &error);
  REQUIRE_NO_ERROR (error);
  reread = cleave_result_load (path, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_INT (reread->cut.head_blocks, -1);
  EXPECT_INT (reread->cut.inside_block, FALSE);
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
    { "\"head_blocks\" : 1", "\"head_blocks\" : -1", "\"head_blocks\"" },
    { "\"head_blocks\" : 1", "\"head_blocks\" : 3",
      "\"head_blocks\" is missing or wrong, expected at most the number" },
    { "\"head_blocks\" : 1", "\"head_blocks\" : 2", "\"cut_inside_block\" is missing or wrong, expected false where" },
    { "\"head_blocks\" : 1", "\"head_blocks\" : null", "\"cut_inside_block\" is missing or wrong, expected null" },
    { "\"head_blocks\"", "\"blocks\"", "\"head_blocks\" is missing or wrong, expected a whole number" },
    { "\"cut_inside_block\" : true", "\"cut_inside_block\" : 1", "\"cut_inside_block\"" },
    { "\"cut_inside_block\"", "\"inside\"", "\"cut_inside_block\" is missing or wrong, expected true or false" },
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

/* --- the cut --- */

static void
expect_cut (CleaveCut cut, int head_blocks, gboolean inside_block, const char *where)
{
  test_check (cut.head_blocks == head_blocks && cut.inside_block == inside_block, __FILE__, __LINE__,
              "%s: %d blocks and inside %d, expected %d and %d", where, cut.head_blocks, cut.inside_block, head_blocks,
              inside_block);
}

/* Ops: a fixed block of two, the chosen x, y and z of two each, a fixed one of two. */
static CleaveNetwork *
make_network (guint cut_op, const char *const *choices)
{
  static const char *const names[] = { "stem", "a", "b", "c", "end" };
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (3, 4, 4);
  g_autoptr (GError) error = NULL;
  CleaveNetwork *network;

  for (guint i = 0; i < 10; i++)
    {
      if (i % 2 == 0)
        cleave_network_builder_block (builder, names[i / 2], choices[i / 2]);
      cleave_network_builder_relu (builder);
      if (i + 1 == cut_op)
        cleave_network_builder_cut (builder);
    }
  network = cleave_network_builder_build (builder, &error);
  EXPECT_NO_ERROR (error);
  return network;
}

static CleaveCut
find_cut (guint cut_op, const char *const *choices)
{
  const guint numbers[] = { 0, 1, 1, 0 };
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (numbers, G_N_ELEMENTS (numbers));
  g_autoptr (GVariant) variables = g_variant_ref_sink (
      g_variant_new_parsed ("[('a', ['x', 'y']), ('b', ['x', 'y']), ('c', ['x', 'z']), ('split', ['only'])]"));
  g_autoptr (CleaveNetwork) network = make_network (cut_op, choices);

  return cleave_cut_find (network, candidate, variables);
}

TEST (Cut, counts_chosen_blocks)
{
  static const char *const choices[] = { NULL, "x", "y", "z", NULL };
  static const CleaveCut by_op[] = { { 3, FALSE }, { 0, FALSE }, { 0, FALSE }, { 0, TRUE },  { 1, FALSE },
                                     { 1, TRUE },  { 2, FALSE }, { 2, TRUE },  { 3, FALSE }, { 3, FALSE } };

  /* 0: none, so all of it is in the head. */
  for (guint op = 0; op < G_N_ELEMENTS (by_op); op++)
    {
      g_autofree char *where = g_strdup_printf ("op %u", op);

      expect_cut (find_cut (op, choices), by_op[op].head_blocks, by_op[op].inside_block, where);
    }
}

/* A fixed block between two chosen ones. */
TEST (Cut, inside_a_fixed_block_is_between_chosen_ones)
{
  static const char *const choices[] = { "x", NULL, "y", NULL, "z" };

  expect_cut (find_cut (3, choices), 1, FALSE, "in the fixed one");
  expect_cut (find_cut (5, choices), 1, TRUE, "after it");
}

TEST (Cut, is_unknown_where_blocks_are_not_the_variables)
{
  static const char *const choices[][5] = {
    { "x", "y", "z", "z", NULL },                                    /* one more */
    { NULL, "x", NULL, "z", NULL },                                  /* one left out */
    { NULL, "x", "y", NULL, NULL },   { NULL, "x", "z", "y", NULL }, /* another order */
    { NULL, NULL, NULL, NULL, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (choices); i++)
    expect_cut (find_cut (4, choices[i]), -1, FALSE, "4");
}

/* Every choice at every split, all other blocks the space's last choice. Those that compress are named c… and cut
 * inside, the others after the block (the paper, section III and Fig. 1b). */
static void
check_space (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autoptr (GObject) space = host != NULL ? cleave_host_create (host, CLEAVE_KIND_SPACE, name, &error) : NULL;
  g_autoptr (GVariant) variables = space != NULL ? cleave_space_variables (CLEAVE_SPACE (space), &error) : NULL;
  g_autofree const char **categories = NULL;
  guint n_categories;

  REQUIRE_NO_ERROR (error);
  REQUIRE (EXPECT_INT (g_variant_n_children (variables), 23));
  g_variant_get_child (variables, 0, "(&s^a&s)", NULL, &categories);
  n_categories = g_strv_length ((GStrv)categories);
  for (guint split = 0; split <= 22; split++)
    for (guint choice = 0; choice < n_categories; choice++)
      {
        const gboolean inside = split > 0 && categories[choice][0] == 'c';
        g_autofree char *where = g_strdup_printf ("%s, split %u, %s", name, split, categories[choice]);
        g_autoptr (CleaveCandidate) candidate = NULL;
        g_autoptr (CleaveNetwork) network = NULL;
        guint choices[23];

        for (guint i = 0; i < 22; i++)
          choices[i] = i + 1 == split ? choice : n_categories - 1;
        choices[22] = split;
        candidate = cleave_candidate_new (choices, G_N_ELEMENTS (choices));
        network = cleave_space_build (CLEAVE_SPACE (space), candidate, &error);
        REQUIRE_NO_ERROR (error);
        expect_cut (cleave_cut_find (network, candidate, variables), (int)split - inside, inside, where);
      }
}

TEST (Cut, of_every_block_of_fbnet) { check_space ("fbnet"); }

TEST (Cut, of_every_block_of_extended) { check_space ("extended"); }
