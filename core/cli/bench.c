/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave bench: how fast this machine trains and runs the networks of a space, and how near that is to its limits. */

#include "bench.h"

#include "cpu.h"
#include "machine.h"

#include <math.h>
#include <unistd.h>

#define DEFAULT_CONFIG "nasc-fbnet"
#define LARGEST_BATCH 65536
#define MOST_STEPS 1000000
#define MOST_IMAGES 1000000000
#define ERASE_LINE "\r\033[K"

static void
bench_clear (Bench *bench)
{
  g_clear_pointer (&bench->architectures, g_ptr_array_unref);
  g_clear_pointer (&bench->gemm_peaks, g_array_unref);
  g_clear_pointer (&bench->engine, nn_engine_free);
  g_clear_pointer (&bench->variables, g_variant_unref);
  g_clear_pointer (&bench->components, cleave_components_free);
  g_clear_pointer (&bench->settings, cleave_settings_free);
  g_free (bench->options.architectures_path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

static gboolean
check_number (const char *option, int value, int minimum, int maximum, GError **error)
{
  if (value >= minimum && value <= maximum)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s %d: expected a whole number from %d to %d", option, value,
               minimum, maximum);
  return FALSE;
}

static gboolean
check_options (const BenchOptions *options, GError **error)
{
  return check_number ("--batch", options->batch, 1, LARGEST_BATCH, error)
         && check_number ("--steps", options->n_steps, 1, MOST_STEPS, error)
         && check_number ("--repeats", options->n_repeats, 1, MOST_STEPS, error)
         && check_number ("--images", options->n_train_images, 2, MOST_IMAGES, error);
}

/* The optimizer's appetite, for the schedule: how many candidates the search scores on each minibatch. */
static gboolean
count_trials (Bench *bench, GError **error)
{
  CleaveOptimizer *optimizer = CLEAVE_OPTIMIZER (bench->components->optimizer);
  g_autoptr (CleaveRandom) random = cleave_random_new (bench->settings->run->seed, 0, 0, 0);
  g_autoptr (CleaveTrials) trials = NULL;

  if (cleave_optimizer_start (optimizer, bench->variables, error))
    trials = cleave_optimizer_ask (optimizer, 0, random, error);
  if (trials == NULL)
    {
      g_prefix_error (error, "[optimizer]: ");
      return FALSE;
    }
  bench->n_trials = cleave_trials_get_length (trials);
  return TRUE;
}

static gboolean
list_architectures (Bench *bench, GError **error)
{
  g_autoptr (GPtrArray) candidates = bench_list_candidates (bench->options.architectures_path, bench->variables, error);

  if (candidates == NULL)
    return FALSE;
  for (guint i = 0; i < candidates->len; i++)
    {
      BenchArchitecture *architecture = bench_architecture_new (bench, candidates->pdata[i], error);

      if (architecture == NULL)
        return FALSE;
      g_ptr_array_add (bench->architectures, architecture);
    }
  return TRUE;
}

static gboolean
prepare (Bench *bench, CleaveHost *host, CleaveConfig *config, const CliShared *shared, GError **error)
{
  NnCpu cpu;

  bench->architectures = g_ptr_array_new_with_free_func ((GDestroyNotify)bench_architecture_free);
  bench->gemm_peaks = g_array_new (FALSE, FALSE, sizeof (double));
  bench->settings = cleave_settings_new (config, error);
  if (bench->settings == NULL)
    return FALSE;
  if (bench->options.batch == 0)
    bench->options.batch = bench->settings->training->batch_size;
  if (!check_options (&bench->options, error))
    return FALSE;
  bench->components = cleave_components_new (host, config, error);
  if (bench->components == NULL)
    return FALSE;
  bench->variables = cleave_space_variables (CLEAVE_SPACE (bench->components->space), error);
  if (bench->variables == NULL || !nn_cpu_choose (&cpu, error))
    return FALSE;
  bench->engine = nn_engine_new (shared->threads, error);
  if (bench->engine == NULL)
    return FALSE;
  bench->cpu = nn_cpu_to_string (cpu);
  bench->n_threads = nn_machine_get_n_threads (bench->engine);
  return count_trials (bench, error) && list_architectures (bench, error);
}

/* One line on a terminal; else nothing, so that what is redirected holds results only. */
static void
show_progress (const char *format, ...)
{
  va_list arguments;

  if (!isatty (STDERR_FILENO))
    return;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr (ERASE_LINE "%s", text);
}

/* The whole list once; WHAT tells the user which time. */
static gboolean
run_list (Bench *bench, const char *what, gboolean profile, GError **error)
{
  for (guint i = 0; i < bench->architectures->len; i++)
    {
      show_progress ("%s, architecture %u/%u", what, i + 1, bench->architectures->len);
      if (!bench_architecture_run (bench->architectures->pdata[i], bench, profile, error))
        {
          g_prefix_error (error, "architecture %u: ", i + 1);
          return FALSE;
        }
    }
  return TRUE;
}

/* The peak is measured anew for each repeat: a machine's speed drifts. */
static gboolean
measure (Bench *bench, GError **error)
{
  const BenchOptions *options = &bench->options;

  show_progress ("memory");
  bench->memory_bandwidth = nn_machine_measure_bandwidth (bench->engine, error);
  if (isnan (bench->memory_bandwidth))
    return FALSE;
  for (int repeat = 0; repeat < options->n_repeats; repeat++)
    {
      g_autofree char *what = g_strdup_printf ("repeat %d/%d", repeat + 1, options->n_repeats);
      double peak = nn_machine_measure_gemm (bench->engine);

      g_array_append_val (bench->gemm_peaks, peak);
      if (!run_list (bench, what, FALSE, error))
        return FALSE;
    }
  return !options->profile || (run_list (bench, "profile", TRUE, error) && bench_measure_augmentation (bench, error));
}

static gboolean
run_bench (Bench *bench, const CliShared *shared, GError **error)
{
  g_autoptr (CleaveConfig) config = cli_load_config (bench->options.config_name, shared, error);
  g_autoptr (CleaveHost) host = config != NULL ? cli_make_host (shared, error) : NULL;
  gboolean done;

  if (host == NULL || !prepare (bench, host, config, shared, error))
    return FALSE;
  done = measure (bench, error);
  show_progress ("");
  if (!done)
    return FALSE;
  if (shared->json)
    bench_print_json (bench);
  else
    bench_print_text (bench);
  return TRUE;
}

static const char summary[]
    = "Measures how fast this machine works on architectures of the config's space, and what its limits are. Images "
      "are\nrandom; no data set is read.\n\n"
      "  train     a step of re-training: forward, dropout at the middle split point, loss, backward, SGD\n"
      "  pretrain  the same with network and plan made anew, as pre-training does for every candidate\n"
      "  infer     forward with running statistics, nothing lost\n"
      "  score     the search's loss of a candidate: the head once, the tail for each of the config's drop rates\n\n"
      "Each is timed over --steps steps on one minibatch, after one to warm up, for every architecture; images/s are "
      "those\nof the whole list by the whole time, the median of --repeats repeats. An operation is a multiplication "
      "or "
      "an\naddition in a convolution or linear layer; a training step counts three forward passes. The GEMM peak is "
      "what\nmatrix products in cache reach with these threads; memory is STREAM's triad. The schedule is the "
      "config's, "
      "at these\nspeeds: what the search finds may be smaller or larger. Run it on an idle machine. CONFIG is a file "
      "or "
      "the name of\nan installed experiment, by default " DEFAULT_CONFIG ".";

int
cli_bench (int argc, char **argv)
{
  g_auto (CliShared) shared = { 0 };
  g_auto (Bench) bench = { .options = { .n_steps = 3, .n_repeats = 3, .n_train_images = 50000 } };
  BenchOptions *options = &bench.options;
  g_autoptr (GError) error = NULL;
  const GOptionEntry own[] = {
    { "architectures", 0, 0, G_OPTION_ARG_FILENAME, &options->architectures_path,
      "JSON list of architectures, each a list of category numbers (default: 8, drawn from a fixed seed)",
      "FILE.json" },
    { "batch", 0, 0, G_OPTION_ARG_INT, &options->batch, "Images of a minibatch (default: the config's)", "N" },
    { "steps", 0, 0, G_OPTION_ARG_INT, &options->n_steps, "Steps timed (default: 3)", "N" },
    { "repeats", 0, 0, G_OPTION_ARG_INT, &options->n_repeats, "Repeats of the whole list (default: 3)", "N" },
    { "images", 0, 0, G_OPTION_ARG_INT, &options->n_train_images, "Training images of the schedule (default: 50000)",
      "N" },
    { "profile", 0, 0, G_OPTION_ARG_NONE, &options->profile,
      "Also tell where the time goes, and what augmenting images costs", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) arguments
      = cli_parse (argc, argv, "[CONFIG]", summary, own, CLI_OPTION_SET | CLI_OPTION_JSON, &shared, 0, 1, &error);

  if (arguments == NULL)
    return cli_fail (error);
  options->config_name = arguments[0] != NULL ? arguments[0] : DEFAULT_CONFIG;
  return run_bench (&bench, &shared, &error) ? CLI_DONE : cli_fail (error);
}
