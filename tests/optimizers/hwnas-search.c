/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a whole run with hwnas asks of oracles and channel. Its search is the probe: each step the same four trials, of
 * which two differ once all are on the device, on 8 images each. */

#include "run-private.h"
#include "run.h"
#include "tiny.h"

#include <string.h>

#define N_SEARCH_STEPS 2
#define N_SPLITS 4
#define N_STEPS (N_SEARCH_STEPS + N_SPLITS)

/* What the steps of the search did. */
typedef struct
{
  CleaveRun *run;
  guint n_steps;
  char *device[N_STEPS];
  char *server[N_STEPS];
  guint transfers[N_STEPS];
  guint draws[N_STEPS];
  guint64 n_images[N_STEPS];
  guint stop_after; /* so many steps of the search; 0 = never */
} Recording;

static void
recording_clear (Recording *recording)
{
  for (guint i = 0; i < G_N_ELEMENTS (recording->device); i++)
    {
      g_free (recording->device[i]);
      g_free (recording->server[i]);
    }
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Recording, recording_clear)

static void
forget (CleaveRun *run)
{
  g_object_set (run->components->device, "log", "", NULL);
  g_object_set (run->components->server, "log", "", NULL);
  g_object_set (run->components->channel, "transfers", 0, "draws", 0, NULL);
}

static void
record (const CleaveProgress *progress, gpointer data)
{
  Recording *recording = data;
  CleaveComponents *components = recording->run->components;
  guint i = recording->n_steps;

  if (progress->stage != CLEAVE_STAGE_SEARCH || progress->kind != CLEAVE_PROGRESS_STEP)
    return;
  recording->n_steps++;
  if (i >= G_N_ELEMENTS (recording->device))
    return;
  g_object_get (components->device, "log", &recording->device[i], NULL);
  g_object_get (components->server, "log", &recording->server[i], NULL);
  g_object_get (components->channel, "transfers", &recording->transfers[i], "draws", &recording->draws[i], NULL);
  recording->n_images[i] = progress->n_images;
  forget (recording->run);
}

static gboolean
should_stop (gpointer data)
{
  Recording *recording = data;

  return recording->stop_after > 0 && recording->n_steps >= recording->stop_after;
}

/* An op takes a second where it is slow and a microsecond elsewhere, so that latency decides. */
typedef enum
{
  SLOW_DEVICE,
  SLOW_SERVER,
} Slow;

/* A step an epoch. */
static CleaveRun *
make_run (const char *out, Slow slow)
{
  const char *const settings[] = { "device.plugin=recording-oracle",
                                   slow == SLOW_DEVICE ? "device.op-time=1000 ms" : "device.op-time=0.001 ms",
                                   "server.plugin=recording-oracle",
                                   slow == SLOW_SERVER ? "server.op-time=1000 ms" : "server.op-time=0.001 ms",
                                   "channel.plugin=counting-link",
                                   "optimizer.plugin=hwnas",
                                   "optimizer.search=probe",
                                   "optimizer.search.closing-rounds=0",
                                   "dataset.train-images=16",
                                   "pretrain.epochs=0",
                                   "search.epochs=2",
                                   "retrain.epochs=0",
                                   NULL };
  g_autoptr (GError) error = NULL;
  CleaveRun *run = tiny_make_run (out, settings, &error);

  EXPECT_NO_ERROR (error);
  return run;
}

/* The ops of the probe's first candidate, all of whose blocks are convolutions, as all of its second's are; CUTS gets
 * where each split cuts them. */
static guint
find_cuts (CleaveRun *run, guint cuts[N_SPLITS])
{
  guint n_ops = 0;

  for (guint split = 0; split < N_SPLITS; split++)
    {
      const guint choices[] = { 0, 0, 1, split };
      g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, G_N_ELEMENTS (choices));
      g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (run->components->space), candidate, NULL);

      cuts[split] = network != NULL ? cleave_network_get_cut (network) : 0;
      n_ops = network != NULL ? cleave_network_get_n_ops (network) : 0;
    }
  return n_ops;
}

/* Before the splits: T of the whole network on the device for both trials, nothing on the server, no transfer,
 * nothing lost. Then the run looks at the present answer, cut after the last block. */
static void
check_search_step (const Recording *recording, guint step, guint n_ops, guint last_cut)
{
  g_autofree char *device = g_strdup_printf ("0-%u/%u 0-%u/%u 0-%u/%u ", n_ops, n_ops, n_ops, n_ops, last_cut, n_ops);
  g_autofree char *server = g_strdup_printf ("%u-%u/%u ", last_cut, n_ops, n_ops);

  EXPECT_STRING (recording->device[step], device);
  EXPECT_STRING (recording->server[step], server);
  EXPECT_INT (recording->transfers[step], 1);
  EXPECT_INT (recording->draws[step], 0);
  EXPECT_INT (recording->n_images[step], 2 * 8);
}

/* One split: where it is scored, with losses of 8 images at the two of three drop rates that lose something, else on no
 * image. Then the run looks at the present answer. */
static void
check_split_step (const Recording *recording, guint step, guint n_ops, guint cut, guint answer_cut, gboolean scored)
{
  g_autofree char *device = g_strdup_printf ("0-%u/%u 0-%u/%u ", cut, n_ops, answer_cut, n_ops);
  g_autofree char *server = g_strdup_printf ("%u-%u/%u %u-%u/%u ", cut, n_ops, n_ops, answer_cut, n_ops, n_ops);

  EXPECT_STRING (recording->device[step], device);
  EXPECT_STRING (recording->server[step], server);
  EXPECT_INT (recording->transfers[step], 2);
  EXPECT_INT (recording->draws[step], scored ? 2 * 8 : 0);
  EXPECT_INT (recording->n_images[step], scored ? 8 : 0);
}

/* Of a split that was not scored, metrics.csv has neither loss nor objective, and trials.csv no loss. */
static void
check_metrics (const char *out, guint n_scored)
{
  g_autofree char *metrics = tiny_read (out, "metrics.csv");
  g_autofree char *trials = tiny_read (out, "trials.csv");

  for (guint i = 0; i < N_SPLITS; i++)
    {
      guint epoch = N_SEARCH_STEPS + i + 1;
      g_autofree char *row = g_strdup_printf ("\nsearch,%u,%u,", epoch, epoch);
      g_autofree char *unmeasured = g_strdup_printf ("%s,,,,", row);
      g_autofree char *trial = g_strdup_printf ("\n%u,%u,split,full,", epoch, epoch);
      g_autofree char *unmeasured_trial = g_strdup_printf ("%s,", trial);

      EXPECT_TRUE (strstr (metrics, row) != NULL);
      EXPECT_TRUE ((strstr (metrics, unmeasured) == NULL) == (i < n_scored));
      EXPECT_TRUE (strstr (trials, trial) != NULL);
      EXPECT_TRUE ((strstr (trials, unmeasured_trial) == NULL) == (i < n_scored));
    }
}

/* Splits are tried from the last to the first. With a slow device each is better than those before, and the first is
 * best; with a slow server the last is, and no other can win. */
static void
check_run (Slow slow)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRun) run = make_run (out, slow);
  g_auto (Recording) recording = { .run = run };
  const CleaveObserver observer = { record, NULL, &recording };
  g_autoptr (CleaveResult) result = NULL;
  guint cuts[N_SPLITS];
  guint n_ops;
  REQUIRE (run != NULL);

  n_ops = find_cuts (run, cuts);
  REQUIRE (n_ops > cuts[3] && cuts[3] > cuts[2] && cuts[2] > cuts[1] && cuts[1] > cuts[0]);
  forget (run);
  result = cleave_run_execute (run, &observer, &error);
  REQUIRE_NO_ERROR (error);
  REQUIRE (recording.n_steps == N_STEPS);
  for (guint step = 0; step < N_SEARCH_STEPS; step++)
    check_search_step (&recording, step, n_ops, cuts[N_SPLITS - 1]);
  for (guint i = 0; i < N_SPLITS; i++)
    {
      guint cut = cuts[N_SPLITS - 1 - i];
      guint answer_cut = slow == SLOW_DEVICE ? cut : cuts[N_SPLITS - 1];

      check_split_step (&recording, N_SEARCH_STEPS + i, n_ops, cut, answer_cut, slow == SLOW_DEVICE || i == 0);
    }
  EXPECT_INT (cleave_candidate_get_split (result->candidate), slow == SLOW_DEVICE ? 0 : N_SPLITS - 1);
  check_metrics (out, slow == SLOW_DEVICE ? N_SPLITS : 1);
}

TEST (HwnasSearch, AsksForTheWholeOnTheDeviceThenForAllSplits) { check_run (SLOW_DEVICE); }

TEST (HwnasSearch, ScoresNoSplitThatCannotWin) { check_run (SLOW_SERVER); }

TEST (HwnasSearch, ItsSearchHasASectionOfItsOwn)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);
  g_autoptr (CleaveRun) run = make_run (out, SLOW_DEVICE);
  g_autofree char *config = NULL;
  REQUIRE (run != NULL);

  config = tiny_read (out, "config.ini");
  EXPECT_TRUE (strstr (config, "[optimizer]\nplugin = hwnas\nsearch = probe\n"
                               "[optimizer.search]\nsplit = 1\nclosing-rounds = 0\ncutoff = 0\n[run]\n")
               != NULL);
}

static void
check_resuming (Slow slow, guint stop_after)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = g_build_filename (folder, "reference", NULL);
  g_autofree char *out = g_build_filename (folder, "stopped", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = tiny_make_host (&error);
  g_autoptr (CleaveRun) whole = make_run (reference, slow);
  g_autoptr (CleaveRun) first = make_run (out, slow);
  g_auto (Recording) recording = { .run = first, .stop_after = stop_after };
  const CleaveObserver stopping = { record, should_stop, &recording };
  const CleaveObserver silent = { 0 };
  REQUIRE (whole != NULL && first != NULL);

  g_autoptr (CleaveResult) expected = cleave_run_execute (whole, &silent, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (expected != NULL);
  EXPECT_TRUE (cleave_run_execute (first, &stopping, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CANCELLED, "");
  g_clear_pointer (&first, cleave_run_free);
  g_autoptr (CleaveRun) second = cleave_run_resume (host, out, NULL, 1, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveResult) result = cleave_run_execute (second, &silent, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (result != NULL);
  EXPECT_TRUE (tiny_same_file (out, reference, "result.json"));
  EXPECT_TRUE (tiny_same_file (out, reference, "metrics.csv"));
  EXPECT_TRUE (tiny_same_file (out, reference, "trials.csv"));
  EXPECT_TRUE (tiny_same_file (out, reference, "model.npz"));
}

/* Between any two steps, those of the splits included. */
TEST (HwnasSearch, StoppedAndResumedGivesTheSameBytes)
{
  for (guint stop_after = 1; stop_after <= N_STEPS; stop_after++)
    {
      check_resuming (SLOW_DEVICE, stop_after);
      check_resuming (SLOW_SERVER, stop_after);
    }
}
