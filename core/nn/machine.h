/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What this machine can do at most with an engine's threads, measured: the bounds that work on it is held against. */

#include "nn.h"

G_BEGIN_DECLS

guint nn_machine_get_n_threads (NnEngine *engine);
/* FLOP/s of the engine's matrix product on operands that never leave the cache: the most that a convolution can reach.
 * Takes 0.2 s. */
double nn_machine_measure_gemm (NnEngine *engine);
/* B/s of a ← b + s·c over arrays larger than any cache (STREAM's triad). As in STREAM, what the program reads and
 * writes counts, 12 bytes an element, and not what a cache reads of a before it is overwritten. Takes 768 MB and about
 * 0.5 s. NaN with an error set where there is not so much memory. */
double nn_machine_measure_bandwidth (NnEngine *engine, GError **error);

G_END_DECLS
