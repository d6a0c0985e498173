/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A run that is stopped in any way goes on as if it had never been: same bytes. */

#include "tiny.h"

#include "npz.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static char *
run_undisturbed (const char *folder)
{
  char *out = g_build_filename (folder, "undisturbed", NULL);

  EXPECT_INT (tiny_search (out, NULL, NULL), 0);
  return out;
}

static void
expect_same (const char *out, const char *reference)
{
  EXPECT_TRUE (tiny_same_file (out, reference, "result.json"));
  EXPECT_TRUE (tiny_same_file (out, reference, "model.npz"));
  EXPECT_TRUE (tiny_same_file (out, reference, "metrics.csv"));
  EXPECT_TRUE (tiny_same_file (out, reference, "trials.csv"));
}

TEST (Resume, threads_do_not_matter)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = run_undisturbed (folder);
  g_autofree char *out = g_build_filename (folder, "two-threads", NULL);
  const char *more[] = { "--threads", "2", NULL };

  EXPECT_INT (tiny_search (out, more, NULL), 0);
  expect_same (out, reference);
  EXPECT_TRUE (tiny_same_file (out, reference, "checkpoint.npz"));
}

TEST (Resume, the_seed_matters)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = run_undisturbed (folder);
  g_autofree char *out = g_build_filename (folder, "other", NULL);
  const char *more[] = { "--set", "run.seed=2", NULL };

  EXPECT_INT (tiny_search (out, more, NULL), 0);
  EXPECT_TRUE (!tiny_same_file (out, reference, "model.npz"));
  EXPECT_TRUE (!tiny_same_file (out, reference, "metrics.csv"));
}

/* Waits until the run's metrics.csv has this text in it. */
static gboolean
wait_for_metrics (const char *out, const char *text)
{
  g_autofree char *path = g_build_filename (out, "metrics.csv", NULL);

  for (guint i = 0; i < 60000; i++)
    {
      g_autofree char *metrics = NULL;

      if (g_file_get_contents (path, &metrics, NULL, NULL) && strstr (metrics, text) != NULL)
        return TRUE;
      g_usleep (1000);
    }
  return FALSE;
}

/* Begins a run, sends it a signal as soon as the metrics hold the text, and gives its folder. On a busy machine the run
 * may have ended before: then once more. */
static char *
signal_at (const char *folder, const char *text, int number, int status, const char *const *more)
{
  g_autofree char *config = tiny_write_config (folder);

  for (guint attempt = 0; attempt < 50; attempt++)
    {
      g_autofree char *out = g_strdup_printf ("%s/signal-%d-%.8s-%u", folder, number, text, attempt);
      g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
      GPid process;

      g_ptr_array_add (arguments, config);
      g_ptr_array_add (arguments, (char *)"--out");
      g_ptr_array_add (arguments, out);
      for (gsize i = 0; more != NULL && more[i] != NULL; i++)
        g_ptr_array_add (arguments, (char *)more[i]);
      g_ptr_array_add (arguments, NULL);
      process = tiny_start ((const char *const *)arguments->pdata);
      EXPECT_TRUE (wait_for_metrics (out, text));
      kill (process, number);
      if (tiny_wait (process) == status)
        return g_steal_pointer (&out);
    }
  EXPECT_TRUE (!"no attempt was stopped");
  return g_strdup (folder);
}

/* A row of the first epoch of each stage; the header is there before the first step. */
static const char *const moments[] = { "stage,", "pretrain,1", "search,1", "retrain,1" };

TEST (Resume, killed_in_any_stage_gives_the_same_bytes)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = run_undisturbed (folder);

  for (gsize i = 0; i < G_N_ELEMENTS (moments); i++)
    {
      g_autofree char *out = signal_at (folder, moments[i], SIGKILL, 128 + SIGKILL, NULL);

      EXPECT_TRUE (!tiny_exists (out, "result.json"));
      EXPECT_INT (tiny_resume (out, NULL, NULL), 0);
      expect_same (out, reference);
    }
}

TEST (Resume, killed_again_and_again_gives_the_same_bytes)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = run_undisturbed (folder);
  g_autofree char *config = tiny_write_config (folder);
  g_autofree char *out = g_build_filename (folder, "killed", NULL);
  const char *begin[] = { config, "--out", out, NULL };
  const char *go_on[] = { "--resume", out, NULL };

  /* Each attempt gets a little longer, so that some attempt ends. */
  for (guint delay_ms = 10; !tiny_exists (out, "result.json"); delay_ms += 7)
    {
      GPid process = tiny_start (tiny_exists (out, "config.ini") ? go_on : begin);

      g_usleep (delay_ms * 1000);
      kill (process, SIGKILL);
      tiny_wait (process);
    }
  expect_same (out, reference);
}

TEST (Resume, interrupted_run_says_so_and_goes_on)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = run_undisturbed (folder);

  for (gsize i = 0; i < G_N_ELEMENTS (moments); i++)
    {
      g_autofree char *out = signal_at (folder, moments[i], SIGINT, 130, NULL);

      EXPECT_TRUE (tiny_exists (out, "checkpoint.npz"));
      EXPECT_TRUE (!tiny_exists (out, "result.json"));
      EXPECT_INT (tiny_resume (out, NULL, NULL), 0);
      expect_same (out, reference);
    }
}

/* The probe closes with trials on the whole search split. */
TEST (Resume, optimizer_state_goes_on)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = g_build_filename (folder, "reference", NULL);
  const char *more[] = { "--set", "optimizer.plugin=probe", "--set", "search.epochs=3", NULL };
  g_autofree char *out = NULL;

  EXPECT_INT (tiny_search (reference, more, NULL), 0);
  out = signal_at (folder, "search,2", SIGINT, 130, more);
  EXPECT_INT (tiny_resume (out, NULL, NULL), 0);
  expect_same (out, reference);
}

TEST (Resume, finished_run_says_so)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = run_undisturbed (folder);
  g_autofree char *before = tiny_read (out, "result.json");
  g_autofree char *after = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (tiny_resume (out, NULL, &err), 0);
  EXPECT_TRUE (strstr (err, "finished") != NULL);
  EXPECT_TRUE (strstr (err, "memory: ") == NULL);
  after = tiny_read (out, "result.json");
  EXPECT_STRING (after, before);
}

TEST (Resume, another_config_is_refused_by_key)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = signal_at (folder, "pretrain,1", SIGINT, 130, NULL);
  g_autofree char *config_path = g_build_filename (out, "config.ini", NULL);
  const char *more[] = { "--set", "retrain.epochs=4", NULL };
  g_autofree char *err = NULL;
  g_autofree char *edited_err = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *edited = NULL;
  g_autoptr (GError) error = NULL;

  EXPECT_INT (tiny_resume (out, more, &err), 2);
  EXPECT_TRUE (strstr (err, "[retrain] epochs is 4 in the config given, 3 in") != NULL);

  text = tiny_read (out, "config.ini");
  parts = g_strsplit (text, "momentum = 0.9", 0);
  edited = g_strjoinv ("momentum = 0.8", parts);
  g_file_set_contents (config_path, edited, -1, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_INT (tiny_resume (out, NULL, &edited_err), 2);
  EXPECT_TRUE (strstr (edited_err, "checkpoint.npz is of another config") != NULL);
  EXPECT_TRUE (strstr (edited_err, "[training] momentum is 0.8") != NULL);
}

TEST (Resume, damaged_checkpoint_is_refused)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = signal_at (folder, "pretrain,1", SIGINT, 130, NULL);
  g_autofree char *path = g_build_filename (out, "checkpoint.npz", NULL);
  g_autofree char *content = NULL;
  gsize size = 0;

  REQUIRE (g_file_get_contents (path, &content, &size, NULL));
  /* Cut off at many places; last, whole but with a letter of the config changed, which only its checksum tells. */
  for (guint part = 0; part <= 8; part++)
    {
      g_autofree char *err = NULL;
      char *letter = memmem (content, size, "latency-threshold", strlen ("latency-threshold"));

      REQUIRE (letter != NULL);
      *letter ^= part == 8;
      g_file_set_contents (path, content, size * part / 8, NULL);
      EXPECT_INT (tiny_resume (out, NULL, &err), 1);
      EXPECT_TRUE (strstr (err, "checkpoint.npz") != NULL);
    }
}

TEST (Resume, a_checkpoint_that_lacks_an_array_is_named_once)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = signal_at (folder, "pretrain,1", SIGINT, 130, NULL);
  g_autofree char *path = g_build_filename (out, "checkpoint.npz", NULL);
  g_autofree char *message = g_strdup_printf ("cleave: %s: no array config", path);
  g_autofree char *err = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveArchiveWriter) writer = cleave_archive_writer_new (path, &error);
  const gint64 number = 1;

  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (npz_write_array (writer, "position", NPY_INT64, 0, NULL, &number, &error));
  EXPECT_TRUE (cleave_archive_writer_close (writer, &error));
  EXPECT_NO_ERROR (error);
  EXPECT_INT (tiny_resume (out, NULL, &err), 1);
  EXPECT_TRUE (strstr (err, message) != NULL);
}

TEST (Resume, no_run_folder_is_refused)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *err = NULL;

  EXPECT_INT (tiny_resume (folder, NULL, &err), 2);
  EXPECT_TRUE (strstr (err, "no run folder") != NULL);
}

/* A file may not grow beyond this in the command: a full disk without one. */
static void
limit_file_size (gpointer data)
{
  struct rlimit limit = { 6000, 6000 };

  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &limit);
}

TEST (Resume, full_disk_loses_nothing)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *reference = run_undisturbed (folder);
  g_autofree char *config = tiny_write_config (folder);
  g_autofree char *command = tiny_command ();
  g_autofree char *out = g_build_filename (folder, "full", NULL);
  char *arguments[] = { command, "search", config, "--plugin-path", (char *)tiny_plugins (), "--out", out, NULL };
  g_autofree char *err = NULL;
  g_autoptr (GError) error = NULL;
  int wait_status = 0;

  g_spawn_sync (NULL, arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, limit_file_size, NULL, NULL, &err, &wait_status,
                &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (!g_spawn_check_wait_status (wait_status, NULL));
  EXPECT_TRUE (strstr (err, "checkpoint.npz") != NULL);
  EXPECT_TRUE (!tiny_exists (out, "checkpoint.npz"));
  EXPECT_INT (tiny_resume (out, NULL, NULL), 0);
  expect_same (out, reference);
}
