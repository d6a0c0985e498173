/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

#define CLEAVE_TYPE_RANDOM (cleave_random_get_type ())

/**
 * CleaveRandom:
 *
 * A stream of random numbers: Philox4x32-10 (Salmon et al., SC 2011), counter-based.
 *
 * A stream is fixed by its seed and three numbers that say what it is for. Any two streams are independent, and a
 * stream can be had again at any time, so nothing of a generator ever needs to be saved. What it gives is the same on
 * every machine, but for the last digits of [method@Random.normal], which are the C library's. Reference counted; not
 * to be used by two threads at a time.
 */
typedef struct _CleaveRandom CleaveRandom;

CLEAVE_EXPORT GType cleave_random_get_type (void);
CLEAVE_EXPORT CleaveRandom *cleave_random_new (guint64 seed, guint32 purpose, guint32 step, guint32 item);
CLEAVE_EXPORT CleaveRandom *cleave_random_ref (CleaveRandom *self);
CLEAVE_EXPORT void cleave_random_unref (CleaveRandom *self);
CLEAVE_EXPORT guint32 cleave_random_bits (CleaveRandom *self);
CLEAVE_EXPORT void cleave_random_fill_bits (CleaveRandom *self, guint32 *values, gsize n);
CLEAVE_EXPORT GBytes *cleave_random_fill_bytes (CleaveRandom *self, gsize n);
CLEAVE_EXPORT double cleave_random_uniform (CleaveRandom *self);
CLEAVE_EXPORT guint32 cleave_random_below (CleaveRandom *self, guint32 n);
CLEAVE_EXPORT double cleave_random_normal (CleaveRandom *self);
CLEAVE_EXPORT GBytes *cleave_random_flags (CleaveRandom *self, gsize n, double probability);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveRandom, cleave_random_unref)

G_END_DECLS
