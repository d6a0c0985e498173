/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "minibatch.h"
#include "test.h"

#include <math.h>
#include <string.h>

#define PURPOSE 7

/* N images of CHANNELS × SIDE × SIDE, labels 0 … n − 1; the pixel at (c, y, x) of image i is 1 + (i + 64c + 8y + x), so
 * each says where it came from, and none is black. */
static CleaveImages *
make_images (guint n, guint channels, guint side)
{
  gsize size = (gsize)n * channels * side * side;
  guint8 *pixels = g_malloc (size);
  guint16 *labels = g_new (guint16, n);

  for (gsize p = 0; p < size; p++)
    {
      gsize x = p % side, y = p / side % side, c = p / side / side % channels, i = p / side / side / channels;
      pixels[p] = 1 + (i + 64 * c + 8 * y + x) % 255;
    }
  for (guint i = 0; i < n; i++)
    labels[i] = i;
  g_autoptr (GBytes) pixel_bytes = g_bytes_new_take (pixels, size);
  g_autoptr (GBytes) label_bytes = g_bytes_new_take (labels, n * sizeof (guint16));
  return cleave_images_new (n, pixel_bytes, label_bytes);
}

/* Mean 0 and deviation 1/255: a normalised pixel is the byte itself. */
static CleaveDatasetInfo
make_info (guint channels, guint side)
{
  const double deviation = 1 / 255.0;

  return (CleaveDatasetInfo){ 100, channels, side, side, { 0 }, { deviation, deviation, deviation } };
}

static void
fill (CleaveImages *images, const CleaveDatasetInfo *info, guint32 index, const CleaveAugmentation *augmentation,
      guint32 epoch, float *pixels)
{
  CleaveMinibatchSource source;
  guint16 label;

  cleave_minibatch_source_init (&source, images, info);
  cleave_minibatch_fill (&source, &index, 1, augmentation, 1, PURPOSE, epoch, pixels, &label);
  EXPECT_INT (label, index);
}

TEST (minibatch, order_is_a_permutation_fixed_by_its_key)
{
  guint32 order[1000], same[1000], other_epoch[1000], other_seed[1000];
  gboolean seen[1000] = { FALSE };
  guint fixed = 0, equal = 0;

  cleave_minibatch_order (1, PURPOSE, 3, 1000, order);
  cleave_minibatch_order (1, PURPOSE, 3, 1000, same);
  cleave_minibatch_order (1, PURPOSE, 4, 1000, other_epoch);
  cleave_minibatch_order (2, PURPOSE, 3, 1000, other_seed);
  EXPECT_TRUE (memcmp (order, same, sizeof order) == 0);
  for (guint i = 0; i < 1000; i++)
    {
      if (!EXPECT_TRUE (order[i] < 1000 && !seen[order[i]]))
        return;
      seen[order[i]] = TRUE;
      fixed += order[i] == i;
      equal += (order[i] == other_epoch[i]) + (order[i] == other_seed[i]);
    }
  /* Poisson with mean 1 and 2: 10 and more, 12 and more are rarer than 10⁻⁶. */
  EXPECT_TRUE (fixed < 10 && equal < 12);
}

/* All 6 orders of 3 are equally likely: χ² with 5 degrees of freedom is above 35.9 with probability 10⁻⁶. */
TEST (minibatch, orders_are_uniform)
{
  guint counts[27] = { 0 };
  double chi_square = 0;

  for (guint epoch = 0; epoch < 6000; epoch++)
    {
      guint32 order[3];
      cleave_minibatch_order (1, PURPOSE, epoch, 3, order);
      counts[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
  for (guint k = 0; k < 27; k++)
    if (k == 5 || k == 7 || k == 11 || k == 15 || k == 19 || k == 21) /* 012 021 102 120 201 210 in base 3 */
      chi_square += pow (counts[k] - 1000.0, 2) / 1000;
    else
      EXPECT_INT (counts[k], 0);
  EXPECT_TRUE (chi_square < 35.9);
}

/* By hand: bytes 0, 51, 255 are 0, 0.2, 1. */
TEST (minibatch, normalises)
{
  static const guint8 bytes[] = { 0, 51, 255, 0, 51, 255, 0, 51 };
  static const guint16 labels[] = { 6, 60000 };
  static const guint32 indices[] = { 1, 0 };
  const CleaveDatasetInfo info = { 65535, 2, 1, 2, { 0.2, 0.8 }, { 0.1, 0.2 } };
  g_autoptr (GBytes) pixel_bytes = g_bytes_new_static (bytes, sizeof bytes);
  g_autoptr (GBytes) label_bytes = g_bytes_new_static (labels, sizeof labels);
  g_autoptr (CleaveImages) images = cleave_images_new (2, pixel_bytes, label_bytes);
  CleaveMinibatchSource source;
  float pixels[8];
  guint16 given[2];

  cleave_minibatch_source_init (&source, images, &info);
  cleave_minibatch_fill (&source, indices, 2, NULL, 0, 0, 0, pixels, given);
  EXPECT_TRUE (given[0] == 60000 && given[1] == 6);
  /* image 1: (0.2, 1) − 0.2 over 0.1, (0, 0.2) − 0.8 over 0.2; image 0: (0, 0.2) and (1, 0) likewise */
  static const double expected[] = { 0, 8, -4, -3, -2, 0, 1, -4 };
  for (guint i = 0; i < 8; i++)
    EXPECT_NEAR (pixels[i], expected[i], 1e-6);
}

/* Each result is the image moved by one of 9 × 9 offsets, black around it, and each offset is equally likely: χ² with
 * 80 degrees of freedom is above 154 with probability 10⁻⁶. */
TEST (minibatch, crops_everywhere_alike)
{
  const CleaveAugmentation augmentation = { .crop_padding = 4 };
  const CleaveDatasetInfo info = make_info (2, 8);
  g_autoptr (CleaveImages) images = make_images (1, 2, 8);
  const guint8 *source = g_bytes_get_data (cleave_images_get_pixels (images), NULL);
  guint counts[81] = { 0 };
  double chi_square = 0;

  for (guint epoch = 0; epoch < 8100; epoch++)
    {
      float pixels[128];
      fill (images, &info, 0, &augmentation, epoch, pixels);
      int found = -1;
      for (int offset = 0; offset < 81 && found < 0; offset++)
        {
          gboolean same = TRUE;
          for (int p = 0; p < 128 && same; p++)
            {
              int y = p / 8 % 8 + offset / 9 - 4, x = p % 8 + offset % 9 - 4;
              gboolean inside = y >= 0 && y < 8 && x >= 0 && x < 8;
              same = pixels[p] == (inside ? source[p / 64 * 64 + y * 8 + x] : 0);
            }
          if (same)
            found = offset;
        }
      if (!EXPECT_TRUE (found >= 0))
        return;
      counts[found]++;
    }
  for (guint k = 0; k < 81; k++)
    chi_square += pow (counts[k] - 100.0, 2) / 100;
  EXPECT_TRUE (chi_square < 154);
}

/* Half of 4000, five standard deviations (√1000) either way. */
TEST (minibatch, flips_every_second_image)
{
  const CleaveAugmentation augmentation = { .flip = TRUE };
  const CleaveDatasetInfo info = make_info (1, 8);
  g_autoptr (CleaveImages) images = make_images (1, 1, 8);
  const guint8 *source = g_bytes_get_data (cleave_images_get_pixels (images), NULL);
  guint n_flipped = 0;

  for (guint epoch = 0; epoch < 4000; epoch++)
    {
      float pixels[64];
      fill (images, &info, 0, &augmentation, epoch, pixels);
      gboolean flipped = pixels[0] != source[0];
      for (guint p = 0; p < 64; p++)
        if (!EXPECT_TRUE (pixels[p] == source[flipped ? p / 8 * 8 + 7 - p % 8 : p]))
          return;
      n_flipped += flipped;
    }
  EXPECT_NEAR (n_flipped, 2000, 158);
}

/* A crop is cut first, then flipped: black columns on the left become black columns on the right. */
TEST (minibatch, flips_the_crop)
{
  const CleaveAugmentation crop = { .crop_padding = 3 };
  const CleaveAugmentation both = { .crop_padding = 3, .flip = TRUE };
  const CleaveDatasetInfo info = make_info (1, 8);
  g_autoptr (CleaveImages) images = make_images (1, 1, 8);
  guint n_flipped = 0;

  for (guint epoch = 0; epoch < 100; epoch++)
    {
      float cropped[64], result[64];
      fill (images, &info, 0, &crop, epoch, cropped);
      fill (images, &info, 0, &both, epoch, result);
      gboolean flipped = memcmp (cropped, result, sizeof result) != 0;
      for (guint p = 0; p < 64; p++)
        if (!EXPECT_TRUE (result[p] == cropped[flipped ? p / 8 * 8 + 7 - p % 8 : p]))
          return;
      n_flipped += flipped;
    }
  EXPECT_TRUE (n_flipped > 20 && n_flipped < 80);
}

/* A square of side 4 whose centre (its third row and column) is each of the 64 pixels alike (χ² with 63 degrees of
 * freedom is above 130 with probability 10⁻⁶), clipped at the border, the same in each channel, 0 after normalisation.
 */
TEST (minibatch, cuts_out_everywhere_alike)
{
  const CleaveAugmentation augmentation = { .cutout = 4 };
  CleaveDatasetInfo info = make_info (2, 8);
  g_autoptr (CleaveImages) images = make_images (1, 2, 8);
  const guint8 *source = g_bytes_get_data (cleave_images_get_pixels (images), NULL);
  guint counts[64] = { 0 };
  double chi_square = 0;

  info.mean[0] = info.mean[1] = -1; /* so that no other pixel becomes 0 */
  for (guint epoch = 0; epoch < 6400; epoch++)
    {
      float pixels[128];
      int found = -1;
      fill (images, &info, 0, &augmentation, epoch, pixels);
      for (int centre = 0; centre < 64 && found < 0; centre++)
        {
          gboolean same = TRUE;
          for (int p = 0; p < 128 && same; p++)
            {
              int dy = p / 8 % 8 - centre / 8, dx = p % 8 - centre % 8;
              gboolean cut = dy >= -2 && dy < 2 && dx >= -2 && dx < 2;
              same = cut ? pixels[p] == 0 : fabsf (pixels[p] - (source[p] + 255)) < 1e-3f;
            }
          if (same)
            found = centre;
        }
      if (!EXPECT_TRUE (found >= 0))
        return;
      counts[found]++;
    }
  for (guint k = 0; k < 64; k++)
    chi_square += pow (counts[k] - 100.0, 2) / 100;
  EXPECT_TRUE (chi_square < 130);
}

/* An image's augmentation depends on neither the batch nor its place there, but on epoch and image. */
TEST (minibatch, keys_the_augmentation_by_image_and_epoch)
{
  const CleaveAugmentation augmentation = { 4, TRUE, 4 };
  const CleaveDatasetInfo info = make_info (1, 8);
  static const guint32 all[] = { 5, 4, 3, 2, 1, 0 };
  g_autoptr (CleaveImages) images = make_images (6, 1, 8);
  float together[6 * 64], alone[64], later[64];
  guint16 labels[6];
  CleaveMinibatchSource source;
  guint n_same = 0;

  cleave_minibatch_source_init (&source, images, &info);
  cleave_minibatch_fill (&source, all, 6, &augmentation, 1, PURPOSE, 2, together, labels);
  for (guint i = 0; i < 6; i++)
    {
      fill (images, &info, all[i], &augmentation, 2, alone);
      fill (images, &info, all[i], &augmentation, 3, later);
      EXPECT_TRUE (memcmp (together + i * 64, alone, sizeof alone) == 0);
      n_same += memcmp (alone, later, sizeof alone) == 0;
    }
  EXPECT_TRUE (n_same < 2);
}

/* Padding beyond the image's own side: crops that miss it altogether are black. */
TEST (minibatch, crops_beyond_the_image)
{
  const CleaveAugmentation augmentation = { .crop_padding = 20, .flip = TRUE };
  const CleaveDatasetInfo info = make_info (1, 8);
  g_autoptr (CleaveImages) images = make_images (1, 1, 8);
  guint n_black = 0;

  for (guint epoch = 0; epoch < 1000; epoch++)
    {
      float pixels[64];
      gboolean black = TRUE;

      fill (images, &info, 0, &augmentation, epoch, pixels);
      for (guint p = 0; p < 64; p++)
        black = black && pixels[p] == 0;
      n_black += black;
    }
  /* 15 of 41 offsets reach the image in each direction: 1 − (15/41)² = 0.866; five standard deviations of 1000. */
  EXPECT_NEAR (n_black, 866, 54);
}
