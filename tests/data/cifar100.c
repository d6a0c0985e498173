/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* The official form's sizes: records of 2 + 3072 bytes. */
#define RECORD 3074
#define TEST_SIZE (10000 * RECORD)

static CleaveDataset *
make_cifar100 (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  GObject *dataset = host != NULL ? cleave_host_create (host, CLEAVE_KIND_DATASET, "cifar100", &error) : NULL;

  if (EXPECT_NO_ERROR (error))
    g_object_set (dataset, "path", path, NULL);
  return CLEAVE_DATASET (dataset);
}

/* The real archive, or NULL. */
static char *
find_archive (void)
{
  const char *folder = test_data_folder ();
  g_autofree char *path = folder != NULL ? g_build_filename (folder, "cifar-100-binary.tar.gz", NULL) : NULL;

  return path != NULL && g_file_test (path, G_FILE_TEST_EXISTS) ? g_steal_pointer (&path) : NULL;
}

/* A folder with a test.bin of this size, all zero but for one byte. */
static char *
make_folder (gsize size, gsize position, guint8 value)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *path = g_build_filename (folder, "test.bin", NULL);
  g_autofree char *content = g_malloc0 (size);

  content[position] = value;
  g_file_set_contents_full (path, content, size, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
  return g_strdup (folder);
}

static void
expect_failure (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveDataset) dataset = make_cifar100 (path);
  REQUIRE (dataset != NULL);
  g_autoptr (CleaveImages) images = cleave_dataset_load (dataset, CLEAVE_SUBSET_TEST, &error);

  EXPECT_TRUE (images == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, text);
}

TEST (cifar100, checks_sizes_and_labels)
{
  g_autofree char *good = make_folder (TEST_SIZE, 9999 * RECORD + 1, 99);
  g_autofree char *last_label = make_folder (TEST_SIZE, 9999 * RECORD + 1, 100);
  g_autofree char *fourth_label = make_folder (TEST_SIZE, 3 * RECORD + 1, 117);
  g_autofree char *coarse_label = make_folder (TEST_SIZE, 20 * RECORD, 20);
  g_autofree char *shorter = make_folder (TEST_SIZE - 1, 0, 0);
  g_autofree char *longer = make_folder (TEST_SIZE + 1, 0, 0);
  g_autofree char *single = make_folder (1, 0, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveDataset) dataset = make_cifar100 (good);
  REQUIRE (dataset != NULL);
  g_autoptr (CleaveImages) images = cleave_dataset_load (dataset, CLEAVE_SUBSET_TEST, &error);

  REQUIRE_NO_ERROR (error);
  EXPECT_INT (cleave_images_get_length (images), 10000);
  const guint16 *labels = g_bytes_get_data (cleave_images_get_labels (images), NULL);
  EXPECT_TRUE (labels[9999] == 99 && labels[9998] == 0);
  expect_failure (last_label, "test.bin: fine label 100 of image 9999 is outside 0–99");
  expect_failure (fourth_label, "test.bin: fine label 117 of image 3 is outside 0–99");
  expect_failure (coarse_label, "test.bin: coarse label 20 of image 20 is outside 0–19");
  expect_failure (shorter, "test.bin: 30739999 bytes; expected 30740000");
  expect_failure (longer, "test.bin: more than the 30740000 bytes expected");
  expect_failure (single, "test.bin: 1 bytes; expected 30740000");
}

TEST (cifar100, names_what_is_missing_or_there_twice)
{
  g_autoptr (GError) error = NULL;
  const char *empty = test_temporary_folder ();
  g_autofree char *missing = g_build_filename (empty, "cifar-100-binary.tar.gz", NULL);
  g_autofree char *twice = make_folder (TEST_SIZE, 0, 0);
  g_autofree char *inner = g_build_filename (twice, "zzz", NULL);
  g_autofree char *copy = g_build_filename (inner, "test.bin", NULL);
  g_autofree char *names = g_build_filename (empty, "fine_label_names.txt", NULL);

  expect_failure (missing, missing);
  expect_failure (empty, "no member test.bin");
  REQUIRE (g_mkdir (inner, 0700) == 0 && g_file_set_contents (copy, "", 0, NULL));
  expect_failure (twice, "more than one member test.bin");
  REQUIRE (g_file_set_contents (names, "apple\r\nbear\n", -1, NULL));
  g_autoptr (CleaveDataset) dataset = make_cifar100 (empty);
  REQUIRE (dataset != NULL);
  EXPECT_TRUE (cleave_dataset_class_names (dataset, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "fine_label_names.txt: 2 names; expected 100");
}

/* The first half of the real archive. */
TEST (cifar100, notices_a_truncated_archive)
{
  g_autofree char *archive = find_archive ();
  if (archive == NULL)
    SKIP ("the real CIFAR-100 archive is absent");
  g_autoptr (GMappedFile) file = g_mapped_file_new (archive, FALSE, NULL);
  REQUIRE (file != NULL);
  g_autofree char *path = g_build_filename (test_temporary_folder (), "half.tar.gz", NULL);
  REQUIRE (g_file_set_contents_full (path, g_mapped_file_get_contents (file), g_mapped_file_get_length (file) / 2,
                                     G_FILE_SET_CONTENTS_NONE, 0600, NULL));

  expect_failure (path, "truncated gzip data");
}

static guint8
byte_of (CleaveImages *images, gsize index)
{
  return ((const guint8 *)g_bytes_get_data (cleave_images_get_pixels (images), NULL))[index];
}

/* 500 images of each class, as the data set's page says; single bytes as Python's tarfile reads them. */
static void
check_training_images (CleaveImages *images)
{
  const guint16 *labels = g_bytes_get_data (cleave_images_get_labels (images), NULL);
  guint counts[100] = { 0 };

  REQUIRE (cleave_images_get_length (images) == 50000);
  for (guint i = 0; i < 50000; i++)
    counts[labels[i]]++;
  for (guint k = 0; k < 100; k++)
    EXPECT_INT (counts[k], 500);
  EXPECT_TRUE (labels[0] == 13 && labels[123] == 87 && labels[49999] == 17);
  EXPECT_TRUE (byte_of (images, 0) == 208 && byte_of (images, 1) == 210 && byte_of (images, 2) == 212);
  EXPECT_TRUE (byte_of (images, 123 * 3072) == 188 && byte_of (images, 123 * 3072 + 3071) == 255);
  EXPECT_TRUE (byte_of (images, 49999 * 3072) == 63 && byte_of (images, 49999 * 3072 + 3) == 43);
}

/* The constants against the definition, over 255; sums of bytes and of their squares are exact. */
static void
check_statistics (const CleaveDatasetInfo *info, CleaveImages *images)
{
  const double n = 50000.0 * 1024;

  for (guint c = 0; c < 3; c++)
    {
      guint64 sum = 0, squares = 0;
      for (gsize i = 0; i < 50000 * 1024; i++)
        {
          guint64 value = byte_of (images, (i / 1024 * 3 + c) * 1024 + i % 1024);
          sum += value;
          squares += value * value;
        }
      double mean = sum / n / 255;
      EXPECT_RELATIVE (info->mean[c], mean, 1e-9);
      EXPECT_RELATIVE (info->deviation[c], sqrt (squares / n / 255 / 255 - mean * mean), 1e-9);
    }
}

TEST (cifar100, reads_the_real_training_images)
{
  g_autofree char *archive = find_archive ();
  if (archive == NULL)
    SKIP ("the real CIFAR-100 archive is absent");
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveDataset) dataset = make_cifar100 (archive);
  REQUIRE (dataset != NULL);
  g_autoptr (CleaveDatasetInfo) info = cleave_dataset_get_info (dataset, &error);
  g_autoptr (CleaveImages) images = cleave_dataset_load (dataset, CLEAVE_SUBSET_TRAIN, &error);

  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (info->n_classes == 100 && info->channels == 3 && info->height == 32 && info->width == 32);
  check_training_images (images);
  check_statistics (info, images);
}

TEST (cifar100, reads_the_real_test_images_and_names)
{
  g_autofree char *archive = find_archive ();
  if (archive == NULL)
    SKIP ("the real CIFAR-100 archive is absent");
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveDataset) dataset = make_cifar100 (archive);
  REQUIRE (dataset != NULL);
  g_autoptr (CleaveImages) images = cleave_dataset_load (dataset, CLEAVE_SUBSET_TEST, &error);
  g_auto (GStrv) names = cleave_dataset_class_names (dataset, &error);

  REQUIRE_NO_ERROR (error);
  const guint16 *labels = g_bytes_get_data (cleave_images_get_labels (images), NULL);
  EXPECT_TRUE (labels[0] == 70 && labels[123] == 92 && labels[9999] == 9);
  EXPECT_TRUE (byte_of (images, 123 * 3072) == 89 && byte_of (images, 123 * 3072 + 3071) == 51);
  EXPECT_STRING (names[0], "apple");
  EXPECT_STRING (names[99], "worm");
}
