/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave compare: runs every method with every seed, then sets them side by side. */

#include "cli.h"
#include "compare-jobs.h"
#include "comparison-picture.h"
#include "comparison-text.h"
#include "comparison.h"
#include "latency-space.h"
#include "page.h"
#include "run-folder.h"
#include "settings.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define MOST_SEEDS 1000
#define MOST_JOBS 256

typedef struct
{
  char *out;
  int seeds;
  int jobs;
} CompareOptions;

/* A method: a config that is run with several seeds. */
typedef struct
{
  char *name;
  char *config_name; /* borrowed */
  CleaveSettings *settings;
  CleaveComponents *components;
  char *config_text; /* resolved */
} Method;

static void
method_free (gpointer data)
{
  Method *self = data;

  g_free (self->name);
  g_clear_pointer (&self->settings, cleave_settings_free);
  g_clear_pointer (&self->components, cleave_components_free);
  g_free (self->config_text);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Method, method_free)

/* --- what is asked for --- */

static Method *
load_method (const CliShared *shared, CleaveHost *host, char *config_name, GError **error)
{
  g_autoptr (Method) self = g_new0 (Method, 1);
  g_autoptr (CleaveConfig) config = cli_load_config (config_name, shared, error);

  if (config == NULL)
    return NULL;
  self->config_name = config_name;
  self->name = cli_config_name (config_name);
  self->settings = cleave_settings_new (config, error);
  self->components = self->settings != NULL ? cleave_components_new (host, config, error) : NULL;
  self->config_text = self->components != NULL ? cleave_run_resolve_config (host, config, error) : NULL;
  return self->config_text != NULL ? g_steal_pointer (&self) : NULL;
}

/* One figure has one threshold and one drop rate, and a name stands for one method. */
static gboolean
check_method (const Method *self, const Method *other, GError **error)
{
  double threshold_ms = self->settings->objective->latency_threshold;
  double other_threshold_ms = other->settings->objective->latency_threshold;
  double drop_rate = cleave_channel_drop_rate (CLEAVE_CHANNEL (self->components->channel));
  double other_drop_rate = cleave_channel_drop_rate (CLEAVE_CHANNEL (other->components->channel));

  if (g_str_equal (self->name, other->name))
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s and %s are both called %s, expected different names",
                 other->config_name, self->config_name, self->name);
  else if (threshold_ms != other_threshold_ms)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                 "[objective] latency-threshold is %g ms in %s and %g ms in %s, expected the same in all", threshold_ms,
                 self->name, other_threshold_ms, other->name);
  else if (drop_rate != other_drop_rate)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                 "[channel]: the drop rate is %g in %s and %g in %s, expected the same in all", drop_rate, self->name,
                 other_drop_rate, other->name);
  else
    return TRUE;
  return FALSE;
}

/* The seeds that follow must be seeds too. */
static gboolean
check_seeds (const Method *self, guint n_seeds, GError **error)
{
  guint seed = self->settings->run->seed;

  if (n_seeds - 1 <= G_MAXUINT32 - seed)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
               "[run] seed: %u and the %u that follow, expected none above %u", seed, n_seeds - 1, G_MAXUINT32);
  return FALSE;
}

static GPtrArray *
load_methods (const CliShared *shared, CleaveHost *host, GStrv config_names, guint n_seeds, GError **error)
{
  g_autoptr (GPtrArray) methods = g_ptr_array_new_with_free_func (method_free);

  for (gsize i = 0; config_names[i] != NULL; i++)
    {
      g_autoptr (Method) method = load_method (shared, host, config_names[i], error);

      if (method == NULL || !check_seeds (method, n_seeds, error))
        {
          g_prefix_error (error, "%s: ", config_names[i]);
          return NULL;
        }
      for (guint m = 0; m < methods->len; m++)
        if (!check_method (method, methods->pdata[m], error))
          return NULL;
      g_ptr_array_add (methods, g_steal_pointer (&method));
    }
  return g_steal_pointer (&methods);
}

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

/* The method's resolved config with another seed. */
static char *
set_seed (const char *config_text, guint seed)
{
  g_autoptr (GKeyFile) config = g_key_file_new ();
  g_autofree char *number = g_strdup_printf ("%u", seed);

  g_key_file_load_from_data (config, config_text, -1, G_KEY_FILE_NONE, NULL);
  g_key_file_set_value (config, "run", "seed", number);
  return g_key_file_to_data (config, NULL, NULL);
}

static void
add_argument (GPtrArray *arguments, const char *argument)
{
  g_ptr_array_add (arguments, g_strdup (argument));
}

/* The command that does a run with this seed. */
static GPtrArray *
list_arguments (const CliShared *shared, guint seed, guint n_jobs)
{
  GPtrArray *arguments = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  guint n_threads = shared->threads > 0 ? (guint)shared->threads : MAX (1, g_get_num_processors () / n_jobs);

  add_argument (arguments, program);
  add_argument (arguments, "search");
  for (gsize i = 0; shared->plugin_paths != NULL && shared->plugin_paths[i] != NULL; i++)
    {
      add_argument (arguments, "--plugin-path");
      add_argument (arguments, shared->plugin_paths[i]);
    }
  for (gsize i = 0; shared->assignments != NULL && shared->assignments[i] != NULL; i++)
    {
      add_argument (arguments, "--set");
      add_argument (arguments, shared->assignments[i]);
    }
  add_argument (arguments, "--set");
  g_ptr_array_add (arguments, g_strdup_printf ("run.seed=%u", seed));
  add_argument (arguments, "--threads");
  g_ptr_array_add (arguments, g_strdup_printf ("%u", n_threads));
  return arguments;
}

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
make_job (const CliShared *shared, const CompareOptions *options, const Method *method, guint seed, GError **error)
{
  g_autoptr (CompareJob) job = g_new0 (CompareJob, 1);
  g_autofree char *config_text = set_seed (method->config_text, seed);

  job->label = g_strdup_printf ("%s-seed%u", method->name, seed);
  job->folder = g_build_filename (options->out, "runs", job->label, NULL);
  job->command = list_arguments (shared, seed, options->jobs);
  job->config_name = g_strdup (method->config_name);
  for (guint s = 0; s < COMPARE_SHARED_STAGES; s++)
    job->stage_names[s] = cleave_stage_store_name (config_text, s);
  return check_folder (job->folder, config_text, error) ? g_steal_pointer (&job) : NULL;
}

/* Seed after seed, so that all methods can be looked at early. */
static GPtrArray *
make_jobs (const CliShared *shared, const CompareOptions *options, GPtrArray *methods, GError **error)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func ((GDestroyNotify)compare_job_free);

  for (int i = 0; i < options->seeds; i++)
    for (guint m = 0; m < methods->len; m++)
      {
        const Method *method = methods->pdata[m];
        CompareJob *job = make_job (shared, options, method, method->settings->run->seed + i, error);

        if (job == NULL)
          return NULL;
        g_ptr_array_add (jobs, job);
      }
  return g_steal_pointer (&jobs);
}

/* OUT must be new, empty or a comparison's. Gives the folder where runs share stages. */
static char *
make_folders (const char *out, GError **error)
{
  g_autofree char *runs = g_build_filename (out, "runs", NULL);
  g_autofree char *stages = g_build_filename (out, "stages", NULL);

  if (!g_file_test (runs, G_FILE_TEST_IS_DIR) && !cleave_run_folder_make (out, error))
    return NULL;
  if (g_mkdir_with_parents (runs, 0777) == 0 && g_mkdir_with_parents (stages, 0777) == 0)
    return g_steal_pointer (&stages);
  int code = errno;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: can't make folders in it: %s", out, g_strerror (code));
  return NULL;
}

/* --- the comparison --- */

/* No candidate of the method's space has a lower latency. NaN where the choices depend on each other. */
static gboolean
find_bound (const Method *method, double *bound_ms, GError **error)
{
  g_autoptr (GVariant) variables = cleave_space_variables (CLEAVE_SPACE (method->components->space), error);
  g_autoptr (CleaveLatencySpace) space = NULL;
  g_autoptr (CleaveCandidate) best = NULL;
  g_autoptr (GError) problem = NULL;

  *bound_ms = NAN;
  if (variables == NULL)
    return FALSE;
  space = cleave_latency_space_new (method->components, variables, method->settings->run->seed, &problem);
  if (space == NULL)
    {
      if (g_error_matches (problem, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  best = cleave_latency_space_find_best (space);
  *bound_ms = cleave_latency_space_total_ms (space, cleave_candidate_get_choices (best, NULL));
  return TRUE;
}

static GPtrArray *
load_runs (const CompareOptions *options, GPtrArray *jobs, guint method, guint n_methods, GError **error)
{
  g_autoptr (GPtrArray) runs = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);

  for (int i = 0; i < options->seeds; i++)
    {
      const CompareJob *job = jobs->pdata[i * n_methods + method];
      g_autofree char *path = g_build_filename (job->folder, "result.json", NULL);
      CleaveResult *result = cleave_result_load (path, error);

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
      const Method *method = methods->pdata[m];
      g_autoptr (GPtrArray) runs = load_runs (options, jobs, m, methods->len, error);
      double bound_ms;

      if (runs == NULL || !find_bound (method, &bound_ms, error)
          || !cleave_comparison_add (comparison, method->name, method->config_text, g_steal_pointer (&runs), bound_ms,
                                     error))
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

/* Medians, and the smallest and largest of the runs. */
static void
print_comparison (const CleaveComparison *comparison)
{
  g_autofree char *accuracy_heading = g_strdup_printf ("accuracy at drop rate %g", comparison->drop_rate);
  int width = strlen ("method");

  for (guint m = 0; m < comparison->methods->len; m++)
    width = MAX (width, (int)strlen (((CleaveMethod *)comparison->methods->pdata[m])->name));
  g_print ("%-*s  %-27s  %-30s  within %g ms\n", width, "method", accuracy_heading, "latency",
           comparison->latency_threshold_ms);
  for (guint m = 0; m < comparison->methods->len; m++)
    {
      const CleaveMethod *method = comparison->methods->pdata[m];
      g_autofree char *accuracy = describe_spread (&method->accuracy, 100, "%", 2);
      g_autofree char *latency = describe_spread (&method->latency_ms, 1, "ms", 2);

      /* The three dots are one character in three bytes. */
      g_print ("%-*s  %-29s  %-32s  %u of %u\n", width, method->name, accuracy, latency, method->n_within_threshold,
               method->runs->len);
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

static gboolean
report (const CompareOptions *options, const CliShared *shared, GPtrArray *methods, GPtrArray *jobs, GError **error)
{
  g_autoptr (CleaveComparison) comparison = load_comparison (options, methods, jobs, error);
  g_autofree char *json = NULL;

  if (comparison == NULL)
    return FALSE;
  json = cleave_comparison_to_json (comparison);
  if (!write_comparison (comparison, options->out, json, error))
    return FALSE;
  if (shared->json)
    g_print ("%s", json);
  else
    {
      print_comparison (comparison);
      g_print ("Files  report.html, comparison.csv, comparison.json, comparison.svg and .png, accuracy.svg and .png in "
               "%s\n",
               options->out);
    }
  return TRUE;
}

static gboolean
compare (const CompareOptions *options, const CliShared *shared, GStrv config_names, GError **error)
{
  g_autoptr (CleaveHost) host = check_options (options, error) ? cli_make_host (shared, error) : NULL;
  g_autoptr (GPtrArray) methods
      = host != NULL ? load_methods (shared, host, config_names, options->seeds, error) : NULL;
  g_autoptr (GPtrArray) jobs = methods != NULL ? make_jobs (shared, options, methods, error) : NULL;
  g_autofree char *stages = jobs != NULL ? make_folders (options->out, error) : NULL;
  gboolean done;
  int lock = stages != NULL ? cleave_run_folder_lock (options->out, error) : -1;

  if (lock < 0)
    return FALSE;
  done = compare_jobs_run (jobs, stages, options->jobs, error) && report (options, shared, methods, jobs, error);
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
    { "jobs", 0, 0, G_OPTION_ARG_INT, &options.jobs, "Runs at a time, which share the cores (default: 1)", "N" },
    G_OPTION_ENTRY_NULL,
  };

  arguments
      = cli_parse (argc, argv, "CONFIG…",
                   "Runs several methods, each with several seeds, and sets them side by side: table, figure, "
                   "page. The first CONFIG is compared with the others, its baselines; all must have one latency "
                   "threshold and one drop rate of the channel.\n\nFinished runs are kept, and a stopped one goes "
                   "on: the same command ends what it began, and with more methods or seeds adds to it. Methods "
                   "with the same pre-training share it.",
                   entries, CLI_OPTION_SET | CLI_OPTION_JSON, &shared, 1, G_MAXINT, &error);
  if (arguments == NULL)
    return cli_fail (error);
  options.out = out;
  return compare (&options, &shared, arguments, &error) ? CLI_DONE : cli_fail (error);
}
