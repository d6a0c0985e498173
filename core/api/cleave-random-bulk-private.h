/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The inner loops of drawing in bulk. */

#include <Random123/philox.h>
#include <glib.h>

/* The blocks of four draws that Philox4x32-10 gives for n_blocks counters from COUNTER on, of which only word 0 counts
 * (modulo 2³²). VALUES gets four draws a block. */
G_GNUC_INTERNAL void cleave_random_bulk_bits (philox4x32_ctr_t counter, philox4x32_key_t key, guint32 *values,
                                              gsize n_blocks);
/* 1 where a draw is below THRESHOLD (at most 2³², which is above every draw), else 0. */
G_GNUC_INTERNAL void cleave_random_bulk_flags (const guint32 *values, gsize n, guint64 threshold, guint8 *flags);
/* The first that is neither 0 nor 1; N where there is none. */
G_GNUC_INTERNAL gsize cleave_random_bulk_find_wrong (const guint8 *flags, gsize n);
