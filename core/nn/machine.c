/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"

#include "engine.h"

#include <math.h>
#include <omp.h>

/* Other work on the machine only ever slows a slice down, so the fastest one counts. */
#define N_SLICES 10
#define SLICE_S 0.02

/* One pixel's panel and a block of weights fit into a first-level cache, all of it into a second-level one; k is long
 * enough that loading and storing the outputs does not show. */
#define OUTPUTS 192
#define INPUTS 256
#define PIXELS 4

/* Elements of each of the triad's three arrays: 256 MB. */
#define TRIAD_SIZE ((gsize)64 << 20)
#define TRIAD_PASSES 5

/* A thread's own operands. */
typedef struct
{
  float *weights;
  float *input;
  float *output;
} Product;

guint
nn_machine_get_n_threads (NnEngine *engine)
{
  return engine->n_threads;
}

static float *
allocate_ones (gsize n)
{
  float *values = g_aligned_alloc (n, sizeof (float), 64);

  for (gsize i = 0; i < n; i++)
    values[i] = 1;
  return values;
}

static void
product_init (Product *self, NnEngine *engine)
{
  self->weights = allocate_ones (nn_gemm_packed_size (engine->gemm, OUTPUTS, INPUTS));
  self->input = allocate_ones ((gsize)PIXELS * INPUTS * engine->lanes);
  self->output = allocate_ones ((gsize)PIXELS * OUTPUTS * engine->lanes);
}

static void
product_clear (Product *self)
{
  g_aligned_free (self->weights);
  g_aligned_free (self->input);
  g_aligned_free (self->output);
}

static void
product_run (Product *self, NnEngine *engine, guint times)
{
  gsize lanes = engine->lanes;
  NnGemmWeights weights = nn_gemm_part (engine->gemm, self->weights, INPUTS, 0, OUTPUTS, 0, INPUTS);
  NnView input = { self->input, PIXELS * INPUTS * lanes, INPUTS * lanes, lanes };
  NnView output = { self->output, PIXELS * OUTPUTS * lanes, OUTPUTS * lanes, lanes };
  NnExtent extent = { OUTPUTS, 1, PIXELS, lanes };

  for (guint i = 0; i < times; i++)
    nn_gemm_multiply (engine->gemm, weights, input, output, extent, 0, NULL);
}

/* How often the product fits into a slice, at least once. */
static guint
count_products (Product *product, NnEngine *engine)
{
  double fastest_s = INFINITY;

  for (guint i = 0; i < N_SLICES; i++)
    {
      double begin_s = omp_get_wtime ();

      product_run (product, engine, 1);
      fastest_s = fmin (fastest_s, omp_get_wtime () - begin_s);
    }
  return MAX (1, SLICE_S / fmax (fastest_s, 1e-9));
}

double
nn_machine_measure_gemm (NnEngine *engine)
{
  double slices_s[N_SLICES + 1], fastest_s = INFINITY;
  guint times = 1;

#pragma omp parallel num_threads(engine->n_threads)
  {
    Product product;

    product_init (&product, engine);
#pragma omp single
    times = count_products (&product, engine);
    for (guint i = 0; i <= N_SLICES; i++)
      {
#pragma omp barrier
#pragma omp master
        slices_s[i] = omp_get_wtime ();
        if (i < N_SLICES)
          product_run (&product, engine, times);
      }
    product_clear (&product);
  }
  for (guint i = 0; i < N_SLICES; i++)
    fastest_s = fmin (fastest_s, slices_s[i + 1] - slices_s[i]);
  return 2.0 * OUTPUTS * INPUTS * PIXELS * engine->lanes * times * engine->n_threads / fastest_s;
}

double
nn_machine_measure_bandwidth (NnEngine *engine, GError **error)
{
  g_autofree float *a = g_try_new (float, 3 * TRIAD_SIZE);
  double fastest_s = INFINITY;
  float *b, *c;

  if (a == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED,
                   "out of memory: measuring its bandwidth takes %.0f MB", 3e-6 * sizeof (float) * TRIAD_SIZE);
      return NAN;
    }
  b = a + TRIAD_SIZE;
  c = b + TRIAD_SIZE;
  /* Each thread touches the pages first that it works on later. */
#pragma omp parallel for simd num_threads(engine->n_threads) schedule(static)
  for (gsize i = 0; i < TRIAD_SIZE; i++)
    a[i] = b[i] = c[i] = 1;
  for (guint pass = 0; pass < TRIAD_PASSES; pass++)
    {
      double begin_s = omp_get_wtime ();

#pragma omp parallel for simd num_threads(engine->n_threads) schedule(static)
      for (gsize i = 0; i < TRIAD_SIZE; i++)
        a[i] = b[i] + 3 * c[i];
      fastest_s = fmin (fastest_s, omp_get_wtime () - begin_s);
    }
  return 3.0 * sizeof (float) * TRIAD_SIZE / fastest_s;
}
