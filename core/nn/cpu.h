/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which instruction set the kernels use: the processor's best, or what CLEAVE_CPU asks for. */

#include <cleave/cleave.h>

#include "kernels/kernels.h"

G_BEGIN_DECLS

typedef enum
{
  NN_CPU_BASELINE,
  NN_CPU_AVX2,
  NN_CPU_AVX512,
} NnCpu;

const char *nn_cpu_to_string (NnCpu cpu);
/* The best that this processor and this build can do. */
NnCpu nn_cpu_detect (void);
/* nn_cpu_detect() or what CLEAVE_CPU says; an error if that is no level, or one that the processor lacks. */
gboolean nn_cpu_choose (NnCpu *cpu, GError **error);

/* The widest kernels of this level of which two vectors, or several such pairs, hold these lanes. */
const NnKernels *nn_cpu_kernels (NnCpu cpu, guint lanes);

G_END_DECLS
