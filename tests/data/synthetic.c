/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"

#include <math.h>
#include <string.h>

static CleaveDataset *
make_synthetic (guint classes, guint size, guint train_images, guint seed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  GObject *dataset = host != NULL ? cleave_host_create (host, CLEAVE_KIND_DATASET, "synthetic", &error) : NULL;

  if (EXPECT_NO_ERROR (error))
    g_object_set (dataset, "classes", classes, "size", size, "train-images", train_images, "test-images", 20u, "seed",
                  seed, NULL);
  return CLEAVE_DATASET (dataset);
}

static guint8
byte_of (CleaveImages *images, gsize index)
{
  return ((const guint8 *)g_bytes_get_data (cleave_images_get_pixels (images), NULL))[index];
}

TEST (synthetic, is_fixed_by_seed_subset_and_index)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveDataset) dataset = make_synthetic (10, 16, 30, 1);
  g_autoptr (CleaveDataset) same = make_synthetic (10, 16, 50, 1);
  g_autoptr (CleaveDataset) other = make_synthetic (10, 16, 30, 2);
  REQUIRE (dataset != NULL && same != NULL && other != NULL);

  g_autoptr (CleaveImages) train = cleave_dataset_load (dataset, CLEAVE_SUBSET_TRAIN, &error);
  g_autoptr (CleaveImages) longer = cleave_dataset_load (same, CLEAVE_SUBSET_TRAIN, &error);
  g_autoptr (CleaveImages) seeded = cleave_dataset_load (other, CLEAVE_SUBSET_TRAIN, &error);
  g_autoptr (CleaveImages) test = cleave_dataset_load (dataset, CLEAVE_SUBSET_TEST, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_INT (cleave_images_get_length (train), 30);
  EXPECT_INT (cleave_images_get_length (test), 20);

  const gsize image = 3 * 16 * 16;
  guint same_seed = 0, other_seed = 0, other_subset = 0;
  for (gsize i = 0; i < 20 * image; i++)
    {
      same_seed += byte_of (train, i) == byte_of (longer, i);
      other_seed += byte_of (train, i) == byte_of (seeded, i);
      other_subset += byte_of (train, i) == byte_of (test, i);
    }
  EXPECT_INT (same_seed, 20 * image);
  EXPECT_TRUE (other_seed < 10 * image && other_subset < 10 * image);
}

TEST (synthetic, has_balanced_classes_of_distinct_names)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveDataset) dataset = make_synthetic (1000, 8, 3000, 1);
  REQUIRE (dataset != NULL);
  g_auto (GStrv) names = cleave_dataset_class_names (dataset, &error);
  g_autoptr (CleaveImages) images = cleave_dataset_load (dataset, CLEAVE_SUBSET_TRAIN, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (GHashTable) distinct = g_hash_table_new (g_str_hash, g_str_equal);
  const guint16 *labels = g_bytes_get_data (cleave_images_get_labels (images), NULL);
  guint counts[1000] = { 0 };

  for (guint i = 0; i < 3000; i++)
    counts[labels[i]]++;
  for (guint k = 0; k < 1000; k++)
    {
      EXPECT_INT (counts[k], 3);
      EXPECT_TRUE (g_hash_table_add (distinct, names[k]));
    }
}

/* The definition of mean and population deviation, in one pass each over the bytes. */
TEST (synthetic, gives_the_statistics_of_its_training_images)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveDataset) dataset = make_synthetic (7, 12, 50, 3);
  REQUIRE (dataset != NULL);
  g_autoptr (CleaveDatasetInfo) info = cleave_dataset_get_info (dataset, &error);
  g_autoptr (CleaveImages) images = cleave_dataset_load (dataset, CLEAVE_SUBSET_TRAIN, &error);
  REQUIRE_NO_ERROR (error);

  for (guint c = 0; c < 3; c++)
    {
      double mean = 0, variance = 0;
      for (guint i = 0; i < 50 * 144; i++)
        mean += byte_of (images, (i / 144 * 3 + c) * 144 + i % 144) / 255.0 / (50 * 144);
      for (guint i = 0; i < 50 * 144; i++)
        variance += pow (byte_of (images, (i / 144 * 3 + c) * 144 + i % 144) / 255.0 - mean, 2) / (50 * 144);
      EXPECT_RELATIVE (info->mean[c], mean, 1e-9);
      EXPECT_RELATIVE (info->deviation[c], sqrt (variance), 1e-9);
    }

  g_object_set (dataset, "noise", 0.5, NULL); /* statistics follow a change */
  g_autoptr (CleaveDatasetInfo) noisy = cleave_dataset_get_info (dataset, &error);
  EXPECT_TRUE (noisy->deviation[0] > info->deviation[0] + 0.05);
}

TEST (synthetic, refuses_more_than_fits)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveDataset) dataset = make_synthetic (10, 512, 1000000, 1);
  REQUIRE (dataset != NULL);

  EXPECT_TRUE (cleave_dataset_get_info (dataset, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "no more than 2 GiB");
}

/* A classifier without training, the nearest class mean over 4 × 4 colour averages, already tells 25 classes apart far
 * better than chance (0.04): the classes differ in what a network sees. */
TEST (synthetic, can_be_told_apart)
{
  enum
  {
    CLASSES = 25,
    TRAIN = 500,
    TEST_IMAGES = 20,
    FEATURES = 48
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveDataset) dataset = make_synthetic (CLASSES, 16, TRAIN, 1);
  REQUIRE (dataset != NULL);
  g_autoptr (CleaveImages) train = cleave_dataset_load (dataset, CLEAVE_SUBSET_TRAIN, &error);
  g_autoptr (CleaveImages) test = cleave_dataset_load (dataset, CLEAVE_SUBSET_TEST, &error);
  REQUIRE_NO_ERROR (error);
  double means[CLASSES][FEATURES] = { 0 };
  guint n_right = 0;

  for (guint i = 0; i < TRAIN; i++)
    for (guint p = 0; p < 768; p++)
      means[i % CLASSES][p / 256 * 16 + p % 256 / 64 * 4 + p % 16 / 4] += byte_of (train, i * 768 + p) / 320.0;
  for (guint i = 0; i < TEST_IMAGES; i++)
    {
      double features[FEATURES] = { 0 }, best = INFINITY;
      guint nearest = 0;
      for (guint p = 0; p < 768; p++)
        features[p / 256 * 16 + p % 256 / 64 * 4 + p % 16 / 4] += byte_of (test, i * 768 + p) / 16.0;
      for (guint k = 0; k < CLASSES; k++)
        {
          double distance = 0;
          for (guint f = 0; f < FEATURES; f++)
            distance += pow (features[f] - means[k][f], 2);
          if (distance < best)
            {
              best = distance;
              nearest = k;
            }
        }
      n_right += nearest == i % CLASSES;
    }
  EXPECT_TRUE (n_right >= TEST_IMAGES / 2);
}
