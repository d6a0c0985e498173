/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine.h"

#include <omp.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Memory that plans take carries its size in the cache line before it. */
#define HEADER 64
#define HUGE_PAGE (2u << 20)

static float *
block_new (gsize size, GError **error)
{
  void *memory = NULL;
  gsize bytes = HEADER + size * sizeof (float);

  if (size > (G_MAXSIZE - HEADER) / sizeof (float)
      || posix_memalign (&memory, bytes < HUGE_PAGE ? HEADER : HUGE_PAGE, bytes) != 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED,
                   "out of memory: the network takes %.1f GB for a minibatch of this size",
                   (double)size * sizeof (float) / 1e9);
      return NULL;
    }
  /* Tiles are strewn over hundreds of small pages; bandwidth beyond the cache doubles with large ones. */
  if (bytes >= HUGE_PAGE)
    madvise (memory, bytes, MADV_HUGEPAGE);
  *(gsize *)memory = size;
  return (float *)((char *)memory + HEADER);
}

static gsize
block_size (const float *block)
{
  return *(const gsize *)((const char *)block - HEADER);
}

static void
block_free (gpointer block)
{
  if (block != NULL)
    free ((char *)block - HEADER);
}

float *
nn_engine_take (NnEngine *engine, gsize size, GError **error)
{
  guint best = G_MAXUINT;

  for (guint i = 0; i < engine->blocks->len; i++)
    {
      gsize candidate = block_size (engine->blocks->pdata[i]);
      if (candidate >= size && (best == G_MAXUINT || candidate < block_size (engine->blocks->pdata[best])))
        best = i;
    }
  if (best != G_MAXUINT)
    return g_ptr_array_steal_index_fast (engine->blocks, best);
  /* Too small ones would never serve again where needs grow: let one go. */
  if (engine->blocks->len > 0)
    g_ptr_array_remove_index_fast (engine->blocks, 0);
  return block_new (size, error);
}

void
nn_engine_give (NnEngine *engine, float *memory)
{
  if (memory != NULL)
    g_ptr_array_add (engine->blocks, memory);
}

gboolean
nn_engine_reserve_scratch (NnEngine *engine, gsize size, GError **error)
{
  if (size <= engine->scratch_size)
    return TRUE;
  engine->scratch_size = 0;
  for (guint i = 0; i < engine->n_threads; i++)
    {
      g_clear_pointer (&engine->scratch[i], block_free);
      engine->scratch[i] = block_new (size, error);
      if (engine->scratch[i] == NULL)
        return FALSE;
    }
  engine->scratch_size = size;
  return TRUE;
}

float *
nn_engine_get_scratch (NnEngine *engine)
{
  return engine->scratch[omp_get_thread_num ()];
}

void
nn_engine_start_profile (NnEngine *engine)
{
  g_free (engine->profile);
  engine->profile = g_new0 (NnProfile, engine->n_threads);
}

double
nn_engine_get_profile (NnEngine *engine, NnWork work)
{
  double seconds = 0;

  if (engine->profile != NULL)
    for (guint i = 0; i < engine->n_threads; i++)
      seconds += engine->profile[i].seconds[work];
  return seconds;
}

NnClock
nn_clock_start (NnEngine *engine)
{
  if (engine->profile == NULL)
    return (NnClock){ NULL, 0 };
  return (NnClock){ engine->profile[omp_get_thread_num ()].seconds, omp_get_wtime () };
}

void
nn_clock_add (NnClock *clock, NnWork work)
{
  double now = omp_get_wtime ();

  clock->seconds[work] += now - clock->last;
  clock->last = now;
}

NnEngine *
nn_engine_new (guint n_threads, GError **error)
{
  NnCpu cpu;
  const NnGemm *gemm;

  if (!nn_cpu_choose (&cpu, error) || (gemm = nn_gemm_get (cpu, error)) == NULL)
    return NULL;

  NnEngine *engine = g_new0 (NnEngine, 1);
  engine->gemm = gemm;
  engine->lanes = nn_gemm_lanes (gemm);
  engine->kernels = nn_cpu_kernels (cpu, engine->lanes);
  engine->n_threads = n_threads > 0 ? n_threads : g_get_num_processors ();
  engine->blocks = g_ptr_array_new_with_free_func (block_free);
  engine->scratch = g_new0 (float *, engine->n_threads);
  return engine;
}

void
nn_engine_free (NnEngine *engine)
{
  if (engine == NULL)
    return;
  for (guint i = 0; i < engine->n_threads; i++)
    block_free (engine->scratch[i]);
  g_free (engine->scratch);
  g_free (engine->profile);
  g_ptr_array_unref (engine->blocks);
  g_free (engine);
}
