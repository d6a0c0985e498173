/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "prefetch.h"
#include "test.h"

#include <string.h>

#define N_IMAGES 40
#define SIDE 8
#define BATCH 8
#define SEED 3
#define PURPOSE 7

static const CleaveDatasetInfo info = { N_IMAGES, 3, SIDE, SIDE, { 0.1, 0.2, 0.3 }, { 0.5, 0.6, 0.7 } };
static const CleaveAugmentation augmentation = { 2, TRUE, 3 };

static CleaveImages *
make_images (void)
{
  gsize size = N_IMAGES * 3 * SIDE * SIDE;
  g_autofree guint8 *pixels = g_malloc (size);
  guint16 labels[N_IMAGES];

  for (gsize i = 0; i < size; i++)
    pixels[i] = i * 37 % 251;
  for (guint i = 0; i < N_IMAGES; i++)
    labels[i] = i;
  g_autoptr (GBytes) pixel_bytes = g_bytes_new (pixels, size);
  g_autoptr (GBytes) label_bytes = g_bytes_new (labels, sizeof labels);
  return cleave_images_new (N_IMAGES, pixel_bytes, label_bytes);
}

static void
list_indices (guint step, guint32 *indices)
{
  for (guint i = 0; i < BATCH; i++)
    indices[i] = (step * 5 + i * 3) % N_IMAGES;
}

/* What the thread fills is what the caller would have filled, whoever waits for whom. */
TEST (Prefetch, GivesWhatWasRequested)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveImages) images = make_images ();
  CleaveMinibatchSource source;
  g_auto (CleaveMinibatch) batch = { 0 }, expected = { 0 };
  g_autoptr (CleavePrefetch) prefetch = NULL;
  guint32 indices[BATCH];

  cleave_minibatch_source_init (&source, images, &info);
  cleave_minibatch_allocate (&batch, &info, BATCH);
  cleave_minibatch_allocate (&expected, &info, BATCH);
  prefetch = cleave_prefetch_new (&source, &augmentation, SEED, PURPOSE, BATCH, &error);
  REQUIRE_NO_ERROR (error);
  list_indices (0, indices);
  cleave_prefetch_request (prefetch, 0, indices);
  for (guint step = 0; step < 300; step++)
    {
      list_indices (step, indices);
      cleave_minibatch_fill (&source, indices, BATCH, &augmentation, SEED, PURPOSE, step / 20, expected.pixels,
                             expected.labels);
      cleave_prefetch_take (prefetch, &batch);
      list_indices (step + 1, indices);
      cleave_prefetch_request (prefetch, (step + 1) / 20, indices);
      memset (indices, 0xff, sizeof indices); /* they are its own by now */
      if (step % 3 == 0)
        g_thread_yield ();
      REQUIRE (batch.n == BATCH);
      REQUIRE (memcmp (batch.pixels, expected.pixels, sizeof (float) * BATCH * 3 * SIDE * SIDE) == 0);
      REQUIRE (memcmp (batch.labels, expected.labels, sizeof (guint16) * BATCH) == 0);
    }
}

/* Idle, at work or with a minibatch that nobody took: it ends. */
TEST (Prefetch, EndsAtAnyTime)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveImages) images = make_images ();
  CleaveMinibatchSource source;
  guint32 indices[BATCH];

  cleave_minibatch_source_init (&source, images, &info);
  list_indices (0, indices);
  for (guint i = 0; i < 200; i++)
    {
      g_auto (CleaveMinibatch) batch = { 0 };
      g_autoptr (CleavePrefetch) prefetch = cleave_prefetch_new (&source, &augmentation, SEED, PURPOSE, BATCH, &error);

      REQUIRE_NO_ERROR (error);
      cleave_minibatch_allocate (&batch, &info, BATCH);
      if (i % 4 > 0)
        cleave_prefetch_request (prefetch, 0, indices);
      if (i % 4 == 2)
        cleave_prefetch_take (prefetch, &batch);
      if (i % 4 == 3)
        g_thread_yield ();
    }
}
