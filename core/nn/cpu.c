/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

static const char *const names[] = { "baseline", "avx2", "avx512" };

const char *
nn_cpu_to_string (NnCpu cpu)
{
  return names[cpu];
}

NnCpu
nn_cpu_detect (void)
{
#if defined(__x86_64__)
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512bw")
      && __builtin_cpu_supports ("avx512vl"))
    return NN_CPU_AVX512;
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    return NN_CPU_AVX2;
#endif
  return NN_CPU_BASELINE;
}

gboolean
nn_cpu_choose (NnCpu *cpu, GError **error)
{
  const char *wanted = g_getenv ("CLEAVE_CPU");
  NnCpu best = nn_cpu_detect ();

  *cpu = best;
  if (wanted == NULL || *wanted == '\0')
    return TRUE;
  for (NnCpu level = NN_CPU_BASELINE; level <= NN_CPU_AVX512; level++)
    if (g_str_equal (wanted, names[level]))
      {
        if (level > best)
          {
            g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                         "CLEAVE_CPU=%s: this processor or this build can't do that; expected at most %s", wanted,
                         names[best]);
            return FALSE;
          }
        *cpu = level;
        return TRUE;
      }
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "CLEAVE_CPU=%s: expected baseline, avx2 or avx512", wanted);
  return FALSE;
}

const NnKernels *
nn_cpu_kernels (NnCpu cpu, guint lanes)
{
#ifdef NN_HAVE_X86
  if (cpu == NN_CPU_AVX512 && lanes % (2 * nn_kernels_avx512.vector) == 0)
    return &nn_kernels_avx512;
  if (cpu >= NN_CPU_AVX2 && lanes % (2 * nn_kernels_avx2.vector) == 0)
    return &nn_kernels_avx2;
#endif
  return &nn_kernels_baseline;
}
