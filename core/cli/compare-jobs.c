/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "compare-jobs.h"

#include "cli.h"
#include "run-picture.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* How soon a run that waits for another's stage notices that it has ended. */
#define POLL_INTERVAL_MS 500

typedef struct _Schedule Schedule;

typedef struct
{
  Schedule *schedule; /* borrowed */
  CompareJob *job;    /* borrowed */
  GSubprocess *process;
  GDataInputStream *messages; /* its stderr */
  gboolean ended;
  gboolean drained; /* all that it said has been read */
} Child;

struct _Schedule
{
  GMainLoop *loop;
  GPtrArray *waiting; /* CompareJob, borrowed */
  GPtrArray *running; /* Child */
  const char *const *options;
  const char *stages_folder;
  guint n_at_once;
  guint n_failed;
  gboolean stopping;
};

void
compare_job_free (CompareJob *self)
{
  g_free (self->label);
  g_free (self->folder);
  g_free (self->config_text);
  g_free (self->config_path);
  for (guint s = 0; s < CLEAVE_N_SHARED_STAGES; s++)
    g_free (self->stage_names[s]);
  g_free (self);
}

static gboolean
has_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

gboolean
compare_job_is_finished (const CompareJob *self)
{
  return has_file (self->folder, "result.json") && cleave_run_is_drawn (self->folder);
}

static void
child_free (gpointer data)
{
  Child *self = data;

  g_clear_object (&self->process);
  g_clear_object (&self->messages);
  g_free (self);
}

/* Whether a run has gone beyond a stage: then it leaves nothing of it any more, and needs nothing. */
static gboolean
has_passed (const CompareJob *job, CleaveStage stage)
{
  g_autofree char *path = g_build_filename (job->folder, "metrics.csv", NULL);
  g_autofree char *metrics = NULL;

  if (!g_file_get_contents (path, &metrics, NULL, NULL))
    return FALSE;
  for (CleaveStage later = stage + 1; later <= CLEAVE_STAGE_RETRAIN; later++)
    {
      g_autofree char *row = g_strdup_printf ("\n%s,", cleave_stage_to_string (later));

      if (strstr (metrics, row) != NULL)
        return TRUE;
    }
  return FALSE;
}

/* Whether a running one is about to leave a stage that this one needs too. */
static gboolean
should_wait (Schedule *self, const CompareJob *job)
{
  for (guint s = 0; s < CLEAVE_N_SHARED_STAGES; s++)
    {
      if (has_file (self->stages_folder, job->stage_names[s]) || has_passed (job, s))
        continue;
      for (guint i = 0; i < self->running->len; i++)
        {
          const Child *child = self->running->pdata[i];

          if (g_str_equal (child->job->stage_names[s], job->stage_names[s]) && !has_passed (child->job, s))
            return TRUE;
        }
    }
  return FALSE;
}

/* In a process group of its own, so that a terminal's Ctrl-C reaches it once, from here. Should this process be killed,
 * it ends at once too: one that took its time would still hold its folder when the comparison is gone on with. */
static void
set_up_child (gpointer data)
{
  setpgid (0, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static void read_message (Child *child);
static gboolean start_ready (gpointer data);

static void
leave_if_done (Child *child)
{
  Schedule *self = child->schedule;

  if (!child->ended || !child->drained)
    return;
  g_ptr_array_remove (self->running, child);
  start_ready (self);
}

static void
on_message (GObject *source, GAsyncResult *result, gpointer data)
{
  Child *child = data;
  g_autofree char *line = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, NULL, NULL);

  if (line == NULL)
    {
      child->drained = TRUE;
      leave_if_done (child);
      return;
    }
  if (line[0] != '\0')
    g_printerr ("%s: %s\n", child->job->label, line);
  read_message (child);
}

static void
read_message (Child *child)
{
  g_data_input_stream_read_line_async (child->messages, G_PRIORITY_DEFAULT, NULL, on_message, child);
}

/* Whether it has ended as a run does that is told to stop: its checkpoint written, before it began, or at once. */
static gboolean
was_stopped (GSubprocess *process)
{
  if (g_subprocess_get_if_signaled (process))
    return g_subprocess_get_term_sig (process) == SIGTERM;
  return g_subprocess_get_exit_status (process) == CLI_INTERRUPTED;
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer data)
{
  Child *child = data;
  Schedule *self = child->schedule;

  g_subprocess_wait_finish (child->process, result, NULL);
  child->ended = TRUE;
  if (g_subprocess_get_successful (child->process))
    g_printerr ("%s: finished\n", child->job->label);
  else if (!self->stopping || !was_stopped (child->process))
    self->n_failed++;
  leave_if_done (child);
}

/* This very program, even if its file has been replaced meanwhile. */
static GPtrArray *
make_arguments (Schedule *self, const CompareJob *job)
{
  GPtrArray *arguments = g_ptr_array_new ();
  const char *const own[] = {
    "--stages", self->stages_folder, has_file (job->folder, "config.ini") ? "--resume" : "--out", job->folder,
    "--",       job->config_path,
  };

  g_ptr_array_add (arguments, (gpointer) "/proc/self/exe");
  g_ptr_array_add (arguments, (gpointer) "search");
  for (gsize i = 0; self->options[i] != NULL; i++)
    g_ptr_array_add (arguments, (gpointer)self->options[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (own); i++)
    g_ptr_array_add (arguments, (gpointer)own[i]);
  g_ptr_array_add (arguments, NULL);
  return arguments;
}

static gboolean
start (Schedule *self, CompareJob *job, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GPtrArray) arguments = make_arguments (self, job);
  g_autoptr (GError) problem = NULL;
  Child *child = g_new0 (Child, 1);

  child->schedule = self;
  child->job = job;
  g_subprocess_launcher_set_child_setup (launcher, set_up_child, NULL, NULL);
  child->process = g_subprocess_launcher_spawnv (launcher, (const char *const *)arguments->pdata, &problem);
  if (child->process == NULL)
    {
      child_free (child);
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: can't be started: %s", job->label, problem->message);
      return FALSE;
    }
  child->messages = g_data_input_stream_new (g_subprocess_get_stderr_pipe (child->process));
  g_ptr_array_add (self->running, child);
  g_subprocess_wait_async (child->process, NULL, on_end, child);
  read_message (child);
  return TRUE;
}

/* Starts what may start now; one that can't be started counts as failed. */
static gboolean
start_ready (gpointer data)
{
  Schedule *self = data;

  for (guint i = 0; !self->stopping && i < self->waiting->len && self->running->len < self->n_at_once;)
    {
      CompareJob *job = self->waiting->pdata[i];
      g_autoptr (GError) error = NULL;

      if (should_wait (self, job))
        {
          i++;
          continue;
        }
      g_ptr_array_remove_index (self->waiting, i);
      if (!start (self, job, &error))
        {
          g_printerr ("cleave: %s\n", error->message);
          self->n_failed++;
        }
    }
  if (self->running->len == 0)
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

/* The first signal has all runs write a checkpoint; a second one ends them at once. */
static gboolean
on_signal (gpointer data)
{
  Schedule *self = data;
  gboolean first = !self->stopping;

  self->stopping = TRUE;
  for (guint i = 0; i < self->running->len; i++)
    g_subprocess_send_signal (((Child *)self->running->pdata[i])->process, SIGTERM);
  if (first)
    g_printerr ("\ncleave: the runs finish their steps; once more ends at once\n");
  return G_SOURCE_CONTINUE;
}

/* Where what reads our messages has ended before us, as at Ctrl-C, the runs must still be told to stop. */
static void
run_loop (Schedule *self)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  guint timer = g_timeout_add (POLL_INTERVAL_MS, start_ready, self);
  guint watches[G_N_ELEMENTS (numbers)] = { 0 };

  signal (SIGPIPE, SIG_IGN);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!cli_is_signal_ignored (numbers[i]))
      watches[i] = g_unix_signal_add (numbers[i], on_signal, self);
  start_ready (self);
  g_main_loop_run (self->loop);
  g_source_remove (timer);
  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    if (watches[i] != 0)
      g_source_remove (watches[i]);
}

gboolean
compare_jobs_run (GPtrArray *jobs, const char *const *options, const char *stages_folder, guint n_at_once,
                  GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();
  g_autoptr (GPtrArray) running = g_ptr_array_new_with_free_func (child_free);
  Schedule self = {
    .loop = loop,
    .waiting = waiting,
    .running = running,
    .options = options,
    .stages_folder = stages_folder,
    .n_at_once = n_at_once,
  };

  for (guint i = 0; i < jobs->len; i++)
    if (!compare_job_is_finished (jobs->pdata[i]))
      g_ptr_array_add (waiting, jobs->pdata[i]);
  if (waiting->len < jobs->len)
    g_printerr ("%u of %u runs are finished already\n", jobs->len - waiting->len, jobs->len);
  if (waiting->len > 0)
    run_loop (&self);
  if (self.n_failed > 0)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%u of %u runs failed; the same command goes on with them",
                 self.n_failed, jobs->len);
  else if (self.stopping)
    cleave_error_set_literal (error, CLEAVE_ERROR_CANCELLED, "stopped; the same command goes on");
  return self.n_failed == 0 && !self.stopping;
}
