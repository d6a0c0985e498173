/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watches the process in which a plugin is checked: it may crash, hang, or take all memory. */

#include "check-plugin.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often time and memory are looked at. A process takes some 100 MB meanwhile at most. */
#define POLL_INTERVAL_MS 20
/* Where the child finds its end of the pipe. */
#define REPORT_FD 3

typedef struct
{
  GMainLoop *loop;
  GPid pid;
  siginfo_t ended; /* si_pid is 0 until the child has ended */
  const CheckPluginOptions *options;
  int fd;
  GString *text; /* told, and no whole line yet */
  CheckPluginLineFunc func;
  gpointer data;
  gint64 since; /* µs, monotonic: when it last told something */
  char *reason; /* nullable: why it was killed */
  gboolean is_stopped;
} Watch;

/* A process group of its own, so that what it starts can be ended with it. */
static void
set_up_child (gpointer data)
{
  const struct rlimit no_core = { 0, 0 };

  setpgid (0, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  setrlimit (RLIMIT_CORE, &no_core);
}

static void
end_child (Watch *self)
{
  kill (-self->pid, SIGKILL);
}

static void
take_lines (Watch *self)
{
  char *end;

  while ((end = memchr (self->text->str, '\n', self->text->len)) != NULL)
    {
      g_autofree char *line = g_strndup (self->text->str, end - self->text->str);
      g_auto (GStrv) fields = g_strsplit (line, "\t", -1);

      g_string_erase (self->text, 0, end + 1 - self->text->str);
      self->since = g_get_monotonic_time ();
      self->func (self->data, fields);
    }
}

/* Whether more may come. */
static gboolean
read_lines (Watch *self)
{
  char buffer[4096];
  gssize n;

  while ((n = read (self->fd, buffer, sizeof buffer)) > 0)
    {
      g_string_append_len (self->text, buffer, n);
      take_lines (self);
    }
  return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static gboolean
on_readable (gint fd, GIOCondition condition, gpointer data)
{
  return read_lines (data);
}

/* Memory that the child has in use, in bytes; 0 where that can't be told. */
static double
get_memory (Watch *self)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/statm", (int)self->pid);
  g_autofree char *text = NULL;
  unsigned long n_pages = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL) || sscanf (text, "%*u %lu", &n_pages) != 1)
    return 0;
  return (double)n_pages * sysconf (_SC_PAGESIZE);
}

/* What the plugin has started ends with the child, which is waited for last: until then its group's number is no
 * other's. */
static gboolean
has_ended (Watch *self)
{
  if (waitid (P_PID, self->pid, &self->ended, WEXITED | WNOHANG | WNOWAIT) == 0 && self->ended.si_pid == 0)
    return FALSE;
  end_child (self);
  waitpid (self->pid, NULL, 0);
  return TRUE;
}

static gboolean
on_poll (gpointer data)
{
  Watch *self = data;

  if (has_ended (self))
    {
      read_lines (self);
      g_main_loop_quit (self->loop);
      return G_SOURCE_CONTINUE;
    }
  const double seconds = (double)(g_get_monotonic_time () - self->since) / G_USEC_PER_SEC;
  const double gibibytes = get_memory (self) / (1 << 30);

  if (self->reason == NULL && seconds > self->options->time_limit)
    self->reason = g_strdup_printf ("took more than %g s", self->options->time_limit);
  else if (self->reason == NULL && gibibytes > self->options->memory_limit)
    self->reason = g_strdup_printf ("took more than %g GiB of memory", self->options->memory_limit);
  if (self->reason != NULL)
    end_child (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal (gpointer data)
{
  Watch *self = data;

  self->is_stopped = TRUE;
  end_child (self);
  return G_SOURCE_CONTINUE;
}

/* What a plugin prints goes to stderr, so that stdout has the report and nothing else. */
static gboolean
start (Watch *self, char **arguments, GError **error)
{
  /* GLib's own allocator hides leaks in its pages. */
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "G_SLICE", "always-malloc", TRUE);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  const int report_fd = REPORT_FD;
  gboolean is_started;
  int ends[2];

  if (!g_unix_open_pipe (ends, FD_CLOEXEC, error))
    return FALSE;
  g_ptr_array_add (all, g_strdup ("/proc/self/exe"));
  g_ptr_array_add (all, g_strdup (arguments[0]));
  g_ptr_array_add (all, g_strdup_printf ("--report-fd=%d", REPORT_FD));
  for (char **argument = arguments + 1; *argument != NULL; argument++)
    g_ptr_array_add (all, g_strdup (*argument));
  g_ptr_array_add (all, NULL);
  self->fd = ends[0];
  g_unix_set_fd_nonblocking (self->fd, TRUE, NULL);
  signal (SIGCHLD, SIG_DFL); /* who started this command may ignore it: no child could be waited for */
  is_started = g_spawn_async_with_pipes_and_fds (
      NULL, (const char *const *)all->pdata, (const char *const *)environment, G_SPAWN_DO_NOT_REAP_CHILD, set_up_child,
      NULL, -1, STDERR_FILENO, -1, &ends[1], &report_fd, 1, &self->pid, NULL, NULL, NULL, error);
  close (ends[1]);
  return is_started;
}

static void
run_loop (Watch *self)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  guint sources[G_N_ELEMENTS (numbers)] = { 0 };
  guint timer = g_timeout_add (POLL_INTERVAL_MS, on_poll, self);
  GSource *reader = g_unix_fd_source_new (self->fd, G_IO_IN | G_IO_HUP);

  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!cli_is_signal_ignored (numbers[i]))
      sources[i] = g_unix_signal_add (numbers[i], on_signal, self);
  g_source_set_callback (reader, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (reader, NULL);
  self->since = g_get_monotonic_time ();
  g_main_loop_run (self->loop);
  g_source_destroy (reader);
  g_source_unref (reader);
  g_source_remove (timer);
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    if (sources[i] != 0)
      g_source_remove (sources[i]);
}

static char *
describe_end (Watch *self)
{
  if (self->reason != NULL)
    return g_strdup (self->reason);
  if (self->ended.si_code != CLD_EXITED)
    return g_strdup_printf ("crashed (SIG%s)", sigabbrev_np (self->ended.si_status));
  if (self->ended.si_status != 0)
    return g_strdup_printf ("ended the process with status %d", self->ended.si_status);
  return NULL;
}

gboolean
check_plugin_watch (char **arguments, const CheckPluginOptions *options, CheckPluginLineFunc func, gpointer data,
                    char **end, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Watch self = { .loop = loop, .options = options, .fd = -1, .func = func, .data = data };
  g_autoptr (GError) problem = NULL;

  self.text = g_string_new (NULL);
  if (start (&self, arguments, &problem))
    {
      run_loop (&self);
      if (self.is_stopped)
        cleave_error_set_literal (&problem, CLEAVE_ERROR_CANCELLED, "stopped");
      else
        *end = describe_end (&self);
    }
  if (self.fd >= 0)
    close (self.fd);
  g_string_free (self.text, TRUE);
  g_free (self.reason);
  if (problem == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}
