/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gemm.h"

#include <blis.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

struct _NnGemm
{
  sgemm_ukr_ft kernel;
  cntx_t *context;
  const char *name;
  NnCpu cpu;
  guint lanes; /* of the activations' panel */
  guint block; /* outputs in the weights' panel */
  const NnKernels *kernels;
  gboolean by_rows; /* the kernel stores rows of C: then weights are A and activations B, else the other way */
};

/* A product of one element by another, with the kernel that BLIS would use. */
static void
try_kernel (void)
{
  cntx_t *context = bli_gks_query_cntx ();
  sgemm_ukr_ft kernel = (sgemm_ukr_ft)bli_cntx_get_l3_vir_ukr_dt (BLIS_FLOAT, BLIS_GEMM_UKR, context);
  static float panels[2][256] __attribute__ ((aligned (64)));
  float one = 1, zero = 0, product;
  auxinfo_t hints = { 0 };

  bli_auxinfo_set_next_a (panels[0], &hints);
  bli_auxinfo_set_next_b (panels[1], &hints);
  kernel (1, 1, 1, &one, panels[0], panels[1], &zero, &product, 1, 1, &hints, context);
}

/* BLIS aborts the process at an id that its build lacks, and its kernels may be for another processor, so try it in a
 * child. */
static gboolean
arch_type_works (void)
{
  pid_t child = fork ();
  int status = 0;

  if (child < 0)
    return FALSE;
  if (child == 0)
    {
      int null = open ("/dev/null", O_WRONLY);
      if (null >= 0)
        dup2 (null, STDERR_FILENO);
      signal (SIGABRT, SIG_DFL);
      bli_init ();
      try_kernel ();
      _exit (0);
    }
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  return WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

/* BLIS 0.9 tells processors apart by model name too, which virtual machines mask: so name the configuration. */
static gboolean
choose_configuration (NnCpu cpu, GError **error)
{
  const char *chosen = g_getenv ("BLIS_ARCH_TYPE");

  if (chosen != NULL)
    {
      if (arch_type_works ())
        return TRUE;
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "BLIS_ARCH_TYPE=%s: this build of BLIS has no such configuration, or this processor can't run it",
                   chosen);
      return FALSE;
    }
#if defined(__x86_64__)
  g_autofree char *number = g_strdup_printf ("%d", cpu == NN_CPU_AVX512 ? BLIS_ARCH_SKX
                                                   : cpu == NN_CPU_AVX2 ? BLIS_ARCH_HASWELL
                                                                        : BLIS_ARCH_GENERIC);
  g_setenv ("BLIS_ARCH_TYPE", number, TRUE);
  if (!arch_type_works ())
    g_unsetenv ("BLIS_ARCH_TYPE");
#endif
  return TRUE;
}

static gboolean
set_up (NnGemm *gemm, NnCpu cpu, GError **error)
{
  if (!choose_configuration (cpu, error))
    return FALSE;
  bli_init ();
  gemm->context = bli_gks_query_cntx ();
  gemm->name = bli_arch_string (bli_arch_query_id ());
  gemm->cpu = cpu;
  gemm->kernel = (sgemm_ukr_ft)bli_cntx_get_l3_vir_ukr_dt (BLIS_FLOAT, BLIS_GEMM_UKR, gemm->context);
  gemm->by_rows = bli_cntx_l3_vir_ukr_prefers_rows_dt (BLIS_FLOAT, BLIS_GEMM_UKR, gemm->context);
  guint rows = bli_cntx_get_blksz_def_dt (BLIS_FLOAT, BLIS_MR, gemm->context);
  guint columns = bli_cntx_get_blksz_def_dt (BLIS_FLOAT, BLIS_NR, gemm->context);
  gemm->lanes = gemm->by_rows ? columns : rows;
  gemm->block = gemm->by_rows ? rows : columns;
  gemm->kernels = nn_cpu_kernels (cpu, gemm->lanes);
  if (gemm->lanes % 8 != 0 || gemm->lanes > 64)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED,
                   "BLIS configuration %s: its micro-tile of %u × %u is not one that Cleave can use", gemm->name, rows,
                   columns);
      return FALSE;
    }
  return TRUE;
}

const NnGemm *
nn_gemm_get (NnCpu cpu, GError **error)
{
  static NnGemm instance;
  static gsize ready;
  static GMutex mutex;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&mutex);

  if (!ready)
    {
      if (!set_up (&instance, cpu, error))
        return NULL;
      ready = 1;
    }
  if (instance.cpu != cpu)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "CLEAVE_CPU can't change to %s: BLIS runs for %s",
                   nn_cpu_to_string (cpu), nn_cpu_to_string (instance.cpu));
      return NULL;
    }
  return &instance;
}

guint
nn_gemm_lanes (const NnGemm *gemm)
{
  return gemm->lanes;
}

gsize
nn_gemm_packed_size (const NnGemm *gemm, guint n, guint k)
{
  return (gsize)(n + gemm->block - 1) / gemm->block * gemm->block * k;
}

guint
nn_gemm_block (const NnGemm *gemm)
{
  return gemm->block;
}

void
nn_gemm_pack (const NnGemm *gemm, float *packed, const float *weights, const float *scale, guint n, guint k,
              gsize row_stride, gsize column_stride)
{
  for (guint first = 0; first < n; first += gemm->block)
    for (guint column = 0; column < k; column++, packed += gemm->block)
      {
        const float *source = weights + first * row_stride + column * column_stride;
        guint count = MIN (gemm->block, n - first);

        for (guint i = 0; i < count; i++)
          packed[i] = scale != NULL ? scale[first + i] * source[i * row_stride] : source[i * row_stride];
        for (guint i = count; i < gemm->block; i++)
          packed[i] = 0;
      }
}

NnGemmWeights
nn_gemm_part (const NnGemm *gemm, const float *packed, guint packed_k, guint first_output, guint n, guint first,
              guint k)
{
  g_assert (first_output % gemm->block == 0 && first + k <= packed_k);

  return (NnGemmWeights){ packed + (gsize)first_output * packed_k + (gsize)first * gemm->block, n, k, packed_k };
}

/* One block of outputs at every pixel. */
static void
multiply_block (const NnGemm *gemm, float *weights, guint n, guint k, NnView input, NnView output, NnExtent extent,
                float beta)
{
  float one = 1;
  auxinfo_t hints = { 0 };

  for (guint row = 0; row < extent.rows; row++)
    for (guint column = 0; column < extent.columns; column++)
      {
        float *panel = input.data + row * input.row + column * input.pixel;
        float *tile = output.data + row * output.row + column * output.pixel;

        bli_auxinfo_set_next_a (gemm->by_rows ? weights : panel, &hints);
        bli_auxinfo_set_next_b (gemm->by_rows ? panel : weights, &hints);
        if (gemm->by_rows)
          gemm->kernel (n, gemm->lanes, k, &one, weights, panel, &beta, tile, output.channel, 1, &hints, gemm->context);
        else
          gemm->kernel (gemm->lanes, n, k, &one, panel, weights, &beta, tile, 1, output.channel, &hints, gemm->context);
      }
}

/* Blocks of which no more outputs are wanted than this take a kernel of our own, for which BLIS computes a whole block
 * into a buffer and copies part of it: of 12 outputs, 4 take a third of BLIS's time, 8 two thirds. */
static gboolean
is_remainder (const NnGemm *gemm, guint n)
{
  return 3 * n <= 2 * gemm->block;
}

static void
check (const NnGemm *gemm, NnGemmWeights weights, NnView input, NnView output)
{
  g_assert (weights.n > 0 && weights.k > 0 && input.channel == gemm->lanes);
  g_assert (((guintptr)input.data | (guintptr)output.data) % (4 * gemm->kernels->vector) == 0);
  g_assert ((input.row | input.pixel | output.row | output.pixel | output.channel) % gemm->kernels->vector == 0);
}

void
nn_gemm_multiply (const NnGemm *gemm, NnGemmWeights weights, NnView input, NnView output, NnExtent extent, float beta,
                  NnAhead *ahead)
{
  check (gemm, weights, input, output);
  for (guint first = 0; first < weights.n; first += gemm->block)
    {
      float *packed = (float *)weights.data + (gsize)first * weights.packed_k;
      guint n = MIN (gemm->block, weights.n - first);
      NnView block = output;

      block.data += first * output.channel;
      if (is_remainder (gemm, n) || ahead != NULL)
        gemm->kernels->multiply (block, input, packed, gemm->block, n, weights.k, extent, beta != 0, ahead);
      else
        multiply_block (gemm, packed, n, weights.k, input, block, extent, beta);
    }
}

void
nn_gemm_multiply_scaled (const NnGemm *gemm, NnGemmWeights weights, NnView input, NnView output, NnExtent extent,
                         const float *scale, const float *shift, gboolean relu, NnAhead *ahead)
{
  check (gemm, weights, input, output);
  for (guint first = 0; first < weights.n; first += gemm->block)
    {
      NnView block = output;

      block.data += first * output.channel;
      gemm->kernels->multiply_scaled (block, input, weights.data + (gsize)first * weights.packed_k, gemm->block,
                                      MIN (gemm->block, weights.n - first), weights.k, extent, scale + first,
                                      shift + first, relu, ahead);
    }
}
