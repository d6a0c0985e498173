/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

/**
 * CleaveSubset:
 * @CLEAVE_SUBSET_TRAIN: the training images
 * @CLEAVE_SUBSET_TEST: the test images
 *
 * A part of a data set.
 */
typedef enum
{
  CLEAVE_SUBSET_TRAIN,
  CLEAVE_SUBSET_TEST,
} CleaveSubset;

#define CLEAVE_TYPE_DATASET_INFO (cleave_dataset_info_get_type ())

/**
 * CleaveDatasetInfo:
 * @n_classes: classes, 1 … 65535
 * @channels: channels of an image, 1 … 4
 * @height: rows
 * @width: columns
 * @mean: per channel, of the training images, where 255 counts as 1
 * @deviation: per channel, likewise
 *
 * What is known of a data set before any file is opened.
 */
typedef struct
{
  guint n_classes;
  guint channels;
  guint height;
  guint width;
  double mean[4];
  double deviation[4];
} CleaveDatasetInfo;

CLEAVE_EXPORT GType cleave_dataset_info_get_type (void);
CLEAVE_EXPORT CleaveDatasetInfo *cleave_dataset_info_new (guint n_classes, guint channels, guint height, guint width,
                                                          const double *mean, const double *deviation);
CLEAVE_EXPORT CleaveDatasetInfo *cleave_dataset_info_copy (const CleaveDatasetInfo *self);
CLEAVE_EXPORT void cleave_dataset_info_free (CleaveDatasetInfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveDatasetInfo, cleave_dataset_info_free)

#define CLEAVE_TYPE_IMAGES (cleave_images_get_type ())

/**
 * CleaveImages:
 *
 * Images in bulk: pixels as bytes [n, channels, height, width], labels as native-endian 16-bit numbers [n]. Immutable.
 */
typedef struct _CleaveImages CleaveImages;

CLEAVE_EXPORT GType cleave_images_get_type (void);
CLEAVE_EXPORT CleaveImages *cleave_images_new (guint n_images, GBytes *pixels, GBytes *labels);
CLEAVE_EXPORT CleaveImages *cleave_images_ref (CleaveImages *self);
CLEAVE_EXPORT void cleave_images_unref (CleaveImages *self);
CLEAVE_EXPORT guint cleave_images_get_length (CleaveImages *self);
CLEAVE_EXPORT GBytes *cleave_images_get_pixels (CleaveImages *self);
CLEAVE_EXPORT GBytes *cleave_images_get_labels (CleaveImages *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveImages, cleave_images_unref)

/**
 * CleaveDataset:
 *
 * A data set of labelled images, loaded in bulk. Shuffling, normalisation and augmentation are the core's.
 */
#define CLEAVE_TYPE_DATASET (cleave_dataset_get_type ())
CLEAVE_EXPORT
G_DECLARE_INTERFACE (CleaveDataset, cleave_dataset, CLEAVE, DATASET, GObject)

/**
 * CleaveDatasetInterface:
 * @parent_interface: the parent
 * @info: shape, classes and statistics; opens no file
 * @class_names: (nullable): the classes' names in label order
 * @load: all images of a subset
 *
 * The methods of a [iface@Dataset].
 */
struct _CleaveDatasetInterface
{
  GTypeInterface parent_interface;

  CleaveDatasetInfo *(*info) (CleaveDataset *self, GError **error);
  GStrv (*class_names) (CleaveDataset *self, GError **error);
  CleaveImages *(*load) (CleaveDataset *self, CleaveSubset subset, GError **error);
};

CLEAVE_EXPORT CleaveDatasetInfo *cleave_dataset_get_info (CleaveDataset *self, GError **error);
CLEAVE_EXPORT GStrv cleave_dataset_class_names (CleaveDataset *self, GError **error);
CLEAVE_EXPORT CleaveImages *cleave_dataset_load (CleaveDataset *self, CleaveSubset subset, GError **error);

G_END_DECLS
