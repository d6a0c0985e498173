/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A whole run with random: what it draws, scores and answers. An op on the device takes 1 ms, one on the server none,
 * and the payload of 8·8·8 elements 2.048 ms: the stem's three ops and up to three skipped blocks of one op come to
 * 5 to 8 ms, any other block has seven ops at least. */

#include "run.h"
#include "tiny.h"

#include <math.h>

#define LIMIT_MS 9.0
#define N_EPOCHS 6 /* of one step */

static CleaveRun *
make_run (const char *out, const char *threshold)
{
  const char *const settings[] = { "device.plugin=recording-oracle",
                                   "device.op-time=1 ms",
                                   "server.plugin=recording-oracle",
                                   "server.op-time=0 ms",
                                   "optimizer.plugin=random",
                                   "optimizer.samples=1",
                                   "optimizer.draws=6",
                                   "dataset.train-images=16",
                                   "pretrain.epochs=0",
                                   "search.epochs=6",
                                   "retrain.epochs=0",
                                   threshold,
                                   NULL };
  g_autoptr (GError) error = NULL;
  CleaveRun *run = tiny_make_run (out, settings, &error);

  EXPECT_NO_ERROR (error);
  return run;
}

/* The trials of trials.csv: those that were drawn have no loss, and their objective is the penalty. */
typedef struct
{
  guint n_drawn;
  guint n_above;
  guint n_scored;
} Tally;

static Tally
tally_trials (const char *out, double limit_ms)
{
  g_autofree char *text = tiny_read (out, "trials.csv");
  g_auto (GStrv) rows = g_strsplit (text, "\n", 0);
  Tally tally = { 0 };

  for (gsize i = 1; rows[0] != NULL && rows[i] != NULL && *rows[i] != '\0'; i++)
    {
      /* epoch, step, placement, fidelity, loss, latency_ms, objective */
      g_auto (GStrv) cells = g_strsplit (rows[i], ",", 0);
      if (!EXPECT_TRUE (g_strv_length (cells) == 7))
        return tally;
      double loss = g_ascii_strtod (cells[4], NULL), latency_ms = g_ascii_strtod (cells[5], NULL);
      double objective = g_ascii_strtod (cells[6], NULL);
      gboolean drawn = *cells[4] == '\0';

      EXPECT_NEAR (objective, drawn ? fmax (0, latency_ms - limit_ms) : loss, 1e-6);
      EXPECT_TRUE (drawn || latency_ms <= limit_ms);
      tally.n_drawn += drawn;
      tally.n_above += latency_ms > limit_ms;
      tally.n_scored += !drawn;
    }
  return tally;
}

TEST (RandomSearchRun, ScoresNothingAboveTheLimit)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRun) run = make_run (out, "objective.latency-threshold=9 ms");
  const CleaveObserver silent = { 0 };
  REQUIRE (run != NULL);

  g_autoptr (CleaveResult) result = cleave_run_execute (run, &silent, &error);
  REQUIRE_NO_ERROR (error);
  Tally tally = tally_trials (out, LIMIT_MS);
  EXPECT_TRUE (tally.n_above > 0);
  EXPECT_TRUE (tally.n_drawn > tally.n_above);
  EXPECT_INT (tally.n_scored, N_EPOCHS - 1);
  EXPECT_TRUE (result->latency.total_ms <= LIMIT_MS);
}

/* Nothing takes less than 3 ms and 2.048 ms. */
TEST (RandomSearchRun, AnswersWithTheFastestSeenWhereNoneMeetsTheLimit)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRun) run = make_run (out, "objective.latency-threshold=5 ms");
  const CleaveObserver silent = { 0 };
  REQUIRE (run != NULL);

  g_autoptr (CleaveResult) result = cleave_run_execute (run, &silent, &error);
  REQUIRE_NO_ERROR (error);
  Tally tally = tally_trials (out, 5);
  EXPECT_INT (tally.n_drawn, 6 * N_EPOCHS);
  EXPECT_INT (tally.n_scored, 0);
  EXPECT_RELATIVE (result->latency.total_ms, 5.048, 1e-12);
}

typedef struct
{
  guint n_steps;
  guint stop_after;
} Stop;

static void
count_steps (const CleaveProgress *progress, gpointer data)
{
  if (progress->stage == CLEAVE_STAGE_SEARCH && progress->kind == CLEAVE_PROGRESS_STEP)
    ((Stop *)data)->n_steps++;
}

static gboolean
should_stop (gpointer data)
{
  return ((Stop *)data)->n_steps >= ((Stop *)data)->stop_after;
}

/* Between any two steps. */
TEST (RandomSearchRun, StoppedAndResumedGivesTheSameBytes)
{
  static const char *const files[] = { "result.json", "metrics.csv", "trials.csv", "model.npz" };
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = g_build_filename (folder, "reference", NULL);
  const CleaveObserver silent = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = tiny_make_host (&error);
  g_autoptr (CleaveRun) whole = make_run (reference, "objective.latency-threshold=9 ms");
  REQUIRE (host != NULL && whole != NULL);

  g_autoptr (CleaveResult) expected = cleave_run_execute (whole, &silent, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (expected != NULL);
  for (guint stop_after = 1; stop_after < N_EPOCHS; stop_after++)
    {
      g_autofree char *name = g_strdup_printf ("stopped-%u", stop_after);
      g_autofree char *out = g_build_filename (folder, name, NULL);
      Stop stop = { 0, stop_after };
      const CleaveObserver stopping = { count_steps, should_stop, &stop };
      CleaveRun *first = make_run (out, "objective.latency-threshold=9 ms");
      REQUIRE (first != NULL);

      EXPECT_TRUE (cleave_run_execute (first, &stopping, &error) == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_CANCELLED, "");
      cleave_run_free (first);
      g_autoptr (CleaveRun) second = cleave_run_resume (host, out, NULL, 1, &error);
      REQUIRE_NO_ERROR (error);
      g_autoptr (CleaveResult) result = cleave_run_execute (second, &silent, &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_TRUE (result != NULL);
      for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
        EXPECT_TRUE (tiny_same_file (out, reference, files[i]));
    }
}
