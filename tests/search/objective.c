/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "objective.h"

#include "cleave-config.h"
#include "test.h"
#include "tiny.h"

#include <json-glib/json-glib.h>
#include <math.h>

TEST (Objective, penalty_is_the_excess_in_ms)
{
  EXPECT_NEAR (cleave_objective_penalty (31.5, 30), 1.5, 0);
  EXPECT_NEAR (cleave_objective_penalty (30, 30), 0, 0);
  EXPECT_NEAR (cleave_objective_penalty (12, 30), 0, 0);
}

/* One conv, cut, pool, linear with two classes. */
static CleaveNetwork *
build_network (GError **error)
{
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (1, 4, 4);

  cleave_network_builder_block (builder, "a", NULL);
  cleave_network_builder_conv (builder, "conv", 2, 1, 1, 0, 1);
  cleave_network_builder_cut (builder);
  cleave_network_builder_block (builder, "pool", NULL);
  cleave_network_builder_pool (builder);
  cleave_network_builder_block (builder, "fc", NULL);
  cleave_network_builder_linear (builder, NULL, 2);
  return cleave_network_builder_build (builder, error);
}

static float *
find_array (NnSupernet *supernet, CleaveNetwork *network, const char *name)
{
  g_autoptr (GPtrArray) arrays = nn_supernet_list_network (supernet, network);

  for (guint i = 0; i < arrays->len; i++)
    {
      NnArray *array = arrays->pdata[i];

      if (g_str_equal (array->name, name))
        return array->data;
    }
  return NULL;
}

/* Images of ones; conv weights 1 and −1; logits = (mean of channel 0, mean of channel 1 · 0): so logit 0 is the share
 * of channel 0 that arrives, times 1 / (1 − p), and logit 1 is 0. */
TEST (Objective, loss_is_the_mean_over_drop_rates)
{
  g_autoptr (GError) error = NULL;
  CleaveHost *host = cleave_host_new (NULL, &error);
  g_autoptr (GObject) channel = cleave_host_create (host, CLEAVE_KIND_CHANNEL, "lossy-link", &error);
  g_autoptr (NnEngine) engine = nn_engine_new (1, &error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (1);
  g_autoptr (CleaveNetwork) network = build_network (&error);
  g_autoptr (NnPlan) plan = nn_plan_new (engine, supernet, network, 2, NN_PLAN_FORWARD, &error);
  const double drop_rates[] = { 0, 0.5 };
  const CleaveLossStream stream = { 7, 8, 9, 0, NULL };
  float pixels[2 * 16];
  guint16 labels[2] = { 0, 1 };
  CleaveMinibatch batch = { pixels, labels, 2 };
  double expected = 0;

  REQUIRE_NO_ERROR (error);
  for (gsize i = 0; i < G_N_ELEMENTS (pixels); i++)
    pixels[i] = 1;
  find_array (supernet, network, "a.conv.weight")[0] = 1;
  find_array (supernet, network, "a.conv.weight")[1] = -1;
  for (guint i = 0; i < 4; i++)
    find_array (supernet, network, "fc.weight")[i] = i == 0;
  for (guint i = 0; i < 2; i++)
    find_array (supernet, network, "fc.bias")[i] = 0;

  for (guint image = 0; image < 2; image++)
    {
      /* Rate 0.5 is the second of two rates for a minibatch of two: its items begin at 2. */
      g_autoptr (CleaveRandom) random = cleave_random_new (7, 8, 9, 2 + image);
      g_autoptr (GBytes) flags = cleave_channel_draw_losses (CLEAVE_CHANNEL (channel), 32, 0.5, random, &error);
      const guint8 *arrived = g_bytes_get_data (flags, NULL);
      double lossy = 0;

      for (guint i = 0; i < 16; i++)
        lossy += arrived[i] * 2.0 / 16;
      /* Cross-entropy of logits (z, 0): log(1 + e^−z) for class 0, log(1 + e^z) for class 1. */
      expected += log1p (exp (image == 0 ? -1.0 : 1.0)) / 4;
      expected += log1p (exp (image == 0 ? -lossy : lossy)) / 4;
    }
  EXPECT_RELATIVE (
      cleave_objective_loss (plan, network, &batch, CLEAVE_CHANNEL (channel), drop_rates, 2, &stream, &error), expected,
      1e-6);
  EXPECT_NO_ERROR (error);
  g_object_unref (host);
}

/* Values that the probe optimizer was told in one search epoch of one step without augmentation, where the distribution
 * half is one minibatch. */
static void
probe (const char *out, const char *threshold, const char *drop_rates, const char *cutoff)
{
  g_autofree char *set_threshold = g_strconcat ("objective.latency-threshold=", threshold, NULL);
  g_autofree char *set_rates = g_strconcat ("objective.drop-rates=", drop_rates, NULL);
  g_autofree char *set_cutoff = g_strconcat ("optimizer.cutoff=", cutoff, NULL);
  const char *more[] = { "--set", set_threshold,
                         "--set", set_rates,
                         "--set", "optimizer.plugin=probe",
                         "--set", set_cutoff,
                         "--set", "dataset.train-images=16",
                         "--set", "search.epochs=1",
                         "--set", "retrain.epochs=0",
                         "--set", "training.crop-padding=0",
                         "--set", "training.flip=false",
                         "--set", "training.cutout=0",
                         NULL };

  EXPECT_INT (tiny_search (out, more, NULL), 0);
}

static double
read_total_ms (const char *folder)
{
  g_autofree char *text = tiny_read (folder, "result.json");
  g_autoptr (JsonNode) root = json_from_string (text, NULL);

  return root != NULL ? json_object_get_double_member (json_node_get_object (root), "total_ms") : NAN;
}

TEST (Objective, every_kind_of_trial_is_scored)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *free_out = g_build_filename (folder, "free", NULL);
  g_autofree char *strict_out = g_build_filename (folder, "strict", NULL);
  g_autofree char *lossy_out = g_build_filename (folder, "lossy", NULL);
  double split, device;

  probe (free_out, "1000 s", "0", "0");
  probe (strict_out, "0 ms", "0", "0");
  probe (lossy_out, "1000 s", "0; 0.5", "0");
  split = tiny_metric (free_out, "search", "optimizer_split");
  device = tiny_metric (free_out, "search", "optimizer_device");

  EXPECT_TRUE (split > 0);
  EXPECT_NEAR (tiny_metric (free_out, "search", "optimizer_twin"), split, 0);
  EXPECT_NEAR (device, split, 0); /* no losses, no penalty: the same network on the same images */
  EXPECT_TRUE (tiny_metric (free_out, "search", "optimizer_other") != split);
  /* The half is one minibatch, only its order differs. */
  EXPECT_RELATIVE (tiny_metric (free_out, "search", "optimizer_full_split"), split, 1e-5);
  EXPECT_RELATIVE (tiny_metric (free_out, "search", "optimizer_full_device"), split, 1e-5);
  EXPECT_NEAR (tiny_metric (free_out, "search", "optimizer_rounds"), 2, 0);

  /* With a threshold of 0 the penalty is the whole latency. metrics.csv keeps nine digits. */
  EXPECT_NEAR (tiny_metric (strict_out, "search", "optimizer_split") - split, read_total_ms (strict_out), 1e-6);
  EXPECT_TRUE (tiny_metric (strict_out, "search", "optimizer_device") > device);

  /* Losses raise the value of a split network and leave that on the device alone. */
  EXPECT_TRUE (tiny_metric (lossy_out, "search", "optimizer_split") != split);
  EXPECT_NEAR (tiny_metric (lossy_out, "search", "optimizer_device"), device, 0);
}

/* With a threshold out of reach a value is the loss, so the penalty is what it has more with a threshold of 0. Any
 * penalty reaches the cutoff that all trials but the first have then, the first's twin too. */
TEST (Objective, a_penalty_that_reaches_the_cutoff_is_the_value)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *free_out = g_build_filename (folder, "free", NULL);
  g_autofree char *strict_out = g_build_filename (folder, "strict", NULL);
  g_autofree char *cut_out = g_build_filename (folder, "cut", NULL);
  double free_split, free_device, free_other;

  probe (free_out, "1000 s", "0", "0");
  probe (strict_out, "0 ms", "0", "0");
  probe (cut_out, "0 ms", "0", "1e-9");
  free_split = tiny_metric (free_out, "search", "optimizer_split");
  free_device = tiny_metric (free_out, "search", "optimizer_device");
  free_other = tiny_metric (free_out, "search", "optimizer_other");

  EXPECT_TRUE (free_split > 0 && free_device > 0 && free_other > 0);
  EXPECT_NEAR (tiny_metric (cut_out, "search", "optimizer_twin"),
               tiny_metric (strict_out, "search", "optimizer_twin") - free_split, 1e-6);
  EXPECT_NEAR (tiny_metric (cut_out, "search", "optimizer_device"),
               tiny_metric (strict_out, "search", "optimizer_device") - free_device, 1e-6);
  EXPECT_NEAR (tiny_metric (cut_out, "search", "optimizer_other"),
               tiny_metric (strict_out, "search", "optimizer_other") - free_other, 1e-6);
  EXPECT_NEAR (tiny_metric (cut_out, "search", "optimizer_split"),
               tiny_metric (strict_out, "search", "optimizer_split"), 0);
}
