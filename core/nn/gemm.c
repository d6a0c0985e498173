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
  guint lanes;      /* of the activations' panel */
  guint block;      /* outputs in the weights' panel */
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

void
nn_gemm_pack (const NnGemm *gemm, float *packed, const float *weights, guint n, guint k, gsize row_stride,
              gsize column_stride)
{
  for (guint first = 0; first < n; first += gemm->block)
    for (guint column = 0; column < k; column++)
      for (guint row = first; row < first + gemm->block; row++)
        *packed++ = row < n ? weights[row * row_stride + column * column_stride] : 0;
}

void
nn_gemm_multiply (const NnGemm *gemm, guint n, guint k, const float *packed, guint n_pixels, const float *input,
                  gsize input_pixel_stride, float *output, gsize output_pixel_stride, gsize output_channel_stride,
                  float beta)
{
  float one = 1;
  auxinfo_t hints = { 0 };

  g_assert (n > 0 && k > 0 && (guintptr)input % 32 == 0);
  for (guint first = 0; first < n; first += gemm->block)
    {
      float *weights = (float *)packed + (gsize)first * k;
      guint outputs = MIN (gemm->block, n - first);

      for (guint pixel = 0; pixel < n_pixels; pixel++)
        {
          float *panel = (float *)input + pixel * input_pixel_stride;
          float *tile = output + pixel * output_pixel_stride + first * output_channel_stride;

          bli_auxinfo_set_next_a (gemm->by_rows ? weights : panel, &hints);
          bli_auxinfo_set_next_b (gemm->by_rows ? panel : weights, &hints);
          if (gemm->by_rows)
            gemm->kernel (outputs, gemm->lanes, k, &one, weights, panel, &beta, tile, output_channel_stride, 1, &hints,
                          gemm->context);
          else
            gemm->kernel (gemm->lanes, outputs, k, &one, panel, weights, &beta, tile, 1, output_channel_stride, &hints,
                          gemm->context);
        }
    }
}
