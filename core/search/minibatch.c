/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "minibatch.h"

#include <string.h>

/* The item of the stream that orders an epoch, out of the way of the images' own. */
#define ORDER_ITEM G_MAXUINT32

/* How one image is to be changed. Rows and columns may be negative or beyond the border. */
typedef struct
{
  int top, left; /* of the crop, in the image */
  gboolean flip;
  int cutout_top, cutout_bottom, cutout_left, cutout_right; /* in the result; bottom and right are past the end */
} Placement;

void
cleave_minibatch_allocate (CleaveMinibatch *self, const CleaveDatasetInfo *info, guint size)
{
  self->n = size;
  self->pixels = g_new (float, (gsize)size * info->channels * info->height * info->width);
  self->labels = g_new (guint16, size);
}

void
cleave_minibatch_clear (CleaveMinibatch *self)
{
  g_clear_pointer (&self->pixels, g_free);
  g_clear_pointer (&self->labels, g_free);
  self->n = 0;
}

void
cleave_minibatch_source_init (CleaveMinibatchSource *self, CleaveImages *images, const CleaveDatasetInfo *info)
{
  self->images = images;
  self->info = info;
  for (guint c = 0; c < info->channels; c++)
    for (guint value = 0; value < 256; value++)
      self->normalised[c][value] = (float)((value / 255.0 - info->mean[c]) / info->deviation[c]);
}

void
cleave_minibatch_order (guint64 seed, guint32 purpose, guint32 epoch, guint n, guint32 *order)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (seed, purpose, epoch, ORDER_ITEM);

  for (guint i = 0; i < n; i++)
    order[i] = i;
  for (guint i = n; i > 1; i--) /* Fisher–Yates */
    {
      guint other = cleave_random_below (random, i);
      guint32 held = order[i - 1];
      order[i - 1] = order[other];
      order[other] = held;
    }
}

/* Crop, flip and cutout as the published ASNG-NAS code has them: the crop's place is uniform among all, the cutout's
 * centre uniform among the pixels. */
static Placement
draw_placement (CleaveRandom *random, const CleaveDatasetInfo *info, const CleaveAugmentation *augmentation)
{
  Placement placement = { 0 };
  int padding = augmentation->crop_padding;
  int side = augmentation->cutout;

  if (padding > 0)
    {
      placement.top = (int)cleave_random_below (random, 2 * padding + 1) - padding;
      placement.left = (int)cleave_random_below (random, 2 * padding + 1) - padding;
    }
  if (augmentation->flip)
    placement.flip = cleave_random_bits (random) >> 31;
  if (side > 0)
    {
      int top = (int)cleave_random_below (random, info->height) - side / 2;
      int left = (int)cleave_random_below (random, info->width) - side / 2;
      placement.cutout_top = MAX (top, 0);
      placement.cutout_bottom = MIN (top + side, (int)info->height);
      placement.cutout_left = MAX (left, 0);
      placement.cutout_right = MIN (left + side, (int)info->width);
    }
  return placement;
}

/* Black but for columns first … end − 1, which are ROW's from first + left on. */
static void
fill_row (const guint8 *row, int left, int first, int end, int width, gboolean flip, const float *normalised,
          float *result)
{
  float *target = flip ? result + width - 1 : result;
  int stride = flip ? -1 : 1;
  int x = 0;

  for (; x < first; x++)
    target[x * stride] = normalised[0];
  for (; x < end; x++)
    target[x * stride] = normalised[row[x + left]];
  for (; x < width; x++)
    target[x * stride] = normalised[0];
}

static void
fill_channel (const guint8 *image, int height, int width, const Placement *placement, const float *normalised,
              float *result)
{
  int first = CLAMP (-placement->left, 0, width);
  int end = CLAMP (width - placement->left, first, width);

  for (int y = 0; y < height; y++, result += width)
    {
      int row = y + placement->top;
      gboolean inside = row >= 0 && row < height;

      fill_row (inside ? image + row * width : image, placement->left, first, inside ? end : first, width,
                placement->flip, normalised, result);
      if (y >= placement->cutout_top && y < placement->cutout_bottom)
        for (int x = placement->cutout_left; x < placement->cutout_right; x++)
          result[x] = 0;
    }
}

void
cleave_minibatch_fill (const CleaveMinibatchSource *source, const guint32 *indices, guint n,
                       const CleaveAugmentation *augmentation, guint64 seed, guint32 purpose, guint32 epoch,
                       float *pixels, guint16 *labels)
{
  const CleaveDatasetInfo *info = source->info;
  gsize channel_size = (gsize)info->height * info->width;
  gsize image_size = info->channels * channel_size;
  const guint8 *all_pixels = g_bytes_get_data (cleave_images_get_pixels (source->images), NULL);
  const guint8 *all_labels = g_bytes_get_data (cleave_images_get_labels (source->images), NULL);

  for (guint i = 0; i < n; i++)
    {
      Placement placement = { 0 };

      g_return_if_fail (indices[i] < cleave_images_get_length (source->images));
      if (augmentation != NULL)
        {
          g_autoptr (CleaveRandom) random = cleave_random_new (seed, purpose, epoch, indices[i]);
          placement = draw_placement (random, info, augmentation);
        }
      for (guint c = 0; c < info->channels; c++)
        fill_channel (all_pixels + indices[i] * image_size + c * channel_size, info->height, info->width, &placement,
                      source->normalised[c], pixels + i * image_size + c * channel_size);
      memcpy (&labels[i], all_labels + indices[i] * sizeof (guint16), sizeof (guint16));
    }
}
