/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cleave/cleave-random.h>

#include "cleave-random-bulk-private.h"

#include <math.h>

/* Draws made at once for flags, so that they stay in the first-level cache. */
#define FLAGS_AT_ONCE 1024

struct _CleaveRandom
{
  philox4x32_key_t key;
  philox4x32_ctr_t counter; /* block index, item, step, purpose */
  philox4x32_ctr_t block;   /* the four draws of the last block */
  guint used;               /* draws of it that are spent */
  gboolean has_spare;
  double spare; /* Box–Muller gives two normals at a time */
};

G_DEFINE_BOXED_TYPE (CleaveRandom, cleave_random, cleave_random_ref, cleave_random_unref)

/**
 * cleave_random_new:
 * @seed: the run's seed
 * @purpose: what the numbers are for, such as a stage
 * @step: the step they are for
 * @item: the item of the step, such as an image
 *
 * The stream of these four numbers. It gives 2³⁴ draws before it repeats.
 *
 * Returns: (transfer full): a new stream at its beginning
 */
CleaveRandom *
cleave_random_new (guint64 seed, guint32 purpose, guint32 step, guint32 item)
{
  CleaveRandom *self = g_atomic_rc_box_new0 (CleaveRandom);

  self->key.v[0] = (guint32)seed;
  self->key.v[1] = (guint32)(seed >> 32);
  self->counter.v[1] = item;
  self->counter.v[2] = step;
  self->counter.v[3] = purpose;
  self->used = 4;
  return self;
}

/**
 * cleave_random_ref:
 * @self: a stream
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self with one more reference
 */
CleaveRandom *
cleave_random_ref (CleaveRandom *self)
{
  return g_atomic_rc_box_acquire (self);
}

/**
 * cleave_random_unref:
 * @self: (transfer full): a stream
 *
 * Gives a reference back.
 */
void
cleave_random_unref (CleaveRandom *self)
{
  g_atomic_rc_box_release (self);
}

static philox4x32_ctr_t
next_block (CleaveRandom *self)
{
  philox4x32_ctr_t block = philox4x32 (self->counter, self->key);

  self->counter.v[0]++;
  return block;
}

/**
 * cleave_random_bits:
 * @self: a stream
 *
 * Draws 32 bits.
 *
 * Returns: 32 uniform bits
 */
guint32
cleave_random_bits (CleaveRandom *self)
{
  if (self->used == 4)
    {
      self->block = next_block (self);
      self->used = 0;
    }
  return self->block.v[self->used++];
}

/**
 * cleave_random_fill_bits: (skip)
 * @self: a stream
 * @values: where to put the draws
 * @n: how many
 *
 * The next @n draws of [method@Random.bits], made many at a time.
 */
void
cleave_random_fill_bits (CleaveRandom *self, guint32 *values, gsize n)
{
  gsize done = 0, n_blocks;

  while (done < n && self->used < 4)
    values[done++] = self->block.v[self->used++];
  n_blocks = (n - done) / 4;
  cleave_random_bulk_bits (self->counter, self->key, values + done, n_blocks);
  self->counter.v[0] += n_blocks;
  for (done += 4 * n_blocks; done < n; done++)
    values[done] = cleave_random_bits (self);
}

/**
 * cleave_random_fill_bytes: (rename-to cleave_random_fill_bits)
 * @self: a stream
 * @n: how many
 *
 * The next @n draws of [method@Random.bits], made many at a time.
 *
 * Returns: (transfer full): the draws, native-endian 32-bit numbers [@n]
 */
GBytes *
cleave_random_fill_bytes (CleaveRandom *self, gsize n)
{
  guint32 *values = g_new (guint32, n);

  cleave_random_fill_bits (self, values, n);
  return g_bytes_new_take (values, n * sizeof *values);
}

/**
 * cleave_random_uniform:
 * @self: a stream
 *
 * Draws a number between 0 and 1. Takes two draws of [method@Random.bits].
 *
 * Returns: a number in [0, 1), a multiple of 2⁻⁵³
 */
double
cleave_random_uniform (CleaveRandom *self)
{
  guint64 high = cleave_random_bits (self);
  guint64 low = cleave_random_bits (self);

  return (double)(high << 21 | low >> 11) * 0x1p-53;
}

/**
 * cleave_random_below:
 * @self: a stream
 * @n: how many numbers there are to choose from, at least 1
 *
 * Draws a whole number, unbiased (Lemire, 2019).
 *
 * Returns: one of 0 … @n − 1, each with the same probability
 */
guint32
cleave_random_below (CleaveRandom *self, guint32 n)
{
  g_return_val_if_fail (n > 0, 0);

  /* Lemire, "Fast random integer generation in an interval" (2019): the high half of draw × n, where the few draws
   * that would favour some results are rejected. */
  guint32 rejected_below = (guint32)-n % n;
  guint64 product;
  do
    product = (guint64)cleave_random_bits (self) * n;
  while ((guint32)product < rejected_below);
  return (guint32)(product >> 32);
}

/**
 * cleave_random_normal:
 * @self: a stream
 *
 * Draws a number of the standard normal distribution, by the Box–Muller transform: every second call takes four draws
 * of [method@Random.bits], the others none.
 *
 * Returns: a number of the standard normal distribution (Box–Muller)
 */
double
cleave_random_normal (CleaveRandom *self)
{
  if (self->has_spare)
    {
      self->has_spare = FALSE;
      return self->spare;
    }

  double radius = sqrt (-2 * log (1 - cleave_random_uniform (self))); /* 1 − u is never 0 */
  double angle = 2 * G_PI * cleave_random_uniform (self);
  self->spare = radius * sin (angle);
  self->has_spare = TRUE;
  return radius * cos (angle);
}

/**
 * cleave_random_flags:
 * @self: a stream
 * @n: how many flags
 * @probability: of a 1; it is rounded to a multiple of 2⁻³², so 0 and 1 are exact
 *
 * Flags in bulk. Each takes one draw of [method@Random.bits].
 *
 * Returns: (transfer full): @n bytes, each 0 or 1
 */
GBytes *
cleave_random_flags (CleaveRandom *self, gsize n, double probability)
{
  g_return_val_if_fail (!isnan (probability), NULL);

  guint64 threshold = (guint64)rint (CLAMP (probability, 0, 1) * 0x1p32);
  guint8 *flags = g_malloc (n);
  guint32 values[FLAGS_AT_ONCE];

  for (gsize done = 0; done < n; done += FLAGS_AT_ONCE)
    {
      gsize n_now = MIN (n - done, FLAGS_AT_ONCE);

      cleave_random_fill_bits (self, values, n_now);
      cleave_random_bulk_flags (values, n_now, threshold, flags + done);
    }
  return g_bytes_new_take (flags, n);
}
