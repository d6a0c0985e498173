/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-memory.h"

#include "run-private.h"
#include "tiny.h"

#include <string.h>

/* A run of the tiny config with these settings. */
static CleaveRun *
make_run (const char *const *settings, GError **error)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);

  return tiny_make_run (out, settings, error);
}

static CleaveNetwork *
build (CleaveRun *run, const guint *choices, GError **error)
{
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, g_variant_n_children (run->variables));

  return cleave_space_build (CLEAVE_SPACE (run->components->space), candidate, error);
}

/* Against all 3³ architectures of the tiny space at all 4 split points. */
TEST (RunMemory, is_what_the_largest_candidate_takes)
{
  static const char *const settings[] = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRun) run = make_run (settings, &error);
  REQUIRE_NO_ERROR (error);
  CleaveMemory memory;
  gsize largest = 0, n_numbers = 0;

  EXPECT_TRUE (cleave_memory_estimate (run, &memory, &error));
  REQUIRE_NO_ERROR (error);
  for (guint i = 0; i < 27 * 4; i++)
    {
      const guint choices[] = { i % 3, i / 3 % 3, i / 9 % 3, i / 27 };
      g_autoptr (CleaveNetwork) network = build (run, choices, &error);
      REQUIRE_NO_ERROR (error);

      largest = MAX (largest, nn_plan_measure (run->engine, network, 8, NN_PLAN_BACKWARD, &error));
      EXPECT_TRUE (nn_supernet_add_network (run->supernet, network, &error));
      REQUIRE_NO_ERROR (error);
    }
  EXPECT_INT (memory.plan, largest);

  for (guint i = 0; i < nn_supernet_get_n_arrays (run->supernet); i++)
    n_numbers += nn_supernet_get_array (run->supernet, i)->size;
  EXPECT_INT (memory.weights, 3 * 4 * n_numbers);
  /* 64 images of 3×16×16 bytes with a label of two bytes. */
  EXPECT_INT (memory.images, 64 * (3 * 16 * 16 + 2));
  /* Batches of 8: three of the images in floats; payloads, all of 8×8×8, at three drop rates and in dropout. */
  EXPECT_TRUE (memory.other >= 8 * (3 * 3 * 16 * 16 * 4 + 4 * 512));
}

/* Candidates drawn at random and the two of the largest expansion need no more. */
TEST (RunMemory, bounds_the_plans_of_fbnet)
{
  static const char *const settings[] = { "space.plugin=fbnet", "dataset.size=32", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRun) run = make_run (settings, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  CleaveMemory memory;

  EXPECT_TRUE (cleave_memory_estimate (run, &memory, &error));
  REQUIRE_NO_ERROR (error);
  for (guint i = 0; i < 5; i++)
    {
      guint choices[23];

      for (guint k = 0; k < 23; k++)
        choices[k] = i == 0 ? 3 : i == 1 ? 7 : cleave_random_below (random, 9);
      g_autoptr (CleaveNetwork) network = build (run, choices, &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_TRUE (nn_plan_measure (run->engine, network, 8, NN_PLAN_BACKWARD, &error) <= memory.plan);
      REQUIRE_NO_ERROR (error);
    }
}

TEST (RunMemory, is_told_in_a_fitting_unit_and_rounded_up)
{
  const CleaveMemory large = { 900000001, 140000000, 150000000, 40000000, 200000000 };
  const CleaveMemory small = { 2000000, 1500000, 50000, 0, 0 };
  g_autofree char *large_text = cleave_memory_to_string (&large);
  g_autofree char *small_text = cleave_memory_to_string (&small);

  EXPECT_STRING (large_text, "memory: at most 1.24 GB: plan 0.91, weights 0.14, images 0.15, other 0.04");
  EXPECT_STRING (small_text, "memory: at most 4 MB: plan 2, weights 2, images 1, other 0");
}

/* 4 GB in all, of which the process holds 1: 3 must be available. */
TEST (RunMemory, warns_where_there_is_too_little)
{
  const CleaveMemory memory = { 2000000000, 1000000000, 500000000, 500000000, 1000000000 };
  g_autofree char *enough = cleave_memory_warning (&memory, 3000000000);
  g_autofree char *warning = cleave_memory_warning (&memory, 2990000000);

  EXPECT_TRUE (enough == NULL);
  EXPECT_STRING (warning, "the run may take 3.00 GB more, but only 2.99 GB are available; a smaller [training] "
                          "batch-size needs less");
}

TEST (RunMemory, reads_a_line_of_proc)
{
  g_autofree char *path = g_build_filename (test_temporary_folder (), "meminfo", NULL);

  g_file_set_contents (path, "MemAvailableSoon: 3 kB\nMemFree:\t 7 kB\nMemAvailable:   23656000 kB\n", -1, NULL);
  EXPECT_INT (cleave_memory_read (path, "MemAvailable"), G_GINT64_CONSTANT (23656000) * 1024);
  EXPECT_INT (cleave_memory_read (path, "MemFree"), 7 * 1024);
  EXPECT_INT (cleave_memory_read (path, "SwapFree"), 0);
  EXPECT_INT (cleave_memory_read ("/nonexistent", "MemFree"), 0);
}
