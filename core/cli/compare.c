/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave compare: runs every method with every seed, then sets them side by side. */

#include "cli.h"
#include "compare-jobs.h"
#include "compare-methods.h"
#include "comparison-picture.h"
#include "comparison-text.h"
#include "comparison.h"
#include "page.h"
#include "run-folder.h"

#include <errno.h>
#include <unistd.h>

#define MOST_SEEDS 1000
#define MOST_JOBS 256

/* Of the comparison's folder. */
#define RUNS "runs"       /* a folder a run */
#define STAGES "stages"   /* ends of stages that runs share */
#define CONFIGS "configs" /* a resolved config a run */

typedef struct
{
  char *out;
  int seeds;
  int jobs;
} CompareOptions;

static gboolean
check_options (const CompareOptions *options, GError **error)
{
  if (options->out == NULL)
    cleave_error_set_literal (error, CLEAVE_ERROR_CONFIG,
                              "compare: expected --out DIR, a folder for the comparison; see cleave compare --help");
  else if (options->seeds < 1 || options->seeds > MOST_SEEDS)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "--seeds %d: expected a number from 1 to %d", options->seeds,
                 MOST_SEEDS);
  else if (options->jobs < 1 || options->jobs > MOST_JOBS)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "--jobs %d: expected a number from 1 to %d", options->jobs,
                 MOST_JOBS);
  else
    return TRUE;
  return FALSE;
}

/* --- the runs --- */

/* A folder that is there already must be of the same config, so that nothing is begun that can't be compared. */
static gboolean
check_folder (const char *folder, const char *config_text, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "config.ini", NULL);
  g_autofree char *text = NULL;

  return !g_file_get_contents (path, &text, NULL, NULL)
         || cleave_run_folder_compare_configs ("what is asked for", config_text, path, text, error);
}

static CompareJob *
make_job (const CompareOptions *options, const CompareMethod *method, guint seed, GError **error)
{
  g_autoptr (CompareJob) job = g_new0 (CompareJob, 1);

  job->config_text = compare_method_set_seed (method, seed);
  job->label = g_strdup_printf ("%s-seed%u", method->name, seed);
  job->folder = g_build_filename (options->out, RUNS, job->label, NULL);
  job->config_path = g_strdup_printf ("%s/" CONFIGS "/%s.ini", options->out, job->label);
  for (guint s = 0; s < CLEAVE_N_SHARED_STAGES; s++)
    job->stage_names[s] = cleave_stage_store_name (job->config_text, s);
  return check_folder (job->folder, job->config_text, error) ? g_steal_pointer (&job) : NULL;
}

/* Seed after seed, so that all methods can be looked at early. */
static GPtrArray *
make_jobs (const CompareOptions *options, GPtrArray *methods, GError **error)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func ((GDestroyNotify)compare_job_free);

  for (int i = 0; i < options->seeds; i++)
    for (guint m = 0; m < methods->len; m++)
      {
        const CompareMethod *method = methods->pdata[m];
        CompareJob *job = make_job (options, method, method->seed + i, error);

        if (job == NULL)
          return NULL;
        g_ptr_array_add (jobs, job);
      }
  return g_steal_pointer (&jobs);
}

static gboolean
make_folder (const char *out, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (out, name, NULL);

  if (g_mkdir_with_parents (path, 0777) == 0)
    return TRUE;
  int code = errno;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: can't be made: %s", path, g_strerror (code));
  return FALSE;
}

/* OUT must be new, empty or a comparison's, which its folder of stages tells. A descriptor that keeps others out; −1
 * with an error set. */
static int
enter_folder (const char *out, GError **error)
{
  g_autofree char *stages = g_build_filename (out, STAGES, NULL);

  if (!g_file_test (stages, G_FILE_TEST_IS_DIR) && !cleave_run_folder_make (out, error))
    return -1;
  return cleave_run_folder_lock (out, error);
}

/* Each run has a config of its own there, so that one that is edited meanwhile does no harm. */
static gboolean
make_folders (const char *out, GPtrArray *jobs, GError **error)
{
  if (!make_folder (out, STAGES, error) || !make_folder (out, RUNS, error) || !make_folder (out, CONFIGS, error))
    return FALSE;
  for (guint i = 0; i < jobs->len; i++)
    {
      const CompareJob *job = jobs->pdata[i];

      if (!cleave_file_replace (job->config_path, job->config_text, -1, error))
        return FALSE;
    }
  return TRUE;
}

/* What every `cleave search` is given: plugins, and its share of the cores. */
static GPtrArray *
list_search_options (const CliShared *shared, guint n_at_once)
{
  GPtrArray *arguments = g_ptr_array_new_with_free_func (g_free);
  guint n_threads = shared->threads > 0 ? (guint)shared->threads : MAX (1, g_get_num_processors () / n_at_once);

  for (gsize i = 0; shared->plugin_paths != NULL && shared->plugin_paths[i] != NULL; i++)
    {
      g_ptr_array_add (arguments, g_strdup ("--plugin-path"));
      g_ptr_array_add (arguments, g_strdup (shared->plugin_paths[i]));
    }
  g_ptr_array_add (arguments, g_strdup ("--threads"));
  g_ptr_array_add (arguments, g_strdup_printf ("%u", n_threads));
  g_ptr_array_add (arguments, NULL);
  return arguments;
}

static gboolean
run_jobs (const CompareOptions *options, const CliShared *shared, GPtrArray *jobs, GError **error)
{
  guint n_left = 0, n_at_once;
  g_autofree char *stages = g_build_filename (options->out, STAGES, NULL);
  g_autoptr (GPtrArray) search_options = NULL;

  for (guint i = 0; i < jobs->len; i++)
    n_left += !compare_job_is_finished (jobs->pdata[i]);
  n_at_once = CLAMP (n_left, 1, (guint)options->jobs);
  search_options = list_search_options (shared, n_at_once);
  return compare_jobs_run (jobs, (const char *const *)search_options->pdata, stages, n_at_once, error);
}

/* --- the comparison --- */

static GPtrArray *
load_runs (const CompareOptions *options, GPtrArray *jobs, guint method, guint n_methods, GError **error)
{
  g_autoptr (GPtrArray) runs = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);

  for (int i = 0; i < options->seeds; i++)
    {
      const CompareJob *job = jobs->pdata[i * n_methods + method];
      CleaveResult *result = cleave_run_load_result (job->folder, error);

      if (result == NULL)
        return NULL;
      g_ptr_array_add (runs, result);
    }
  return g_steal_pointer (&runs);
}

static CleaveComparison *
load_comparison (const CompareOptions *options, GPtrArray *methods, GPtrArray *jobs, GError **error)
{
  g_autoptr (CleaveComparison) comparison = cleave_comparison_new ();

  for (guint m = 0; m < methods->len; m++)
    {
      const CompareMethod *method = methods->pdata[m];
      g_autoptr (GPtrArray) runs = load_runs (options, jobs, m, methods->len, error);

      if (runs == NULL
          || !cleave_comparison_add (comparison, method->name, method->config_text, g_steal_pointer (&runs),
                                     method->bound_ms, error))
        return NULL;
    }
  return g_steal_pointer (&comparison);
}

static char *
describe_spread (const CleaveSpread *spread, double scale, const char *unit, guint n_digits)
{
  return g_strdup_printf ("%.*f %s (%.*f … %.*f)", n_digits, scale * spread->median, unit, n_digits,
                          scale * spread->minimum, n_digits, scale * spread->maximum);
}

/* Spaces up to a width in characters. */
static void
print_padding (const char *text, glong width)
{
  for (glong i = g_utf8_strlen (text, -1); i < width; i++)
    g_print (" ");
}

static void
print_row (glong name_width, const char *name, const char *accuracy, const char *latency, const char *within)
{
  g_print ("%s", name);
  print_padding (name, name_width + 2);
  g_print ("%s", accuracy);
  print_padding (accuracy, 29);
  g_print ("%s", latency);
  print_padding (latency, 32);
  g_print ("%s\n", within);
}

/* Medians, and the smallest and largest of the runs. */
static void
print_comparison (const CleaveComparison *comparison)
{
  g_autofree char *accuracy_heading = g_strdup_printf ("accuracy at drop rate %g", comparison->drop_rate);
  g_autofree char *within_heading = g_strdup_printf ("within %g ms", comparison->latency_threshold_ms);
  glong width = g_utf8_strlen ("method", -1);

  for (guint m = 0; m < comparison->methods->len; m++)
    width = MAX (width, g_utf8_strlen (((CleaveMethod *)comparison->methods->pdata[m])->name, -1));
  print_row (width, "method", accuracy_heading, "latency", within_heading);
  for (guint m = 0; m < comparison->methods->len; m++)
    {
      const CleaveMethod *method = comparison->methods->pdata[m];
      g_autofree char *accuracy = describe_spread (&method->accuracy, 100, "%", 2);
      g_autofree char *latency = describe_spread (&method->latency_ms, 1, "ms", 2);
      g_autofree char *within = g_strdup_printf ("%u of %u", method->n_within_threshold, method->runs->len);

      print_row (width, method->name, accuracy, latency, within);
    }
}

static gboolean
write_text (const char *folder, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return cleave_file_replace (path, text, -1, error);
}

static gboolean
write_comparison (const CleaveComparison *comparison, const char *folder, const char *json, GError **error)
{
  g_autofree char *csv = cleave_comparison_to_csv (comparison);

  return write_text (folder, "comparison.csv", csv, error) && write_text (folder, "comparison.json", json, error)
         && cleave_comparison_draw (comparison, folder, error) && cleave_page_write (comparison, folder, error);
}

/* Files last: what was found is told even where they can't be written. */
static gboolean
report (const CompareOptions *options, const CliShared *shared, GPtrArray *methods, GPtrArray *jobs, GError **error)
{
  g_autoptr (CleaveComparison) comparison = load_comparison (options, methods, jobs, error);
  g_autofree char *json = NULL;

  if (comparison == NULL)
    return FALSE;
  json = cleave_comparison_to_json (comparison);
  if (shared->json)
    cli_print_json (json);
  else
    print_comparison (comparison);
  if (!write_comparison (comparison, options->out, json, error))
    return FALSE;
  if (!shared->json)
    g_print ("Files  report.html, comparison.csv, comparison.json, comparison.svg and .png, accuracy.svg and .png in "
             "%s\n",
             options->out);
  return TRUE;
}

static gboolean
compare (const CompareOptions *options, const CliShared *shared, GStrv config_names, GError **error)
{
  g_autoptr (GPtrArray) methods = NULL;
  g_autoptr (GPtrArray) jobs = NULL;
  gboolean done;
  int lock;

  if (!check_options (options, error))
    return FALSE;
  methods = compare_methods_load (shared, config_names, options->seeds, error);
  jobs = methods != NULL ? make_jobs (options, methods, error) : NULL;
  lock = jobs != NULL ? enter_folder (options->out, error) : -1;
  if (lock < 0)
    return FALSE;
  done = make_folders (options->out, jobs, error) && run_jobs (options, shared, jobs, error)
         && report (options, shared, methods, jobs, error);
  close (lock);
  return done;
}

int
cli_compare (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (CliShared) shared = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autofree char *out = NULL;
  CompareOptions options = { .seeds = 1, .jobs = 1 };
  const GOptionEntry entries[] = {
    { "seeds", 0, 0, G_OPTION_ARG_INT, &options.seeds,
      "Run every method so often, with the config's seed and those that follow (default: 1)", "N" },
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Folder for the comparison, new, empty or one to go on with", "DIR" },
    { "jobs", 0, 0, G_OPTION_ARG_INT, &options.jobs,
      "Runs at a time, which share the cores unless --threads is given (default: 1)", "N" },
    G_OPTION_ENTRY_NULL,
  };

  arguments = cli_parse (argc, argv, "CONFIG…",
                         "Runs several methods, each with several seeds, and sets them side by side: table, figure, "
                         "page. The first CONFIG is compared with the others, its baselines; all must have one latency "
                         "threshold, drop rate and data set. A method is called like the file of its "
                         "CONFIG.\n\nFinished runs are kept, and a stopped one goes "
                         "on: the same command ends what it began, and with more methods or seeds adds to it. Methods "
                         "with the same pre-training share it.",
                         entries, CLI_OPTION_SET | CLI_OPTION_JSON, &shared, 1, G_MAXINT, &error);
  if (arguments == NULL)
    return cli_fail (error);
  options.out = out;
  return compare (&options, &shared, arguments, &error) ? CLI_DONE : cli_fail (error);
}
