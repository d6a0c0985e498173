/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a data set's bytes to what a network takes. Everything random is fixed by (seed, purpose, epoch) and the image's
 * index, so neither the batches' size nor threads nor a restart change it. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

typedef struct
{
  guint crop_padding; /* pixels around the image, from which a crop of the image's size is taken; 0 = none */
  gboolean flip;      /* left to right, with probability ½ */
  guint cutout;       /* side of the square that is blanked; 0 = none */
} CleaveAugmentation;

/* Normalised images [n, C, H, W] with their labels. */
typedef struct
{
  float *pixels;
  guint16 *labels;
  guint n;
} CleaveMinibatch;

/* A data set's images and how to normalise them. It owns neither. */
typedef struct
{
  CleaveImages *images;
  const CleaveDatasetInfo *info;
  float normalised[4][256]; /* of each value of a channel's bytes: (v / 255 − mean) / deviation */
} CleaveMinibatchSource;

void cleave_minibatch_allocate (CleaveMinibatch *self, const CleaveDatasetInfo *info, guint size);
void cleave_minibatch_clear (CleaveMinibatch *self);
void cleave_minibatch_source_init (CleaveMinibatchSource *self, CleaveImages *images, const CleaveDatasetInfo *info);

/* order[0 … n − 1]: a permutation of 0 … n − 1 fixed by (seed, purpose, epoch). */
void cleave_minibatch_order (guint64 seed, guint32 purpose, guint32 epoch, guint n, guint32 *order);
/* The images at N indices, normalised, as PIXELS [n, channels, height, width] and LABELS [n]. AUGMENTATION (nullable)
 * is keyed by (seed, purpose, epoch, index). */
void cleave_minibatch_fill (const CleaveMinibatchSource *source, const guint32 *indices, guint n,
                            const CleaveAugmentation *augmentation, guint64 seed, guint32 purpose, guint32 epoch,
                            float *pixels, guint16 *labels);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CleaveMinibatch, cleave_minibatch_clear)

G_END_DECLS
