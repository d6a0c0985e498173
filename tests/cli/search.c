/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tiny.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TEST (Search, a_run_folder_holds_all_of_it)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = g_build_filename (folder, "new", "deeper", NULL);
  g_autofree char *config = NULL;

  EXPECT_INT (tiny_search (out, NULL, NULL), 0);
  EXPECT_TRUE (tiny_exists (out, "checkpoint.npz"));
  EXPECT_TRUE (tiny_exists (out, "model.npz"));
  EXPECT_TRUE (tiny_exists (out, "result.json"));
  config = tiny_read (out, "config.ini");
  EXPECT_TRUE (strstr (config, "[training]\nbatch-size = 8\n") != NULL);
  EXPECT_TRUE (strstr (config, "weight-decay = 0.0003\n") != NULL);

  /* 64 images: 32 for weights, 32 for the distribution; batches of 8. Cosine of the last of three epochs. */
  EXPECT_NEAR (tiny_metric (out, "pretrain", "step"), 8, 0);
  EXPECT_NEAR (tiny_metric (out, "search", "step"), 8, 0);
  EXPECT_NEAR (tiny_metric (out, "retrain", "step"), 24, 0);
  EXPECT_NEAR (tiny_metric (out, "pretrain", "learning_rate"), 0.025 * 0.5, 1e-10);
  EXPECT_NEAR (tiny_metric (out, "retrain", "learning_rate"), 0.025 * 0.25, 1e-10);
}

TEST (Search, latency_of_the_answer_is_what_latency_says)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *config = tiny_write_config (folder);
  g_autofree char *result_text = NULL;
  g_autofree char *latency_text = NULL;
  g_autofree char *split = NULL;
  g_autoptr (GString) architecture = g_string_new (NULL);
  g_autoptr (JsonNode) result_root = NULL;
  g_autoptr (JsonNode) latency_root = NULL;
  JsonObject *result;
  JsonArray *choices;
  static const char *const keys[] = { "head_ms", "transfer_ms", "tail_ms", "total_ms", "payload_bits" };

  EXPECT_INT (tiny_search (out, NULL, NULL), 0);
  result_text = tiny_read (out, "result.json");
  result_root = json_from_string (result_text, NULL);
  REQUIRE (result_root != NULL);
  result = json_node_get_object (result_root);
  choices = json_object_get_array_member (result, "architecture");
  for (guint i = 0; i < json_array_get_length (choices); i++)
    g_string_append_printf (architecture, "%s%d", i > 0 ? "," : "", (int)json_array_get_int_element (choices, i));
  split = g_strdup_printf ("%d", (int)json_object_get_int_member (result, "split"));

  EXPECT_INT (test_run_cleave (&latency_text, NULL, "latency", config, "--plugin-path", tiny_plugins (),
                               "--architecture", architecture->str, "--split", split, "--json", NULL),
              0);
  /* metrics.csv keeps nine digits. */
  EXPECT_RELATIVE (tiny_metric (out, "search", "latency_ms"), json_object_get_double_member (result, "total_ms"), 1e-8);
  latency_root = json_from_string (latency_text, NULL);
  REQUIRE (latency_root != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    EXPECT_RELATIVE (json_object_get_double_member (result, keys[i]),
                     json_object_get_double_member (json_node_get_object (latency_root), keys[i]), 1e-12);
}

/* A row for each of the two trials of 8 steps, of which every objective is the loss and what exceeds 1 ms (eq. 4). */
TEST (Search, tells_of_every_trial)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) rows = NULL;
  double sum = 0;

  EXPECT_INT (tiny_search (out, NULL, NULL), 0);
  text = tiny_read (out, "trials.csv");
  rows = g_strsplit (text, "\n", 0);
  EXPECT_STRING (rows[0], "epoch,step,placement,fidelity,loss,latency_ms,objective,"
                          "optimizer_delta,optimizer_gamma,optimizer_theta_entropy");
  REQUIRE (g_strv_length (rows) == 1 + 8 * 2 + 1);
  for (guint i = 0; i < 8 * 2; i++)
    {
      g_auto (GStrv) cells = g_strsplit (rows[1 + i], ",", 0);
      double loss, latency_ms, objective;

      REQUIRE (g_strv_length (cells) == 10);
      EXPECT_INT (atoi (cells[0]), 1 + i / 8);
      EXPECT_INT (atoi (cells[1]), 1 + i / 2);
      EXPECT_STRING (cells[2], "split");
      EXPECT_STRING (cells[3], "minibatch");
      loss = g_ascii_strtod (cells[4], NULL);
      latency_ms = g_ascii_strtod (cells[5], NULL);
      objective = g_ascii_strtod (cells[6], NULL);
      EXPECT_NEAR (objective, loss + MAX (0, latency_ms - 1), 1.5e-8); /* three numbers of nine digits */
      if (i >= 8)
        sum += objective;
    }
  EXPECT_NEAR (tiny_metric (out, "search", "objective"), sum / 8, 1e-8);
}

TEST (Search, prints_what_it_found)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *config = tiny_write_config (folder);
  g_autofree char *out_folder = g_build_filename (folder, "out", NULL);
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (&out, &err, "search", config, "--plugin-path", tiny_plugins (), "--out", out_folder,
                               "--threads", "1", "--set", "objective.latency-threshold=0.001 ms", NULL),
              0);
  EXPECT_TRUE (strstr (out, "Architecture\n  first ") != NULL);
  EXPECT_TRUE (strstr (out, "threshold 0.001 ms") != NULL);
  EXPECT_TRUE (strstr (out, "at drop rate 0.25 (the channel's)") != NULL);
  EXPECT_TRUE (strstr (out, out_folder) != NULL);
  EXPECT_TRUE (strstr (err, "above the threshold of 0.001 ms") != NULL);
  EXPECT_TRUE (g_str_has_prefix (err, "memory: at most "));
  EXPECT_TRUE (strstr (err, "pretrain epoch 2/2, loss") != NULL);
  EXPECT_TRUE (strstr (err, "retrain done: ") != NULL);
}

TEST (Search, no_epochs_at_all_still_answers)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);
  const char *more[] = { "--set", "pretrain.epochs=0", "--set", "search.epochs=0", "--set", "retrain.epochs=0", NULL };

  EXPECT_INT (tiny_search (out, more, NULL), 0);
  EXPECT_TRUE (tiny_exists (out, "result.json"));
}

TEST (Search, a_folder_with_something_in_it_is_refused)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *file = g_build_filename (folder, "precious", NULL);
  g_autofree char *err = NULL;
  g_autofree char *kept = NULL;

  g_file_set_contents (file, "keep me", -1, NULL);
  EXPECT_INT (tiny_search (folder, NULL, &err), 2);
  EXPECT_TRUE (strstr (err, "not empty") != NULL);
  kept = tiny_read (folder, "precious");
  EXPECT_STRING (kept, "keep me");
  EXPECT_TRUE (!tiny_exists (folder, "config.ini"));
}

TEST (Search, a_folder_that_cannot_be_made_is_named)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *file = g_build_filename (folder, "file", NULL);
  g_autofree char *out = g_build_filename (file, "out", NULL);
  g_autofree char *err = NULL;

  g_file_set_contents (file, "", -1, NULL);
  EXPECT_INT (tiny_search (out, NULL, &err), 1);
  EXPECT_TRUE (strstr (err, out) != NULL);
}

TEST (Search, mistakes_are_told_before_any_work)
{
  static const struct
  {
    const char *set;
    const char *part;
  } cases[] = {
    { "training.batch-size=33", "batch-size: 33 is more than half of the 64 training images" },
    { "dataset.size=20", "its networks take images of 3×16×16, but those of [dataset] are 3×20×20" },
    { "optimizer.plugin=asgn", "asng" },
    { "serach.epochs=3", "search" },
    { "device.device=pixel3", "pixel3" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *out = g_strdup_printf ("%s/out-%" G_GSIZE_FORMAT, test_temporary_folder (), i);
      const char *more[] = { "--set", cases[i].set, NULL };
      g_autofree char *err = NULL;

      EXPECT_TRUE (tiny_search (out, more, &err) != 0);
      EXPECT_TRUE (strstr (err, cases[i].part) != NULL);
      EXPECT_TRUE (!tiny_exists (out, "config.ini"));
    }
}

TEST (Search, a_loss_that_is_no_number_stops_the_run)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);
  const char *more[] = { "--set", "training.learning-rate=1000", "--set", "training.gradient-clip=0",
                         "--set", "training.weight-decay=1",     "--set", "pretrain.epochs=200",
                         NULL };
  g_autofree char *err = NULL;

  EXPECT_INT (tiny_search (out, more, &err), 1);
  EXPECT_TRUE (strstr (err, "pretrain, epoch ") != NULL);
}

TEST (Search, wrong_usage_is_told)
{
  g_autofree char *err = NULL;
  g_autofree char *both = NULL;

  EXPECT_INT (test_run_cleave (NULL, &err, "search", NULL), 2);
  EXPECT_TRUE (strstr (err, "expected a CONFIG, or --resume DIR") != NULL);
  EXPECT_INT (test_run_cleave (NULL, &both, "search", "--resume", "a", "--out", "b", NULL), 2);
  EXPECT_TRUE (strstr (both, "--out can't be given") != NULL);
}
