/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What cleave bench found, as tables and as JSON. */

#include "bench.h"

#include <json-glib/json-glib.h>

/* A forward pass; backward takes twice as much, for the inputs' and for the weights' gradients. */
#define FORWARD_FLOPS_PER_MAC 2
#define TRAIN_FLOPS_PER_MAC (3 * FORWARD_FLOPS_PER_MAC)

typedef struct
{
  double median;
  double minimum;
  double maximum;
} Spread;

/* Hours of the config's stages. */
typedef struct
{
  double pretrain;
  double search;
  double retrain;
} Schedule;

static const char *const work_names[NN_N_WORKS] = { "gemm", "depthwise", "norm", "elementwise", "optimiser", "data" };

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double first = *(const double *)a, second = *(const double *)b;

  return (first > second) - (first < second);
}

/* Of a GArray of double that is not empty. */
static Spread
find_spread (GArray *values)
{
  g_autoptr (GArray) sorted = g_array_copy (values);
  guint n = sorted->len;

  g_array_sort (sorted, compare_doubles);
  return (Spread){
    .median = (g_array_index (sorted, double, (n - 1) / 2) + g_array_index (sorted, double, n / 2)) / 2,
    .minimum = g_array_index (sorted, double, 0),
    .maximum = g_array_index (sorted, double, n - 1),
  };
}

/* Images of the whole list by the time that it took. */
static Spread
find_rate (Bench *bench, BenchWork work)
{
  g_autoptr (GArray) rates = g_array_new (FALSE, FALSE, sizeof (double));

  for (int repeat = 0; repeat < bench->options.n_repeats; repeat++)
    {
      double seconds = 0, rate;

      for (guint i = 0; i < bench->architectures->len; i++)
        {
          const BenchArchitecture *architecture = bench->architectures->pdata[i];
          seconds += g_array_index (architecture->step_s[work], double, repeat);
        }
      rate = (double)bench->architectures->len * bench->options.batch / seconds;
      g_array_append_val (rates, rate);
    }
  return find_spread (rates);
}

static double
find_ms_per_image (Bench *bench, const BenchArchitecture *architecture, BenchWork work)
{
  return 1e3 * find_spread (architecture->step_s[work]).median / bench->options.batch;
}

static double
flops_per_mac (BenchWork work)
{
  return work == BENCH_TRAIN || work == BENCH_PRETRAIN ? TRAIN_FLOPS_PER_MAC : FORWARD_FLOPS_PER_MAC;
}

static double
find_mean_macs (Bench *bench)
{
  double macs = 0;

  for (guint i = 0; i < bench->architectures->len; i++)
    macs += ((const BenchArchitecture *)bench->architectures->pdata[i])->macs;
  return macs / bench->architectures->len;
}

/* The rate is the list's, so the mean tells its operations. */
static double
find_gflops (Bench *bench, BenchWork work)
{
  return 1e-9 * flops_per_mac (work) * find_mean_macs (bench) * find_rate (bench, work).median;
}

static double
find_architecture_gflops (Bench *bench, const BenchArchitecture *architecture, BenchWork work)
{
  return 1e-6 * flops_per_mac (work) * architecture->macs / find_ms_per_image (bench, architecture, work);
}

static double
find_gemm_peak_gflops (Bench *bench)
{
  return 1e-9 * find_spread (bench->gemm_peaks).median;
}

/* Half of the images train the shared weights, the other half the search sees. */
static Schedule
find_schedule (Bench *bench)
{
  const CleaveSettings *settings = bench->settings;
  double n_images = bench->options.n_train_images;
  double n_search = bench->options.n_train_images / 2;
  double n_weight = n_images - n_search;

  return (Schedule){
    .pretrain = settings->pretrain->epochs * n_weight * settings->pretrain->samples
                / find_rate (bench, BENCH_PRETRAIN).median / 3600,
    .search = settings->search->epochs * n_search * bench->n_trials / find_rate (bench, BENCH_SCORE).median / 3600,
    .retrain = settings->retrain->epochs * n_images / find_rate (bench, BENCH_TRAIN).median / 3600,
  };
}

/* Thread time that no kind of work took: waiting, and what one thread does alone, such as drawing dropout. */
static double
find_waiting_s (Bench *bench, const BenchProfile *profile)
{
  double waiting_s = bench->n_threads * profile->wall_s;

  for (NnWork work = 0; work < NN_N_WORKS; work++)
    waiting_s -= profile->work_s[work];
  return waiting_s;
}

static guint
find_split (Bench *bench)
{
  const BenchArchitecture *first = bench->architectures->pdata[0];

  return cleave_candidate_get_split (first->candidate);
}

/* --- text --- */

static void
print_heading (Bench *bench)
{
  const BenchOptions *options = &bench->options;

  g_print ("%s: %u architecture%s, batch %d, split point %u, dropout %g; steps: %d, repeats: %d\n",
           options->config_name, bench->architectures->len, bench->architectures->len == 1 ? "" : "s", options->batch,
           find_split (bench), bench->settings->retrain->drop_rate, options->n_steps, options->n_repeats);
  g_print ("%s, threads: %u; GEMM peak %.1f GFLOPS, memory %.1f GB/s\n", bench->cpu, bench->n_threads,
           find_gemm_peak_gflops (bench), 1e-9 * bench->memory_bandwidth);
}

static void
print_architecture (Bench *bench, guint index)
{
  const BenchArchitecture *architecture = bench->architectures->pdata[index];

  g_print (
      "%3u %8.2f %8.3f %7.1f %8.3f %7.1f %8.3f %8.3f %8.1f %8.1f  ", index + 1, 1e-6 * architecture->macs,
      find_ms_per_image (bench, architecture, BENCH_TRAIN), find_architecture_gflops (bench, architecture, BENCH_TRAIN),
      find_ms_per_image (bench, architecture, BENCH_INFER), find_architecture_gflops (bench, architecture, BENCH_INFER),
      find_ms_per_image (bench, architecture, BENCH_PRETRAIN), find_ms_per_image (bench, architecture, BENCH_SCORE),
      1e-6 * architecture->train_plan_bytes, 1e-6 * architecture->infer_plan_bytes);
  for (gsize i = 0; i + 1 < cleave_candidate_get_length (architecture->candidate); i++)
    g_print ("%s%u", i > 0 ? "," : "", cleave_candidate_get (architecture->candidate, i));
  g_print ("\n");
}

static void
print_architectures (Bench *bench)
{
  g_print ("\n    %8s %16s %16s %8s %8s %17s\n", "", "train", "infer", "pretrain", "score", "plan, MB");
  g_print ("    %8s %8s %7s %8s %7s %8s %8s %8s %8s  %s\n", "MMACs", "ms/image", "GFLOPS", "ms/image", "GFLOPS",
           "ms/image", "ms/image", "train", "infer", "architecture");
  for (guint i = 0; i < bench->architectures->len; i++)
    print_architecture (bench, i);
}

static void
print_rates (Bench *bench)
{
  double peak_gflops = find_gemm_peak_gflops (bench);

  g_print ("\n%-9s %10s %10s %10s %8s %8s\n", "images/s", "median", "minimum", "maximum", "GFLOPS", "of peak");
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    {
      Spread rate = find_rate (bench, work);

      g_print ("%-9s %10.1f %10.1f %10.1f", bench_work_to_string (work), rate.median, rate.minimum, rate.maximum);
      /* How much the score repeats of a forward pass depends on where the networks are cut. */
      if (work != BENCH_SCORE)
        g_print (" %8.1f %6.1f %%", find_gflops (bench, work), 100 * find_gflops (bench, work) / peak_gflops);
      g_print ("\n");
    }
}

static void
print_schedule (Bench *bench)
{
  const CleaveSettings *settings = bench->settings;
  guint n_images = bench->options.n_train_images;
  Schedule hours = find_schedule (bench);

  g_print ("\n%-9s %8s %8s %10s %8s\n", "schedule", "epochs", "images", "candidates", "hours");
  g_print ("%-9s %8u %8u %10u %8.2f\n", "pretrain", settings->pretrain->epochs, n_images - n_images / 2,
           settings->pretrain->samples, hours.pretrain);
  g_print ("%-9s %8u %8u %10u %8.2f\n", "search", settings->search->epochs, n_images / 2, bench->n_trials,
           hours.search);
  g_print ("%-9s %8u %8u %10u %8.2f\n", "retrain", settings->retrain->epochs, n_images, 1, hours.retrain);
  g_print ("%-9s %37.2f\n", "all", hours.pretrain + hours.search + hours.retrain);
}

static void
print_profile_row (Bench *bench, const char *name, const double *seconds)
{
  g_print ("%-11s", name);
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    {
      const BenchProfile *profile = &bench->profiles[work];

      g_print (" %9.1f %5.1f %%", 1e6 * seconds[work] / profile->n_images,
               100 * seconds[work] / (bench->n_threads * profile->wall_s));
    }
  g_print ("\n");
}

static void
print_profile (Bench *bench)
{
  double seconds[BENCH_N_WORKS];

  g_print ("\n%-11s", "µs an image");
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    g_print (" %17s", bench_work_to_string (work));
  g_print ("\n");
  for (NnWork kind = 0; kind < NN_N_WORKS; kind++)
    {
      for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
        seconds[work] = bench->profiles[work].work_s[kind];
      print_profile_row (bench, work_names[kind], seconds);
    }
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    seconds[work] = find_waiting_s (bench, &bench->profiles[work]);
  print_profile_row (bench, "waiting", seconds);
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    seconds[work] = bench->n_threads * bench->profiles[work].wall_s;
  print_profile_row (bench, "all threads", seconds);
  g_print ("augmenting  %9.1f µs an image on one thread: %.0f images/s, %.0f times as fast as training\n",
           1e6 / bench->augmented_images_per_s, bench->augmented_images_per_s,
           bench->augmented_images_per_s / find_rate (bench, BENCH_TRAIN).median);
}

void
bench_print_text (Bench *bench)
{
  print_heading (bench);
  print_architectures (bench);
  print_rates (bench);
  print_schedule (bench);
  if (bench->options.profile)
    print_profile (bench);
}

/* --- JSON --- */

static void
add_number (JsonBuilder *json, const char *key, double value)
{
  json_builder_set_member_name (json, key);
  json_builder_add_double_value (json, value);
}

static void
add_count (JsonBuilder *json, const char *key, gint64 value)
{
  json_builder_set_member_name (json, key);
  json_builder_add_int_value (json, value);
}

static void
add_text (JsonBuilder *json, const char *key, const char *value)
{
  json_builder_set_member_name (json, key);
  json_builder_add_string_value (json, value);
}

/* The key PREFIX_WORK_SUFFIX, without a prefix where that is empty. */
static void
add_work_number (JsonBuilder *json, const char *prefix, BenchWork work, const char *suffix, double value)
{
  g_autofree char *key = g_strconcat (prefix, bench_work_to_string (work), suffix, NULL);

  add_number (json, key, value);
}

static void
add_setup (JsonBuilder *json, Bench *bench)
{
  add_text (json, "config", bench->options.config_name);
  add_text (json, "cpu", bench->cpu);
  add_count (json, "threads", bench->n_threads);
  add_count (json, "batch", bench->options.batch);
  add_count (json, "steps", bench->options.n_steps);
  add_count (json, "repeats", bench->options.n_repeats);
  add_count (json, "split", find_split (bench));
  add_number (json, "drop_rate", bench->settings->retrain->drop_rate);
}

static void
add_rates (JsonBuilder *json, Bench *bench)
{
  double peak_gflops = find_gemm_peak_gflops (bench);

  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    {
      Spread rate = find_rate (bench, work);

      add_work_number (json, "", work, "_images_per_s", rate.median);
      add_work_number (json, "minimum_", work, "_images_per_s", rate.minimum);
      add_work_number (json, "maximum_", work, "_images_per_s", rate.maximum);
    }
  add_number (json, "gemm_peak_gflops", peak_gflops);
  add_number (json, "memory_gb_per_s", 1e-9 * bench->memory_bandwidth);
  for (BenchWork work = 0; work < BENCH_SCORE; work++)
    {
      add_work_number (json, "", work, "_gflops", find_gflops (bench, work));
      add_work_number (json, "", work, "_gemm_peak_share", find_gflops (bench, work) / peak_gflops);
    }
}

static void
add_architecture (JsonBuilder *json, Bench *bench, const BenchArchitecture *architecture)
{
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "architecture");
  json_builder_begin_array (json);
  for (gsize i = 0; i + 1 < cleave_candidate_get_length (architecture->candidate); i++)
    json_builder_add_int_value (json, cleave_candidate_get (architecture->candidate, i));
  json_builder_end_array (json);
  add_number (json, "macs", architecture->macs);
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    add_work_number (json, "", work, "_ms_per_image", find_ms_per_image (bench, architecture, work));
  for (BenchWork work = 0; work < BENCH_SCORE; work++)
    add_work_number (json, "", work, "_gflops", find_architecture_gflops (bench, architecture, work));
  add_count (json, "train_plan_bytes", architecture->train_plan_bytes);
  add_count (json, "infer_plan_bytes", architecture->infer_plan_bytes);
  json_builder_end_object (json);
}

static void
add_schedule (JsonBuilder *json, Bench *bench)
{
  Schedule hours = find_schedule (bench);

  json_builder_set_member_name (json, "schedule");
  json_builder_begin_object (json);
  add_count (json, "train_images", bench->options.n_train_images);
  add_number (json, "pretrain_hours", hours.pretrain);
  add_number (json, "search_hours", hours.search);
  add_number (json, "retrain_hours", hours.retrain);
  add_number (json, "total_hours", hours.pretrain + hours.search + hours.retrain);
  json_builder_end_object (json);
}

/* Microseconds of all threads an image; total is threads × wall time. */
static void
add_profile (JsonBuilder *json, Bench *bench)
{
  json_builder_set_member_name (json, "profile");
  json_builder_begin_object (json);
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    {
      const BenchProfile *profile = &bench->profiles[work];
      double us_per_image = 1e6 / profile->n_images;

      json_builder_set_member_name (json, bench_work_to_string (work));
      json_builder_begin_object (json);
      for (NnWork kind = 0; kind < NN_N_WORKS; kind++)
        {
          g_autofree char *key = g_strdup_printf ("%s_us_per_image", work_names[kind]);
          add_number (json, key, profile->work_s[kind] * us_per_image);
        }
      add_number (json, "waiting_us_per_image", find_waiting_s (bench, profile) * us_per_image);
      add_number (json, "total_us_per_image", bench->n_threads * profile->wall_s * us_per_image);
      json_builder_end_object (json);
    }
  add_number (json, "augment_images_per_s", bench->augmented_images_per_s);
  json_builder_end_object (json);
}

void
bench_print_json (Bench *bench)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  add_setup (json, bench);
  add_rates (json, bench);
  json_builder_set_member_name (json, "architectures");
  json_builder_begin_array (json);
  for (guint i = 0; i < bench->architectures->len; i++)
    add_architecture (json, bench, bench->architectures->pdata[i]);
  json_builder_end_array (json);
  add_schedule (json, bench);
  if (bench->options.profile)
    add_profile (json, bench);
  json_builder_end_object (json);
  g_autoptr (JsonNode) root = json_builder_get_root (json);
  g_autofree char *text = json_to_string (root, TRUE);
  g_print ("%s\n", text);
}
