/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images of dashes in one column of many: which column is the class. */
#include <cleave/cleave.h>

#include <math.h>

#define SIDE 32 /* pixels */

typedef struct
{
  GObject parent_instance;
  guint classes, images; /* the parameters that are declared below */
} MyPlugin;

/* Known before any file is opened. Mean and deviation are those of the training images, where 255 counts as 1. */
static CleaveDatasetInfo *
my_plugin_info (CleaveDataset *dataset, GError **error)
{
  const double bright = 0.5 / ((MyPlugin *)dataset)->classes, deviation = sqrt (bright - bright * bright);

  return cleave_dataset_info_new (((MyPlugin *)dataset)->classes, 3, SIDE, SIDE, (double[]){ bright, bright, bright },
                                  (double[]){ deviation, deviation, deviation });
}

/* Every second row of column LABEL of so many, beginning with row 0 or 1. */
static guint8
pixel (MyPlugin *self, guint image, guint row, guint column)
{
  const guint label = image % self->classes, start = image / self->classes % 2;

  return column * self->classes / SIDE == label && row % 2 == start ? 255 : 0;
}

/* Pixels [image, channel, row, column], labels as 16-bit numbers. */
static CleaveImages *
my_plugin_load (CleaveDataset *dataset, CleaveSubset subset, GError **error)
{
  MyPlugin *self = (MyPlugin *)dataset;
  const guint n = self->classes * (subset == CLEAVE_SUBSET_TRAIN ? self->images : MAX (1, self->images / 4));
  guint8 *pixels = g_new (guint8, (gsize)n * 3 * SIDE * SIDE), *next = pixels;
  guint16 *labels = g_new (guint16, n);

  for (guint image = 0; image < n; image++)
    {
      labels[image] = image % self->classes;
      for (guint channel = 0; channel < 3; channel++)
        for (guint row = 0; row < SIDE; row++)
          for (guint column = 0; column < SIDE; column++)
            *next++ = pixel (self, image, row, column);
    }
  g_autoptr (GBytes) pixel_bytes = g_bytes_new_take (pixels, next - pixels);
  g_autoptr (GBytes) label_bytes = g_bytes_new_take (labels, n * sizeof (guint16));
  return cleave_images_new (n, pixel_bytes, label_bytes);
}

CLEAVE_PLUGIN_BEGIN (MyPlugin, my_plugin, DATASET)
  CLEAVE_PARAMETER (classes, UINT, "", 2, SIDE, 4, "Classes")
  CLEAVE_PARAMETER (images, UINT, "", 1, 1000, 128, "Training images of each class; a fourth as many for the test")
  CLEAVE_METHOD (info, my_plugin_info)
  CLEAVE_METHOD (load, my_plugin_load)
CLEAVE_PLUGIN_END
