/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run.h"

#include "run-private.h"
#include "tiny.h"

/* Stops a run after so many steps. */
typedef struct
{
  guint n_left;
  CleaveStage stage; /* of the last step */
} Stopper;

static gboolean
should_stop (gpointer data)
{
  Stopper *stopper = data;

  if (stopper->n_left == 0)
    return TRUE;
  stopper->n_left--;
  return FALSE;
}

static void
note_stage (const CleaveProgress *progress, gpointer data)
{
  ((Stopper *)data)->stage = progress->stage;
}

static CleaveConfig *
make_config (GError **error)
{
  CleaveConfig *config = tiny_load_config ();

  /* With the probe, the search closes with trials on the whole half, which can be stopped inside a step. */
  cleave_config_set (config, "optimizer.plugin=probe", error);
  return config;
}

TEST (Run, stopped_after_any_step_gives_the_same_bytes)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = g_build_filename (folder, "reference", NULL);
  g_autofree char *out = g_build_filename (folder, "stopped", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = tiny_make_host (&error);
  g_autoptr (CleaveConfig) config = make_config (&error);
  g_autoptr (CleaveRun) whole = cleave_run_new (host, config, reference, 1, &error);
  const CleaveObserver silent = { 0 };
  G_GNUC_UNUSED g_autoptr (CleaveResult) expected = whole != NULL ? cleave_run_execute (whole, &silent, &error) : NULL;
  g_autoptr (CleaveResult) result = NULL;
  guint n_stops[4] = { 0 };

  REQUIRE_NO_ERROR (error);
  /* Each attempt may do a little more, since a step on the whole half asks often and must end at last. */
  for (guint attempt = 0; result == NULL && attempt < 100; attempt++)
    {
      Stopper stopper = { .n_left = 2 + attempt };
      const CleaveObserver observer = { note_stage, should_stop, &stopper };
      g_autoptr (CleaveRun) run = attempt == 0 ? cleave_run_new (host, config, out, 1, &error)
                                               : cleave_run_resume (host, out, NULL, 1, &error);

      REQUIRE_NO_ERROR (error);
      result = cleave_run_execute (run, &observer, &error);
      if (result == NULL)
        {
          n_stops[stopper.stage]++;
          EXPECT_ERROR (error, CLEAVE_ERROR_CANCELLED, "");
        }
    }
  REQUIRE (result != NULL);
  EXPECT_TRUE (n_stops[CLEAVE_STAGE_PRETRAIN] > 0);
  EXPECT_TRUE (n_stops[CLEAVE_STAGE_SEARCH] > 0);
  EXPECT_TRUE (n_stops[CLEAVE_STAGE_RETRAIN] > 0);
  EXPECT_TRUE (tiny_same_file (out, reference, "result.json"));
  EXPECT_TRUE (tiny_same_file (out, reference, "model.npz"));
  EXPECT_TRUE (tiny_same_file (out, reference, "metrics.csv"));
}

/* The run that a config with these settings makes, or its error. */
static CleaveRun *
make_run (const char *const *settings, GError **error)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);

  return tiny_make_run (out, settings, error);
}

TEST (Run, an_impossible_channel_is_noticed_before_any_work)
{
  static const char *const lossy[] = { "channel.plugin=broken-link", NULL };
  static const char *const endless[]
      = { "channel.plugin=broken-link", "channel.own-drop-rate=0.1", "channel.endless=true", NULL };
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (make_run (lossy, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "[channel]: BrokenLink: its own drop rate is 1.5");
  EXPECT_TRUE (make_run (endless, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "[channel]: BrokenLink: the channel gave inf bits");
}

TEST (Run, a_channel_that_fails_at_the_end_is_an_error)
{
  static const char *const settings[]
      = { "channel.plugin=broken-link", "channel.own-drop-rate=0.1", "channel.forgetful=true", NULL };
  const CleaveObserver observer = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRun) run = make_run (settings, &error);
  REQUIRE_NO_ERROR (error);

  EXPECT_TRUE (cleave_run_execute (run, &observer, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "[channel]: the drop rate is forgotten");
}

/* Bursts of two can't lose more than two thirds, b ÷ (b + 1): one arrives between two of them. */
TEST (Run, a_drop_rate_that_the_channel_cannot_have_is_noticed_before_any_work)
{
  static const char *const settings[]
      = { "channel.plugin=gilbert", "channel.burst-length=2", "evaluate.drop-rates=0.6; 0.7", NULL };
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (make_run (settings, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "[evaluate] drop-rates: 0.7: gilbert: a drop rate of 0.7");
}

/* 100 steps, and one for each of the 3 · 3 + 4 categories of the space. */
TEST (Run, an_optimizer_that_never_says_done_is_stopped)
{
  static const char *const settings[]
      = { "optimizer.plugin=probe", "optimizer.closing-rounds=1000000", "search.epochs=1", NULL };
  const CleaveObserver observer = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRun) run = make_run (settings, &error);
  REQUIRE_NO_ERROR (error);

  EXPECT_TRUE (cleave_run_execute (run, &observer, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN,
                "[optimizer]: Probe still asks for trials 113 steps after the search's end");
}

/* What the search's first step cost. */
typedef struct
{
  CleaveRun *run;
  guint draws;
  guint64 n_images;
} Cost;

static void
note_cost (const CleaveProgress *progress, gpointer data)
{
  Cost *cost = data;

  if (progress->stage != CLEAVE_STAGE_SEARCH || progress->kind != CLEAVE_PROGRESS_STEP)
    return;
  g_object_get (cost->run->components->channel, "draws", &cost->draws, NULL);
  cost->n_images = progress->n_images;
}

/* What the first step costs with this setting of the probe. */
static Cost
find_cost (const char *cutoff)
{
  const char *const settings[] = { "channel.plugin=counting-link",
                                   "optimizer.plugin=probe",
                                   "optimizer.closing-rounds=0",
                                   cutoff,
                                   "objective.latency-threshold=0 ms",
                                   "objective.drop-rates=0; 0.2; 0.5",
                                   "dataset.train-images=16",
                                   "pretrain.epochs=0",
                                   "search.epochs=1",
                                   "retrain.epochs=0",
                                   NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRun) run = make_run (settings, &error);
  Cost cost = { run, 0, 0 };
  const CleaveObserver observer = { note_cost, NULL, &cost };
  g_autoptr (CleaveResult) result = NULL;

  if (run != NULL)
    {
      g_object_set (run->components->channel, "draws", 0, NULL);
      result = cleave_run_execute (run, &observer, &error);
    }
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (result != NULL);
  cost.run = NULL;
  return cost;
}

/* The probe asks for a candidate twice, for it on the device, and for another whose payload has the same size. So three
 * of the four trials' networks see the 8 images, and 8 images' losses are drawn once at each of two rates: not for the
 * twin, nor for the device, nor for the other candidate. */
TEST (Run, a_round_does_nothing_twice)
{
  Cost cost = find_cost ("optimizer.cutoff=0");

  EXPECT_INT (cost.n_images, 3 * 8);
  EXPECT_INT (cost.draws, 2 * 8);
}

/* All but the first are cut off by any penalty, its twin too. */
TEST (Run, a_trial_above_its_cutoff_is_not_scored)
{
  Cost cost = find_cost ("optimizer.cutoff=1e-9");

  EXPECT_INT (cost.n_images, 8);
  EXPECT_INT (cost.draws, 2 * 8);
}
