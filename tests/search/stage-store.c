/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs that share the ends of their stages find what they would have found alone. */

#include "tiny.h"

#include "run.h"

#include <string.h>

static char *
name_after (const char *assignment, CleaveStage stage)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = tiny_make_host (&error);
  g_autoptr (CleaveConfig) config = tiny_load_config ();
  g_autoptr (CleaveSettings) settings = NULL;
  g_autoptr (CleaveComponents) components = NULL;
  g_autofree char *text = NULL;

  if (assignment != NULL)
    EXPECT_TRUE (cleave_config_set (config, assignment, &error));
  settings = cleave_settings_new (config, &error);
  components = settings != NULL ? cleave_components_new (host, config, &error) : NULL;
  EXPECT_NO_ERROR (error);
  if (components == NULL)
    return g_strdup ("");
  text = cleave_run_resolve_config (components, settings, config);
  return cleave_stage_store_name (text, stage);
}

/* Algorithm 1: what pre-training and the search read. */
TEST (StageStore, names_tell_what_counts_in_a_stage)
{
  static const struct
  {
    const char *assignment;
    gboolean counts_in_pretraining;
    gboolean counts_in_search;
  } cases[] = {
    { "run.seed=2", TRUE, TRUE },
    { "dataset.noise=0.5", TRUE, TRUE },
    { "training.batch-size=16", TRUE, TRUE },
    { "pretrain.drop-rate=0", TRUE, TRUE },
    { "device.speed=1 GFLOPS", FALSE, TRUE },
    { "server.speed=1 GFLOPS", FALSE, TRUE },
    { "channel.throughput=1 Mbit/s", FALSE, TRUE },
    { "objective.latency-threshold=2 ms", FALSE, TRUE },
    { "optimizer.plugin=hwnas", FALSE, TRUE },
    { "search.epochs=1", FALSE, TRUE },
    { "retrain.drop-rate=0", FALSE, FALSE },
    { "evaluate.drop-rates=0.3", FALSE, FALSE },
  };
  g_autofree char *pretraining = name_after (NULL, CLEAVE_STAGE_PRETRAIN);
  g_autofree char *search = name_after (NULL, CLEAVE_STAGE_SEARCH);

  EXPECT_TRUE (g_str_has_prefix (pretraining, "pretrain-") && g_str_has_prefix (search, "search-"));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *other_pretraining = name_after (cases[i].assignment, CLEAVE_STAGE_PRETRAIN);
      g_autofree char *other_search = name_after (cases[i].assignment, CLEAVE_STAGE_SEARCH);

      test_check (!g_str_equal (other_pretraining, pretraining) == cases[i].counts_in_pretraining
                      && !g_str_equal (other_search, search) == cases[i].counts_in_search,
                  __FILE__, __LINE__, "%s: %s and %s", cases[i].assignment, other_pretraining, other_search);
    }
}

/* A parameter of a component of the optimizer counts as one of the optimizer. */
TEST (StageStore, names_tell_nested_components_apart)
{
  static const char nested[] = "[run]\nseed = 1\n[optimizer]\nplugin = a\n[optimizer.search]\nalpha = %d\n";
  g_autofree char *first = g_strdup_printf (nested, 1);
  g_autofree char *second = g_strdup_printf (nested, 2);
  g_autofree char *first_name = cleave_stage_store_name (first, CLEAVE_STAGE_SEARCH);
  g_autofree char *second_name = cleave_stage_store_name (second, CLEAVE_STAGE_SEARCH);

  EXPECT_TRUE (!g_str_equal (first_name, second_name));
}

/* Runs the tiny search alone and with the shared folder; all that a run is for must be the same. */
static void
expect_same_as_alone (const char *folder, const char *const *settings, const char *expected_progress)
{
  g_autofree char *stages = g_build_filename (folder, "stages", NULL);
  g_autofree char *alone = g_build_filename (folder, settings[1], "alone", NULL);
  g_autofree char *shared = g_build_filename (folder, settings[1], "shared", NULL);
  g_autofree char *err = NULL;
  g_autoptr (GPtrArray) more = g_ptr_array_new ();
  static const char *const names[]
      = { "config.ini", "metrics.csv", "trials.csv", "checkpoint.npz", "model.npz", "result.json" };

  EXPECT_INT (tiny_search (alone, settings, NULL), 0);
  for (guint i = 0; settings[i] != NULL; i++)
    g_ptr_array_add (more, (gpointer)settings[i]);
  g_ptr_array_add (more, (gpointer) "--stages");
  g_ptr_array_add (more, stages);
  g_ptr_array_add (more, NULL);
  EXPECT_INT (tiny_search (shared, (const char *const *)more->pdata, &err), 0);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    test_check (tiny_same_file (alone, shared, names[i]), __FILE__, __LINE__, "%s: %s differs", settings[1], names[i]);
  test_check (strstr (err, expected_progress) != NULL, __FILE__, __LINE__, "%s: \"%s\" is not in \"%s\"", settings[1],
              expected_progress, err);
}

TEST (StageStore, what_is_taken_changes_nothing)
{
  const char *folder = test_temporary_folder ();
  const char *first[] = { "--set", "optimizer.alpha=1.5", NULL };
  const char *other_search[] = { "--set", "optimizer.plugin=hwnas", NULL };
  const char *other_retraining[] = { "--set", "retrain.drop-rate=0", NULL };
  const char *other_seed[] = { "--set", "run.seed=5", NULL };

  expect_same_as_alone (folder, first, "pretrain done");
  expect_same_as_alone (folder, other_search, "pretrain taken from another run\nsearch epoch");
  expect_same_as_alone (folder, other_retraining,
                        "pretrain taken from another run\nsearch taken from another run\nretrain epoch");
  expect_same_as_alone (folder, other_seed, "pretrain done");
}

TEST (StageStore, a_file_of_another_stage_is_refused)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *stages = g_build_filename (folder, "stages", NULL);
  g_autofree char *first = g_build_filename (folder, "first", NULL);
  g_autofree char *second = g_build_filename (folder, "second", NULL);
  g_autofree char *pretraining_name = name_after (NULL, CLEAVE_STAGE_PRETRAIN);
  g_autofree char *search_name = name_after (NULL, CLEAVE_STAGE_SEARCH);
  g_autofree char *search_text = NULL;
  g_autofree char *path = g_build_filename (stages, pretraining_name, NULL);
  g_autofree char *err = NULL;
  const char *more[] = { "--stages", stages, NULL };
  gsize size;

  EXPECT_INT (tiny_search (first, more, NULL), 0);
  {
    g_autofree char *search_path = g_build_filename (stages, search_name, NULL);
    REQUIRE (g_file_get_contents (search_path, &search_text, &size, NULL));
  }
  REQUIRE (g_file_set_contents (path, search_text, size, NULL));
  EXPECT_INT (tiny_search (second, more, &err), 1);
  EXPECT_TRUE (strstr (err, "it stands at retrain after 0 epochs and 0 steps, expected the end of pretrain") != NULL);
}

TEST (StageStore, damage_is_named)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *name = name_after (NULL, CLEAVE_STAGE_PRETRAIN);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *err = NULL;
  const char *more[] = { "--stages", folder, NULL };

  REQUIRE (g_file_set_contents (path, "PK", 2, NULL));
  EXPECT_INT (tiny_search (out, more, &err), 1);
  EXPECT_TRUE (strstr (err, name) != NULL);
}
