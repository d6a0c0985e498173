/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <math.h>

/* A data set that breaks its promises as its members say. */
typedef struct
{
  GObject parent_instance;
  CleaveDatasetInfo info;
  guint n_images;
  gsize pixels_size;
  guint16 labels[4];
  gboolean silent; /* gives nothing, not even an error */
} BadDataset;

typedef GObjectClass BadDatasetClass;

static CleaveDatasetInfo *
bad_info (CleaveDataset *dataset, GError **error)
{
  BadDataset *self = (BadDataset *)dataset;

  return self->silent ? NULL : cleave_dataset_info_copy (&self->info);
}

static GStrv
bad_class_names (CleaveDataset *dataset, GError **error)
{
  static const char *const names[] = { "one", "two", NULL };

  return g_strdupv ((char **)names);
}

static CleaveImages *
bad_load (CleaveDataset *dataset, CleaveSubset subset, GError **error)
{
  BadDataset *self = (BadDataset *)dataset;
  g_autoptr (GBytes) pixels = g_bytes_new_take (g_malloc0 (self->pixels_size), self->pixels_size);
  g_autoptr (GBytes) labels = g_bytes_new (self->labels, self->n_images * sizeof (guint16));

  if (subset == CLEAVE_SUBSET_TEST)
    {
      cleave_error_set_literal (error, CLEAVE_ERROR_IO, "the plugin's own reason");
      return NULL;
    }
  return cleave_images_new (self->n_images, pixels, labels);
}

static void
bad_dataset_interface_init (CleaveDatasetInterface *iface)
{
  iface->info = bad_info;
  iface->class_names = bad_class_names;
  iface->load = bad_load;
}

static GType bad_dataset_get_type (void);
G_DEFINE_TYPE_WITH_CODE (BadDataset, bad_dataset, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (CLEAVE_TYPE_DATASET, bad_dataset_interface_init))

static void
bad_dataset_class_init (BadDatasetClass *klass)
{
}

static void
bad_dataset_init (BadDataset *self)
{
  self->info = (CleaveDatasetInfo){ 100, 3, 2, 5, { 0.5, 0.5, 0.5 }, { 1, 1, 1 } };
  self->n_images = 4;
  self->pixels_size = 4 * 3 * 2 * 5;
}

static void
expect_load (BadDataset *self, int code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveImages) images = cleave_dataset_load (CLEAVE_DATASET (self), CLEAVE_SUBSET_TRAIN, &error);

  EXPECT_TRUE (images == NULL);
  EXPECT_ERROR (error, code, text);
}

TEST (dataset, load_checks_labels)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) object = g_object_new (bad_dataset_get_type (), NULL);
  BadDataset *self = (BadDataset *)object;

  self->labels[3] = 99;
  g_autoptr (CleaveImages) images = cleave_dataset_load (CLEAVE_DATASET (self), CLEAVE_SUBSET_TRAIN, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (images != NULL && cleave_images_get_length (images) == 4);
  self->labels[3] = 100;
  expect_load (self, CLEAVE_ERROR_DATA, "label 100 of image 3 is outside 0–99");
  self->labels[3] = 117;
  expect_load (self, CLEAVE_ERROR_DATA, "label 117 of image 3 is outside 0–99");
}

TEST (dataset, load_checks_sizes)
{
  g_autoptr (GObject) object = g_object_new (bad_dataset_get_type (), NULL);
  BadDataset *self = (BadDataset *)object;

  self->pixels_size--;
  expect_load (self, CLEAVE_ERROR_PLUGIN, "119 bytes of pixels and 8 of labels; expected 120 and 8 for 4 images");
  self->n_images = 0;
  self->pixels_size = 0;
  expect_load (self, CLEAVE_ERROR_DATA, "no images");
}

TEST (dataset, load_passes_on_the_plugins_error)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) object = g_object_new (bad_dataset_get_type (), NULL);

  EXPECT_TRUE (cleave_dataset_load (CLEAVE_DATASET (object), CLEAVE_SUBSET_TEST, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "the plugin's own reason");
}

TEST (dataset, info_is_checked)
{
  static const CleaveDatasetInfo wrong[] = {
    { 0, 3, 2, 5, { 0 }, { 1, 1, 1 } },         { 65536, 3, 2, 5, { 0 }, { 1, 1, 1 } },
    { 10, 0, 2, 5, { 0 }, { 1, 1, 1 } },        { 10, 5, 2, 5, { 0 }, { 1, 1, 1, 1 } },
    { 10, 3, 0, 5, { 0 }, { 1, 1, 1 } },        { 10, 3, 2, 100000, { 0 }, { 1, 1, 1 } },
    { 10, 3, 2, 5, { NAN }, { 1, 1, 1 } },      { 10, 3, 2, 5, { 0 }, { 1, 0, 1 } },
    { 10, 3, 2, 5, { 0 }, { 1, 1, INFINITY } },
  };
  g_autoptr (GObject) object = g_object_new (bad_dataset_get_type (), NULL);
  BadDataset *self = (BadDataset *)object;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      self->info = wrong[i];
      expect_load (self, CLEAVE_ERROR_PLUGIN, "expected");
    }
  self->silent = TRUE;
  expect_load (self, CLEAVE_ERROR_PLUGIN, "info gave neither a result nor an error");
}

TEST (dataset, class_names_are_counted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) object = g_object_new (bad_dataset_get_type (), NULL);

  EXPECT_TRUE (cleave_dataset_class_names (CLEAVE_DATASET (object), &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "2 class names for 100 classes");
  ((BadDataset *)object)->info.n_classes = 2;
  g_auto (GStrv) names = cleave_dataset_class_names (CLEAVE_DATASET (object), &error);
  EXPECT_NO_ERROR (error);
  EXPECT_STRING (names[1], "two");
}
