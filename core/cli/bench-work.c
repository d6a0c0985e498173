/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The work that cleave bench times: steps of the stages of a run, on random images. */

#include "bench.h"
#include "minibatch.h"
#include "objective.h"

#include <math.h>

/* What random numbers are for: nothing that they decide changes the amount of work. */
#define SEED 1
#define IMAGES_PURPOSE 0x42000002
#define DROPOUT_PURPOSE 0x42000003
#define LOSSES_PURPOSE 0x42000004
#define AUGMENTATION_PURPOSE 0x42000005

#define AUGMENTATION_US (G_USEC_PER_SEC / 4)

const char *
bench_work_to_string (BenchWork work)
{
  static const char *const names[] = { "train", "pretrain", "infer", "score" };

  return names[work];
}

/* An architecture at work. */
typedef struct
{
  Bench *bench;
  CleaveCandidate *candidate;
  CleaveNetwork *network;
  NnSupernet *supernet;
  NnPlan *plan; /* where the work keeps one */
  CleaveMinibatch batch;
  gsize n_outputs;
  float *logits; /* [batch, outputs], likewise gradient */
  float *gradient;
  guint32 step;
} Bencher;

static void
bencher_clear (Bencher *self)
{
  g_clear_pointer (&self->plan, nn_plan_free);
  g_clear_pointer (&self->supernet, nn_supernet_free);
  g_clear_pointer (&self->network, cleave_network_unref);
  cleave_minibatch_clear (&self->batch);
  g_free (self->logits);
  g_free (self->gradient);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bencher, bencher_clear)

static CleaveNetwork *
build_network (Bench *bench, CleaveCandidate *candidate, GError **error)
{
  return cleave_space_build (CLEAVE_SPACE (bench->components->space), candidate, error);
}

static gboolean
draw_images (Bencher *self, GError **error)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (SEED, IMAGES_PURPOSE, 0, 0);
  gsize image_size = (gsize)cleave_network_get_in_channels (self->network)
                     * cleave_network_get_in_height (self->network) * cleave_network_get_in_width (self->network);
  guint n = self->bench->options.batch;

  self->batch.n = n;
  self->batch.pixels = g_try_new (float, n *image_size);
  self->batch.labels = g_new (guint16, n);
  if (self->batch.pixels == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED, "--batch %u: out of memory: the images take %.1f GB",
                   n, 1e-9 * sizeof (float) * n * image_size);
      return FALSE;
    }
  for (gsize i = 0; i < n * image_size; i++)
    self->batch.pixels[i] = cleave_random_normal (random);
  for (guint i = 0; i < n; i++)
    self->batch.labels[i] = cleave_random_below (random, MIN (self->n_outputs, G_MAXUINT16));
  return TRUE;
}

static gboolean
bencher_init (Bencher *self, Bench *bench, CleaveCandidate *candidate, GError **error)
{
  const CleaveOp *last;

  self->bench = bench;
  self->candidate = candidate;
  self->network = build_network (bench, candidate, error);
  if (self->network == NULL)
    return FALSE;
  last = cleave_network_get_op (self->network, cleave_network_get_n_ops (self->network) - 1);
  self->n_outputs = (gsize)last->out_channels * last->out_height * last->out_width;
  self->logits = g_new (float, bench->options.batch * self->n_outputs);
  self->gradient = g_new (float, bench->options.batch * self->n_outputs);
  self->supernet = nn_supernet_new (SEED);
  return draw_images (self, error) && nn_supernet_add_network (self->supernet, self->network, error);
}

/* --- the works: a step each --- */

static gboolean
train_with (Bencher *self, NnPlan *plan, GError **error)
{
  const CleaveTrainingSettings *training = self->bench->settings->training;
  NnSgd sgd = { training->learning_rate, training->momentum, training->weight_decay, training->gradient_clip };
  double drop_rate = self->bench->settings->retrain->drop_rate;
  gsize n_elements = cleave_network_get_payload_elements (self->network);
  g_autoptr (CleaveRandom) dropout = cleave_random_new (SEED, DROPOUT_PURPOSE, self->step, 0);
  g_autoptr (GBytes) arrived = NULL;
  double norm;

  nn_supernet_begin_step (self->supernet);
  if (drop_rate > 0 && n_elements > 0)
    arrived = cleave_random_flags (dropout, self->batch.n * n_elements, 1 - drop_rate);
  nn_plan_forward_head (plan, NN_MODE_TRAIN, self->batch.pixels, self->batch.n);
  nn_plan_forward_tail (plan, NN_MODE_TRAIN, arrived != NULL ? g_bytes_get_data (arrived, NULL) : NULL, drop_rate);
  nn_plan_get_output (plan, self->logits);
  nn_cross_entropy (self->logits, self->batch.labels, self->batch.n, self->n_outputs, 1, self->gradient);
  nn_plan_backward (plan, self->gradient);
  norm = nn_supernet_step (self->bench->engine, self->supernet, &sgd);
  if (isfinite (norm))
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_NUMERIC, "training step %u: the gradient's norm is %g", self->step + 1,
               norm);
  return FALSE;
}

static gboolean
train (Bencher *self, GError **error)
{
  return train_with (self, self->plan, error);
}

/* As the stages do it for a candidate that has just been drawn. */
static NnPlan *
make_plan_anew (Bencher *self, NnPlanFlags flags, GError **error)
{
  g_clear_pointer (&self->network, cleave_network_unref);
  self->network = build_network (self->bench, self->candidate, error);
  if (self->network == NULL || !nn_supernet_add_network (self->supernet, self->network, error))
    return NULL;
  return nn_plan_new (self->bench->engine, self->supernet, self->network, self->batch.n, flags, error);
}

static gboolean
pretrain (Bencher *self, GError **error)
{
  g_autoptr (NnPlan) plan = make_plan_anew (self, NN_PLAN_BACKWARD, error);

  return plan != NULL && train_with (self, plan, error);
}

static gboolean
infer (Bencher *self, GError **error)
{
  nn_plan_forward_head (self->plan, NN_MODE_EVALUATE, self->batch.pixels, self->batch.n);
  nn_plan_forward_tail (self->plan, NN_MODE_EVALUATE, NULL, 0);
  nn_plan_get_output (self->plan, self->logits);
  return TRUE;
}

static gboolean
score (Bencher *self, GError **error)
{
  GArray *drop_rates = self->bench->settings->drop_rates;
  CleaveLossStream stream = { SEED, LOSSES_PURPOSE, self->step, 0, NULL };
  g_autoptr (NnPlan) plan = make_plan_anew (self, NN_PLAN_FORWARD, error);

  return plan != NULL
         && !isnan (cleave_objective_loss (plan, self->network, &self->batch,
                                           CLEAVE_CHANNEL (self->bench->components->channel),
                                           (const double *)drop_rates->data, drop_rates->len, &stream, error));
}

static const struct
{
  gboolean (*take_step) (Bencher *self, GError **error);
  gboolean keeps_plan;
  NnPlanFlags flags;
} works[BENCH_N_WORKS] = {
  [BENCH_TRAIN] = { train, TRUE, NN_PLAN_BACKWARD },
  [BENCH_PRETRAIN] = { pretrain, FALSE, 0 },
  [BENCH_INFER] = { infer, TRUE, NN_PLAN_FORWARD },
  [BENCH_SCORE] = { score, FALSE, 0 },
};

/* --- timing --- */

static gboolean
take_steps (Bencher *self, BenchWork work, guint n, GError **error)
{
  for (guint i = 0; i < n; i++, self->step++)
    if (!works[work].take_step (self, error))
      return FALSE;
  return TRUE;
}

static void
add_profile (BenchProfile *profile, NnEngine *engine, double wall_s, guint64 n_images)
{
  profile->wall_s += wall_s;
  profile->n_images += n_images;
  for (NnWork work = 0; work < NN_N_WORKS; work++)
    profile->work_s[work] += nn_engine_get_profile (engine, work);
}

/* A step to warm up, then those that count; their wall time in seconds. PROFILE is nullable. */
static gboolean
time_steps (Bencher *self, BenchWork work, BenchProfile *profile, double *wall_s, GError **error)
{
  Bench *bench = self->bench;
  guint n_steps = bench->options.n_steps;
  gint64 begin_us;

  g_clear_pointer (&self->plan, nn_plan_free);
  if (works[work].keeps_plan)
    {
      self->plan = nn_plan_new (bench->engine, self->supernet, self->network, self->batch.n, works[work].flags, error);
      if (self->plan == NULL)
        return FALSE;
    }
  if (!take_steps (self, work, 1, error))
    return FALSE;
  if (profile != NULL)
    nn_engine_start_profile (bench->engine);
  begin_us = g_get_monotonic_time ();
  if (!take_steps (self, work, n_steps, error))
    return FALSE;
  *wall_s = MAX (1, g_get_monotonic_time () - begin_us) / (double)G_USEC_PER_SEC;
  if (profile != NULL)
    add_profile (profile, bench->engine, *wall_s, (guint64)n_steps * self->batch.n);
  return TRUE;
}

gboolean
bench_architecture_run (BenchArchitecture *self, Bench *bench, gboolean profile, GError **error)
{
  g_auto (Bencher) bencher = { 0 };

  if (!bencher_init (&bencher, bench, self->candidate, error))
    return FALSE;
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    {
      double wall_s, step_s;

      if (!time_steps (&bencher, work, profile ? &bench->profiles[work] : NULL, &wall_s, error))
        return FALSE;
      step_s = wall_s / bench->options.n_steps;
      if (!profile)
        g_array_append_val (self->step_s[work], step_s);
    }
  return TRUE;
}

/* --- an architecture --- */

static double
count_macs (CleaveNetwork *network)
{
  double macs = 0;

  for (guint i = 0; i < cleave_network_get_n_ops (network); i++)
    {
      const CleaveOp *op = cleave_network_get_op (network, i);

      if (op->kind == CLEAVE_OP_CONV || op->kind == CLEAVE_OP_LINEAR)
        macs += op->flops;
    }
  return macs;
}

BenchArchitecture *
bench_architecture_new (Bench *bench, CleaveCandidate *candidate, GError **error)
{
  g_autoptr (BenchArchitecture) self = g_new0 (BenchArchitecture, 1);
  g_autoptr (CleaveNetwork) network = build_network (bench, candidate, error);
  guint batch = bench->options.batch;

  if (network == NULL)
    return NULL;
  self->candidate = cleave_candidate_ref (candidate);
  self->macs = count_macs (network);
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    self->step_s[work] = g_array_new (FALSE, FALSE, sizeof (double));
  self->train_plan_bytes = nn_plan_measure (bench->engine, network, batch, NN_PLAN_BACKWARD, error);
  if (self->train_plan_bytes == 0)
    return NULL;
  self->infer_plan_bytes = nn_plan_measure (bench->engine, network, batch, NN_PLAN_FORWARD, error);
  return self->infer_plan_bytes > 0 ? g_steal_pointer (&self) : NULL;
}

void
bench_architecture_free (BenchArchitecture *self)
{
  g_clear_pointer (&self->candidate, cleave_candidate_unref);
  for (BenchWork work = 0; work < BENCH_N_WORKS; work++)
    g_clear_pointer (&self->step_s[work], g_array_unref);
  g_free (self);
}

/* --- data --- */

static CleaveImages *
draw_bytes (const CleaveDatasetInfo *info, guint n)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (SEED, IMAGES_PURPOSE, 1, 0);
  gsize size = (gsize)n * info->channels * info->height * info->width;
  guint8 *values = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    values[i] = cleave_random_bits (random);
  g_autoptr (GBytes) pixels = g_bytes_new_take (values, size);
  g_autoptr (GBytes) labels = g_bytes_new_take (g_new0 (guint16, n), n * sizeof (guint16));
  return cleave_images_new (n, pixels, labels);
}

gboolean
bench_measure_augmentation (Bench *bench, GError **error)
{
  const CleaveTrainingSettings *training = bench->settings->training;
  CleaveAugmentation augmentation = { training->crop_padding, training->flip, training->cutout };
  guint n = bench->options.batch;
  g_autoptr (CleaveDatasetInfo) info = cleave_dataset_get_info (CLEAVE_DATASET (bench->components->dataset), error);
  g_autofree guint32 *indices = g_new (guint32, n);
  g_autoptr (CleaveImages) images = NULL;
  CleaveMinibatchSource source;
  g_auto (CleaveMinibatch) batch = { 0 };
  guint32 n_fills = 0;
  gint64 begin_us, elapsed_us;

  if (info == NULL)
    return FALSE;
  images = draw_bytes (info, n);
  cleave_minibatch_source_init (&source, images, info);
  cleave_minibatch_allocate (&batch, info, n);
  for (guint i = 0; i < n; i++)
    indices[i] = i;
  begin_us = g_get_monotonic_time ();
  do
    {
      cleave_minibatch_fill (&source, indices, n, &augmentation, SEED, AUGMENTATION_PURPOSE, n_fills++, batch.pixels,
                             batch.labels);
      elapsed_us = g_get_monotonic_time () - begin_us;
    }
  while (elapsed_us < AUGMENTATION_US);
  bench->augmented_images_per_s = (double)n_fills * n * G_USEC_PER_SEC / elapsed_us;
  return TRUE;
}
