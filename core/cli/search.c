/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave search: pre-trains, searches, re-trains, and says what was found. */

#include "cli.h"
#include "progress.h"
#include "run-memory.h"
#include "run-picture.h"
#include "settings.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  char *out;
  char *resume;
  char *stages;
} SearchOptions;

static volatile sig_atomic_t stop_signalled;

static void
note_signal (int number)
{
  static const char message[] = "\ncleave: finishing this step; once more ends at once\n";

  stop_signalled = 1;
  if (write (STDERR_FILENO, message, sizeof message - 1) < 0)
    return;
}

/* A second signal finds the default action again and ends the process. Where what reads our messages has ended before
 * us, as at Ctrl-C, there is still a checkpoint to write. */
static void
catch_signals (void)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESETHAND | SA_RESTART };

  sigemptyset (&action.sa_mask);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!cli_is_signal_ignored (numbers[i]))
      sigaction (numbers[i], &action, NULL);
  signal (SIGPIPE, SIG_IGN);
}

static gboolean
should_stop (gpointer data)
{
  return stop_signalled != 0;
}

/* runs/NAME-seedN in the current folder. */
static char *
default_folder (const char *config_name, CleaveConfig *config, GError **error)
{
  g_autoptr (CleaveSettings) settings = cleave_settings_new (config, error);
  g_autofree char *name = cli_config_name (config_name);

  if (settings == NULL)
    return NULL;
  return g_strdup_printf ("runs/%s-seed%u", name, settings->run->seed);
}

static CleaveRun *
begin (const CliShared *shared, CleaveHost *host, const char *config_name, char **folder, GError **error)
{
  g_autoptr (CleaveConfig) config = cli_load_config (config_name, shared, error);

  if (config == NULL)
    return NULL;
  if (*folder == NULL)
    *folder = default_folder (config_name, config, error);
  if (*folder == NULL)
    return NULL;
  return cleave_run_new (host, config, *folder, shared->threads, error);
}

/* --set alone asks for the folder's own config with something else in it, which is then refused by name. */
static CleaveRun *
resume (const CliShared *shared, CleaveHost *host, const char *config_name, const char *folder, GError **error)
{
  g_autofree char *own_config = g_build_filename (folder, "config.ini", NULL);
  g_autoptr (CleaveConfig) given = NULL;

  if (config_name == NULL && shared->assignments != NULL && g_file_test (own_config, G_FILE_TEST_EXISTS))
    config_name = own_config;
  if (config_name != NULL)
    {
      given = cli_load_config (config_name, shared, error);
      if (given == NULL)
        return NULL;
    }
  return cleave_run_resume (host, folder, given, shared->threads, error);
}

static void
print_architecture (CleaveResult *result)
{
  gsize n_choices = cleave_candidate_get_length (result->candidate);
  gsize width = 0;

  for (gsize i = 0; i + 1 < n_choices; i++)
    width = MAX (width, strlen (result->variable_names[i]));
  g_print ("Architecture\n");
  for (gsize i = 0; i + 1 < n_choices; i++)
    g_print ("  %-*s  %s\n", (int)width, result->variable_names[i], result->choice_names[i]);
  g_print ("Split     %s\n", result->choice_names[n_choices - 1]);
}

static void
print_result (CleaveResult *result, const char *folder)
{
  const CleaveLatency *latency = &result->latency;

  print_architecture (result);
  g_print ("Latency   %.4f ms: head %.4f + transfer %.4f + tail %.4f; threshold %g ms\n", latency->total_ms,
           latency->head_ms, latency->transfer_ms, latency->tail_ms, result->latency_threshold_ms);
  g_print ("Payload   %" G_GSIZE_FORMAT " elements, %.0f bit\n", latency->payload_elements, latency->payload_bits);
  for (guint i = 0; i < result->accuracies->len; i++)
    {
      const CleaveAccuracy *accuracy = &g_array_index (result->accuracies, CleaveAccuracy, i);

      g_print ("%s  %6.2f %% at drop rate %g%s\n", i == 0 ? "Accuracy" : "        ",
               100.0 * accuracy->n_correct / result->n_test_images, accuracy->drop_rate,
               accuracy->drop_rate == result->channel_drop_rate ? " (the channel's)" : "");
    }
  g_print ("Files     result.json, model.npz, metrics.csv, trials.csv, config.ini in %s\n", folder);
  g_print ("Pictures  objective, latency and accuracy, each .svg and .png\n");
}

/* Pictures last: what was found is told even where they can't be made. */
static int
report (CleaveResult *result, const char *folder, gboolean json)
{
  g_autoptr (GError) error = NULL;

  if (json)
    {
      g_autofree char *text = cleave_result_to_json (result);

      cli_print_json (text);
    }
  else
    print_result (result, folder);
  if (result->latency.total_ms > result->latency_threshold_ms)
    g_printerr ("cleave: warning: %.4f ms is above the threshold of %g ms\n", result->latency.total_ms,
                result->latency_threshold_ms);
  if (!cleave_run_is_drawn (folder) && !cleave_run_draw (folder, &error))
    return cli_fail (error);
  return CLI_DONE;
}

static gboolean
announce_memory (CleaveRun *run, GError **error)
{
  CleaveMemory memory;
  g_autofree char *text = NULL;
  g_autofree char *warning = NULL;
  guint64 available = cleave_memory_read ("/proc/meminfo", "MemAvailable");

  if (!cleave_memory_estimate (run, &memory, error))
    return FALSE;
  text = cleave_memory_to_string (&memory);
  g_printerr ("%s\n", text);
  if (available > 0)
    warning = cleave_memory_warning (&memory, available);
  if (warning != NULL)
    g_printerr ("cleave: warning: %s\n", warning);
  return TRUE;
}

static int
execute (CleaveRun *run, const char *folder, gboolean json)
{
  CliProgress progress;
  CleaveObserver observer = { cli_progress_show, should_stop, &progress };
  g_autoptr (CleaveResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (cleave_run_is_finished (run))
    g_printerr ("%s: this run is finished; nothing is left to do\n", folder);
  else if (!announce_memory (run, &error))
    return cli_fail (error);
  cli_progress_begin (&progress);
  result = cleave_run_execute (run, &observer, &error);
  cli_progress_end_line (&progress);
  if (result != NULL)
    return report (result, folder, json);
  if (g_error_matches (error, CLEAVE_ERROR, CLEAVE_ERROR_CANCELLED))
    {
      g_autofree char *quoted = g_shell_quote (folder);

      g_printerr ("cleave: %s; go on with: cleave search --resume %s\n", error->message, quoted);
      return CLI_INTERRUPTED;
    }
  return cli_fail (error);
}

static gboolean
check_options (const SearchOptions *options, GStrv arguments, GError **error)
{
  if (options->resume == NULL && arguments[0] == NULL)
    {
      cleave_error_set_literal (error, CLEAVE_ERROR_CONFIG,
                                "search: expected a CONFIG, or --resume DIR; see cleave search --help");
      return FALSE;
    }
  if (options->resume != NULL && options->out != NULL)
    {
      cleave_error_set_literal (error, CLEAVE_ERROR_CONFIG,
                                "search: --resume goes on in its own folder; --out can't be given with it");
      return FALSE;
    }
  return TRUE;
}

static gboolean
share_stages (CleaveRun *run, const char *folder, GError **error)
{
  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      int code = errno;

      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "--stages %s: can't be made: %s", folder, g_strerror (code));
      return FALSE;
    }
  cleave_run_share_stages (run, folder);
  return TRUE;
}

static int
search (const SearchOptions *options, const CliShared *shared, GStrv arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = NULL;
  g_autoptr (CleaveRun) run = NULL;
  g_autofree char *folder = g_strdup (options->resume != NULL ? options->resume : options->out);

  if (!check_options (options, arguments, &error))
    return cli_fail (error);
  catch_signals ();
  host = cli_make_host (shared, &error);
  if (host == NULL)
    return cli_fail (error);
  if (options->resume != NULL)
    run = resume (shared, host, arguments[0], folder, &error);
  else
    run = begin (shared, host, arguments[0], &folder, &error);
  if (run == NULL || (options->stages != NULL && !share_stages (run, options->stages, &error)))
    return cli_fail (error);
  return execute (run, folder, shared->json);
}

int
cli_search (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (CliShared) shared = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autofree char *out = NULL;
  g_autofree char *resume_folder = NULL;
  g_autofree char *stages = NULL;
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Folder for the run, new or empty (default: runs/NAME-seedN)",
      "DIR" },
    { "resume", 0, 0, G_OPTION_ARG_FILENAME, &resume_folder, "Go on with the run in this folder", "DIR" },
    { "stages", 0, 0, G_OPTION_ARG_FILENAME, &stages,
      "Share the ends of pre-training and search with other runs through this folder", "DIR" },
    G_OPTION_ENTRY_NULL,
  };
  SearchOptions options;

  arguments = cli_parse (argc, argv, "[CONFIG]",
                         "Searches architecture and split point together: pre-trains shared weights, searches, "
                         "re-trains what was found.\n\nCONFIG is a file or the name of an installed experiment. "
                         "--resume needs none; one that is given must equal the folder's. Ctrl-C writes a checkpoint.",
                         entries, CLI_OPTION_SET | CLI_OPTION_JSON, &shared, 0, 1, &error);
  if (arguments == NULL)
    return cli_fail (error);
  options = (SearchOptions){ out, resume_folder, stages };
  return search (&options, &shared, arguments);
}
