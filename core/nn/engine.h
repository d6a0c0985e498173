/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The engine's inside: what plans and steps need of it. */

#include "gemm.h"
#include "kernels/kernels.h"
#include "nn.h"

G_BEGIN_DECLS

/* A thread's seconds, on cache lines of its own. */
typedef struct
{
  double seconds[NN_N_WORKS];
  double padding[16 - NN_N_WORKS];
} NnProfile;

struct _NnEngine
{
  const NnKernels *kernels;
  const NnGemm *gemm;
  guint lanes;
  guint n_threads;
  GPtrArray *blocks;  /* Block: memory that no plan holds now */
  float **scratch;    /* per thread */
  gsize scratch_size; /* floats a thread */
  NnProfile *profile; /* per thread; NULL: no time is taken */
};

/* 64-byte aligned memory of at least `size` floats; what it holds is undefined. Given back, it serves later plans, so
 * its pages stay warm. NULL with an error set where the system has not so much. */
float *nn_engine_take (NnEngine *engine, gsize size, GError **error);
void nn_engine_give (NnEngine *engine, float *memory);
/* Every thread gets at least `size` floats of scratch. Not while a plan runs. */
gboolean nn_engine_reserve_scratch (NnEngine *engine, gsize size, GError **error);
float *nn_engine_get_scratch (NnEngine *engine);

/* --- profile: a task starts a clock and tells after each stretch what kind of work that was --- */

typedef struct
{
  double *seconds; /* of this thread; NULL: no time is taken */
  double last;
} NnClock;

NnClock nn_clock_start (NnEngine *engine);
void nn_clock_add (NnClock *clock, NnWork work);

static inline void
nn_clock_lap (NnClock *clock, NnWork work)
{
  if (clock->seconds != NULL)
    nn_clock_add (clock, work);
}

G_END_DECLS
