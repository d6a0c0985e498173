/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tiny.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

/* The tiny search, the same with HWNAS, and that without dropout: all three have the same pre-training, the last two
 * the same search. */
static GStrv
write_configs (const char *folder)
{
  static const char *const names[] = { "split", "device", "no-dropout" };
  static const char *const changes[]
      = { "", "[optimizer]\nplugin = hwnas\n", "[optimizer]\nplugin = hwnas\n[retrain]\ndrop-rate = 0\n" };
  g_autofree char *tiny_path = tiny_write_config (folder);
  g_autofree char *tiny = NULL;
  GStrv paths = g_new0 (char *, G_N_ELEMENTS (names) + 1);

  EXPECT_TRUE (g_file_get_contents (tiny_path, &tiny, NULL, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *text = g_strconcat (tiny, changes[i], NULL);

      paths[i] = g_strdup_printf ("%s/%s.ini", folder, names[i]);
      EXPECT_TRUE (g_file_set_contents (paths[i], text, -1, NULL));
    }
  return paths;
}

static GPtrArray *
list_arguments (GStrv configs, const char *out, const char *seeds, const char *jobs)
{
  GPtrArray *arguments = g_ptr_array_new_with_free_func (g_free);
  const char *options[]
      = { "--plugin-path", tiny_plugins (), "--out", out, "--seeds", seeds, "--jobs", jobs, "--threads", "1", NULL };

  g_ptr_array_add (arguments, tiny_command ());
  g_ptr_array_add (arguments, g_strdup ("compare"));
  for (gsize i = 0; options[i] != NULL; i++)
    g_ptr_array_add (arguments, g_strdup (options[i]));
  for (gsize i = 0; configs[i] != NULL; i++)
    g_ptr_array_add (arguments, g_strdup (configs[i]));
  g_ptr_array_add (arguments, NULL);
  return arguments;
}

static GPid
start_compare (GStrv configs, const char *out, const char *seeds, const char *jobs)
{
  g_autoptr (GPtrArray) arguments = list_arguments (configs, out, seeds, jobs);
  GPid process = 0;

  EXPECT_TRUE (g_spawn_async (NULL, (char **)arguments->pdata, NULL,
                              G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                              NULL, &process, NULL));
  return process;
}

static int
compare (GStrv configs, const char *out, const char *seeds, const char *jobs)
{
  return tiny_wait (start_compare (configs, out, seeds, jobs));
}

static const char *const run_files[]
    = { "config.ini", "metrics.csv", "trials.csv", "checkpoint.npz", "model.npz", "result.json" };
static const char *const comparison_files[] = { "comparison.csv", "comparison.json", "comparison.svg", "comparison.png",
                                                "accuracy.svg",   "accuracy.png",    "report.html" };
static const char *const runs[]
    = { "split-seed1", "device-seed1", "no-dropout-seed1", "split-seed2", "device-seed2", "no-dropout-seed2" };

static void
expect_same (const char *out, const char *reference)
{
  for (gsize f = 0; f < G_N_ELEMENTS (comparison_files); f++)
    test_check (tiny_same_file (out, reference, comparison_files[f]), __FILE__, __LINE__, "%s: %s differs", out,
                comparison_files[f]);
  for (gsize r = 0; r < G_N_ELEMENTS (runs); r++)
    for (gsize f = 0; f < G_N_ELEMENTS (run_files); f++)
      {
        g_autofree char *name = g_build_filename ("runs", runs[r], run_files[f], NULL);

        test_check (tiny_same_file (out, reference, name), __FILE__, __LINE__, "%s: %s differs", out, name);
      }
}

/* A run of the first method, begun by itself. */
static void
expect_as_alone (const char *out, const char *config)
{
  g_autofree char *alone = g_build_filename (out, "alone", NULL);
  g_autofree char *shared = g_build_filename (out, "runs", "no-dropout-seed2", NULL);

  EXPECT_INT (test_run_cleave (NULL, NULL, "search", config, "--plugin-path", tiny_plugins (), "--set", "run.seed=2",
                               "--out", alone, NULL),
              0);
  for (gsize f = 0; f < G_N_ELEMENTS (run_files); f++)
    test_check (tiny_same_file (alone, shared, run_files[f]), __FILE__, __LINE__, "%s differs", run_files[f]);
}

TEST (Compare, jobs_do_not_matter)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *one = g_build_filename (folder, "one", NULL);
  g_autofree char *several = g_build_filename (folder, "several", NULL);
  g_autofree char *stages = g_build_filename (one, "stages", NULL);
  g_autoptr (GDir) listing = NULL;
  guint n_stages = 0;

  EXPECT_INT (compare (configs, one, "2", "1"), 0);
  EXPECT_INT (compare (configs, several, "2", "4"), 0);
  expect_same (several, one);
  expect_as_alone (one, configs[2]);

  /* For each seed: one pre-training, NASC's search and HWNAS's. */
  listing = g_dir_open (stages, 0, NULL);
  while (listing != NULL && g_dir_read_name (listing) != NULL)
    n_stages++;
  EXPECT_INT (n_stages, 2 * 3);
}

static gboolean
wait_for_file (const char *folder, const char *name)
{
  for (guint i = 0; i < 60000; i++)
    {
      if (tiny_exists (folder, name))
        return TRUE;
      g_usleep (1000);
    }
  return FALSE;
}

TEST (Compare, a_stopped_one_goes_on)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *reference = g_build_filename (folder, "reference", NULL);
  g_autofree char *out = g_build_filename (folder, "stopped", NULL);
  static const struct
  {
    int signal;
    const char *moment; /* when this file is there */
    int status;
  } stops[] = {
    { SIGKILL, "runs/split-seed1/config.ini", 128 + SIGKILL },
    { SIGINT, "runs/split-seed1/result.json", 130 },
    { SIGTERM, "runs/device-seed1/result.json", 130 },
    { SIGKILL, "runs/no-dropout-seed1/checkpoint.npz", 128 + SIGKILL },
  };

  EXPECT_INT (compare (configs, reference, "2", "1"), 0);
  for (gsize i = 0; i < G_N_ELEMENTS (stops); i++)
    {
      GPid process = start_compare (configs, out, "2", "2");

      EXPECT_TRUE (wait_for_file (out, stops[i].moment));
      kill (process, stops[i].signal);
      EXPECT_INT (tiny_wait (process), stops[i].status);
      EXPECT_TRUE (!tiny_exists (out, "report.html"));
    }
  EXPECT_INT (compare (configs, out, "2", "2"), 0);
  expect_same (out, reference);
}

static ino_t
find_inode (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  struct stat status;

  return stat (path, &status) == 0 ? status.st_ino : 0;
}

/* As where the terminal is closed. */
TEST (Compare, a_lost_terminal_stops_it_in_order)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  GPid process = start_compare (configs, out, "2", "1");

  EXPECT_TRUE (wait_for_file (out, "runs/split-seed1/config.ini"));
  kill (process, SIGHUP);
  EXPECT_INT (tiny_wait (process), 130);
  EXPECT_TRUE (tiny_exists (out, "runs/split-seed1/checkpoint.npz"));
}

/* What is compared is what was asked for when the command was given. */
TEST (Compare, a_config_that_is_edited_meanwhile_does_no_harm)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *second = NULL;
  char *only[] = { configs[0], NULL };
  GPid process = start_compare (only, out, "2", "1");

  EXPECT_TRUE (wait_for_file (out, "runs/split-seed1/config.ini"));
  EXPECT_TRUE (g_file_set_contents (configs[0], "[retrain]\nepochs = 1\n", -1, NULL));
  EXPECT_INT (tiny_wait (process), 0);
  second = tiny_read (out, "runs/split-seed2/config.ini");
  EXPECT_TRUE (strstr (second, "[retrain]\nepochs = 3\n") != NULL);
}

/* A run whose pictures are gone is not finished; one whose result is damaged says what to do. */
TEST (Compare, what_a_run_lacks_is_made_again)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *picture = g_build_filename (out, "runs", "split-seed1", "accuracy.png", NULL);
  g_autofree char *result = g_build_filename (out, "runs", "split-seed1", "result.json", NULL);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *err = NULL;
  char *only[] = { configs[0], NULL };

  EXPECT_INT (compare (only, out, "1", "1"), 0);
  before = tiny_read (out, "runs/split-seed1/result.json");
  EXPECT_INT (g_unlink (picture), 0);
  EXPECT_INT (compare (only, out, "1", "1"), 0);
  EXPECT_TRUE (tiny_exists (out, "runs/split-seed1/accuracy.png"));

  EXPECT_TRUE (g_file_set_contents (result, "{}", -1, NULL));
  EXPECT_INT (test_run_cleave (NULL, &err, "compare", configs[0], "--plugin-path", tiny_plugins (), "--out", out, NULL),
              1);
  EXPECT_TRUE (strstr (err, "without this file, the run makes it again") != NULL);
  EXPECT_INT (g_unlink (result), 0);
  EXPECT_INT (compare (only, out, "1", "1"), 0);
  after = tiny_read (out, "runs/split-seed1/result.json");
  EXPECT_STRING (after, before);
}

TEST (Compare, finished_runs_are_kept_and_more_are_added)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *json = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonArray *methods;
  char *const first_two[] = { configs[0], configs[1], NULL };
  ino_t inode;

  EXPECT_INT (compare ((GStrv)first_two, out, "1", "1"), 0);
  inode = find_inode (out, "runs/split-seed1/model.npz");
  EXPECT_TRUE (inode != 0);
  EXPECT_INT (compare (configs, out, "2", "2"), 0);
  EXPECT_TRUE (find_inode (out, "runs/split-seed1/model.npz") == inode);

  json = tiny_read (out, "comparison.json");
  root = json_from_string (json, NULL);
  REQUIRE (root != NULL);
  methods = json_object_get_array_member (json_node_get_object (root), "methods");
  REQUIRE (json_array_get_length (methods) == 3);
  for (guint m = 0; m < 3; m++)
    EXPECT_INT (
        json_array_get_length (json_object_get_array_member (json_array_get_object_element (methods, m), "runs")), 2);
}

/* The medians of two runs are the means of what their result.json files hold. */
TEST (Compare, tells_the_medians)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *method;
  double total_ms = 0;

  EXPECT_INT (test_run_cleave (&text, NULL, "compare", configs[1], configs[0], "--plugin-path", tiny_plugins (),
                               "--out", out, "--seeds", "2", "--json", NULL),
              0);
  root = json_from_string (text, NULL);
  REQUIRE (root != NULL);
  method = json_array_get_object_element (json_object_get_array_member (json_node_get_object (root), "methods"), 1);
  EXPECT_STRING (json_object_get_string_member (method, "name"), "split");
  for (guint seed = 1; seed <= 2; seed++)
    {
      g_autofree char *name = g_strdup_printf ("runs/split-seed%u/result.json", seed);
      g_autofree char *result_text = tiny_read (out, name);
      g_autoptr (JsonNode) result = json_from_string (result_text, NULL);

      REQUIRE (result != NULL);
      total_ms += json_object_get_double_member (json_node_get_object (result), "total_ms");
    }
  EXPECT_RELATIVE (json_object_get_double_member (json_object_get_object_member (method, "latency_ms"), "median"),
                   total_ms / 2, 1e-12);
  EXPECT_TRUE (json_object_get_double_member (json_object_get_object_member (method, "latency_ms"), "minimum")
               >= json_object_get_double_member (method, "bound_ms") * (1 - 1e-12));
}

TEST (Compare, a_run_that_fails_does_not_keep_others_from_running)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *bad = g_build_filename (folder, "bad.ini", NULL);
  g_autofree char *tiny = NULL;
  g_autofree char *text = NULL;
  g_autofree char *err = NULL;

  EXPECT_TRUE (g_file_get_contents (configs[0], &tiny, NULL, NULL));
  text = g_strconcat (
      tiny, "[training]\nlearning-rate = 1000\ngradient-clip = 0\nweight-decay = 1\n[pretrain]\nepochs = 200\n", NULL);
  EXPECT_TRUE (g_file_set_contents (bad, text, -1, NULL));
  EXPECT_INT (
      test_run_cleave (NULL, &err, "compare", bad, configs[0], "--plugin-path", tiny_plugins (), "--out", out, NULL),
      1);
  EXPECT_TRUE (strstr (err, "bad-seed1: cleave: pretrain, epoch ") != NULL);
  EXPECT_TRUE (strstr (err, "cleave: 1 of 2 runs failed") != NULL);
  EXPECT_TRUE (tiny_exists (out, "runs/split-seed1/result.json"));
  EXPECT_TRUE (!tiny_exists (out, "report.html"));
}

static void
expect_refused (const char *message, GStrv configs, const char *more, const char *out)
{
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (NULL, &err, "compare", configs[0], configs[1], "--plugin-path", tiny_plugins (),
                               "--seeds", "2", "--out", out, more, NULL),
              2);
  test_check (strstr (err, message) != NULL, __FILE__, __LINE__, "\"%s\" is not in \"%s\"", message, err);
}

static char *
write_changed (const char *folder, const char *config, const char *name, const char *change)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  g_autofree char *changed = NULL;

  EXPECT_TRUE (g_file_get_contents (config, &text, NULL, NULL));
  changed = g_strconcat (text, change, NULL);
  EXPECT_TRUE (g_file_set_contents (path, changed, -1, NULL));
  return path;
}

TEST (Compare, mistakes_are_told_before_any_work)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *twin_folder = g_build_filename (folder, "twin", NULL);
  g_autofree char *slow = write_changed (folder, configs[0], "slow.ini", "[objective]\nlatency-threshold = 2 ms\n");
  g_autofree char *lossy = write_changed (folder, configs[0], "lossy.ini", "[channel]\ndrop-rate = 0.5\n");
  g_autofree char *noisy = write_changed (folder, configs[0], "noisy.ini", "[dataset]\nnoise = 0.5\n");
  g_autofree char *wrong = write_changed (folder, configs[0], "wrong.ini", "[retrain]\nepohcs = 1\n");
  g_autofree char *twin = NULL;
  g_autofree char *err = NULL;
  char *thresholds[] = { configs[0], slow, NULL };
  char *drop_rates[] = { configs[0], lossy, NULL };
  char *datasets[] = { configs[0], noisy, NULL };
  char *mistake[] = { configs[0], wrong, NULL };
  char *twins[] = { configs[0], NULL, NULL };

  EXPECT_INT (g_mkdir (twin_folder, 0777), 0);
  twin = write_changed (twin_folder, configs[1], "split.ini", "");
  twins[1] = twin;
  expect_refused ("latency-threshold is 2 ms in slow and 1 ms in split", thresholds, NULL, out);
  expect_refused ("drop rate is 0.5 in lossy and 0.25 in split", drop_rates, NULL, out);
  expect_refused ("are both called split", twins, NULL, out);
  expect_refused ("[dataset] differs between noisy and split", datasets, NULL, out);
  expect_refused ("epohcs", mistake, NULL, out);
  expect_refused ("--seeds 0: expected a number from 1", configs, "--seeds=0", out);
  expect_refused ("[run] seed: 4294967295 and the 1 that follow", configs, "--set=run.seed=4294967295", out);
  expect_refused ("--jobs 0: expected a number from 1", configs, "--jobs=0", out);
  expect_refused ("the output folder is not empty", configs, NULL, folder);
  EXPECT_TRUE (!tiny_exists (folder, "out"));
  EXPECT_INT (test_run_cleave (NULL, &err, "compare", configs[0], "--plugin-path", tiny_plugins (), NULL), 2);
  EXPECT_TRUE (strstr (err, "expected --out DIR") != NULL);
}

TEST (Compare, a_run_of_another_config_is_refused_by_key)
{
  const char *folder = test_temporary_folder ();
  g_auto (GStrv) configs = write_configs (folder);
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  char *first[] = { configs[0], configs[1], NULL };

  EXPECT_INT (compare (first, out, "1", "1"), 0);
  expect_refused ("[retrain] epochs is 4 in what is asked for, 3 in", configs, "--set=retrain.epochs=4", out);
}
