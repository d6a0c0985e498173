/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of cleave bench share. */

#include "cli.h"
#include "nn.h"
#include "settings.h"

G_BEGIN_DECLS

/* What is timed. In every step one architecture sees one minibatch. */
typedef enum
{
  BENCH_TRAIN,    /* forward, loss, backward, SGD, as re-training does it: network and plan are there */
  BENCH_PRETRAIN, /* the same with network and plan made anew, as pre-training does for each candidate */
  BENCH_INFER,    /* forward with running statistics */
  BENCH_SCORE,    /* the search's loss: a new plan, the head once, the tail for every drop rate */
  BENCH_N_WORKS,
} BenchWork;

typedef struct
{
  CleaveCandidate *candidate;
  double macs; /* multiply-accumulates of an image's forward pass: all convolutions and linear layers */
  gsize train_plan_bytes;
  gsize infer_plan_bytes;
  GArray *step_s[BENCH_N_WORKS]; /* double: seconds of a step, one a repeat */
} BenchArchitecture;

/* Where the time of all architectures' steps went, as NnWork has it. */
typedef struct
{
  double wall_s;
  double work_s[NN_N_WORKS]; /* summed over threads */
  guint64 n_images;
} BenchProfile;

typedef struct
{
  const char *config_name;
  char *architectures_path; /* nullable: drawn at random */
  int batch;                /* 0: the config's */
  int n_steps;
  int n_repeats;
  int n_train_images; /* of the schedule */
  gboolean profile;
} BenchOptions;

typedef struct
{
  BenchOptions options;
  CleaveSettings *settings;
  CleaveComponents *components;
  GVariant *variables; /* of the space */
  NnEngine *engine;
  guint n_threads;
  const char *cpu;
  guint n_trials; /* that the optimizer asks for in its first step */
  GPtrArray *architectures;
  GArray *gemm_peaks;                   /* double: FLOP/s, one a repeat */
  double memory_bandwidth;              /* B/s */
  BenchProfile profiles[BENCH_N_WORKS]; /* filled where options.profile */
  double augmented_images_per_s;        /* likewise */
} Bench;

const char *bench_work_to_string (BenchWork work);

/* --- bench-architectures.c --- */

/* Candidates [transfer full] with the space's middle split point: those of the file, else eight drawn from a fixed
 * seed. */
GPtrArray *bench_list_candidates (const char *path, GVariant *variables, GError **error);

/* --- bench-work.c --- */

BenchArchitecture *bench_architecture_new (Bench *bench, CleaveCandidate *candidate, GError **error);
void bench_architecture_free (BenchArchitecture *self);
/* A repeat of all works, on weights of its own. With PROFILE each adds to bench->profiles, else to
 * self->step_s. */
gboolean bench_architecture_run (BenchArchitecture *self, Bench *bench, gboolean profile, GError **error);
/* Sets bench->augmented_images_per_s. */
gboolean bench_measure_augmentation (Bench *bench, GError **error);

/* --- bench-report.c --- */

void bench_print_text (Bench *bench);
void bench_print_json (Bench *bench);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchArchitecture, bench_architecture_free)

G_END_DECLS
