/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cleave/cleave-dataset.h>
#include <cleave/cleave-error.h>

#include <math.h>
#include <string.h>

/* Keeps n × channels × height × width within 64 bits. */
#define LARGEST_SIDE 16384

struct _CleaveImages
{
  guint n_images;
  GBytes *pixels;
  GBytes *labels;
};

G_DEFINE_BOXED_TYPE (CleaveDatasetInfo, cleave_dataset_info, cleave_dataset_info_copy, cleave_dataset_info_free)
G_DEFINE_BOXED_TYPE (CleaveImages, cleave_images, cleave_images_ref, cleave_images_unref)
G_DEFINE_INTERFACE (CleaveDataset, cleave_dataset, G_TYPE_OBJECT)

static void
cleave_dataset_default_init (CleaveDatasetInterface *iface)
{
}

/**
 * cleave_dataset_info_new:
 * @n_classes: classes, 1 … 65535
 * @channels: channels of an image, 1 … 4
 * @height: rows
 * @width: columns
 * @mean: (array length=channels): per channel, of the training images, where 255 counts as 1
 * @deviation: (array length=channels): the population's standard deviation per channel, likewise
 *
 * Makes an info. Whether its numbers make sense is checked by [method@Dataset.get_info].
 *
 * Returns: (transfer full): the info
 */
CleaveDatasetInfo *
cleave_dataset_info_new (guint n_classes, guint channels, guint height, guint width, const double *mean,
                         const double *deviation)
{
  CleaveDatasetInfo *self = g_new0 (CleaveDatasetInfo, 1);
  gsize size = MIN (channels, G_N_ELEMENTS (self->mean)) * sizeof (double);

  self->n_classes = n_classes;
  self->channels = channels;
  self->height = height;
  self->width = width;
  memcpy (self->mean, mean, size);
  memcpy (self->deviation, deviation, size);
  return self;
}

/**
 * cleave_dataset_info_copy:
 * @self: an info
 *
 * Copies an info.
 *
 * Returns: (transfer full): a copy
 */
CleaveDatasetInfo *
cleave_dataset_info_copy (const CleaveDatasetInfo *self)
{
  return g_memdup2 (self, sizeof *self);
}

/**
 * cleave_dataset_info_free:
 * @self: (transfer full): an info
 *
 * Frees an info.
 */
void
cleave_dataset_info_free (CleaveDatasetInfo *self)
{
  g_free (self);
}

/**
 * cleave_images_new:
 * @n_images: how many
 * @pixels: bytes [@n_images, channels, height, width]
 * @labels: native-endian 16-bit numbers [@n_images]
 *
 * Makes images of bytes. Whether sizes and labels fit the data set is checked by [method@Dataset.load].
 *
 * Returns: (transfer full): these images; the bytes are shared, not copied
 */
CleaveImages *
cleave_images_new (guint n_images, GBytes *pixels, GBytes *labels)
{
  g_return_val_if_fail (pixels != NULL && labels != NULL, NULL);

  CleaveImages *self = g_atomic_rc_box_new0 (CleaveImages);
  self->n_images = n_images;
  self->pixels = g_bytes_ref (pixels);
  self->labels = g_bytes_ref (labels);
  return self;
}

/**
 * cleave_images_ref:
 * @self: images
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self with one more reference
 */
CleaveImages *
cleave_images_ref (CleaveImages *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
images_clear (gpointer data)
{
  CleaveImages *self = data;

  g_bytes_unref (self->pixels);
  g_bytes_unref (self->labels);
}

/**
 * cleave_images_unref:
 * @self: (transfer full): images
 *
 * Gives a reference back; the last one frees the images.
 */
void
cleave_images_unref (CleaveImages *self)
{
  g_atomic_rc_box_release_full (self, images_clear);
}

/**
 * cleave_images_get_length:
 * @self: images
 *
 * Gets the number of images.
 *
 * Returns: how many
 */
guint
cleave_images_get_length (CleaveImages *self)
{
  return self->n_images;
}

/**
 * cleave_images_get_pixels:
 * @self: images
 *
 * Gets the pixels of all images.
 *
 * Returns: (transfer none): bytes [n, channels, height, width]
 */
GBytes *
cleave_images_get_pixels (CleaveImages *self)
{
  return self->pixels;
}

/**
 * cleave_images_get_labels:
 * @self: images
 *
 * Gets the labels of all images.
 *
 * Returns: (transfer none): native-endian 16-bit numbers [n]
 */
GBytes *
cleave_images_get_labels (CleaveImages *self)
{
  return self->labels;
}

/* What a plugin gave is NULL: an error it has set goes on, else there is one that blames it. */
static void
blame_plugin (CleaveDataset *self, const char *method, GError *plugin_error, GError **error)
{
  if (plugin_error != NULL)
    g_propagate_error (error, plugin_error);
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: %s gave neither a result nor an error",
                 G_OBJECT_TYPE_NAME (self), method);
}

static gboolean
check_info (CleaveDataset *self, const CleaveDatasetInfo *info, GError **error)
{
  const char *name = G_OBJECT_TYPE_NAME (self);

  if (info->n_classes < 1 || info->n_classes > G_MAXUINT16 || info->channels < 1 || info->channels > 4
      || info->height < 1 || info->height > LARGEST_SIDE || info->width < 1 || info->width > LARGEST_SIDE)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                   "%s: %u classes of %u×%u×%u images; expected 1–65535 classes, 1–4 channels, sides of 1–%d", name,
                   info->n_classes, info->channels, info->height, info->width, LARGEST_SIDE);
      return FALSE;
    }
  for (guint c = 0; c < info->channels; c++)
    if (!isfinite (info->mean[c]) || !isfinite (info->deviation[c]) || info->deviation[c] <= 0)
      {
        g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                     "%s: channel %u has mean %g and deviation %g; expected finite numbers and a deviation above 0",
                     name, c, info->mean[c], info->deviation[c]);
        return FALSE;
      }
  return TRUE;
}

/**
 * cleave_dataset_get_info: (virtual info)
 * @self: a data set
 * @error: return location for an error
 *
 * Shape, classes and statistics, checked. An implementation opens no file for it: latency is counted without a data set
 * on the disk.
 *
 * Returns: (transfer full): the info, or %NULL with an error set (%CLEAVE_ERROR_PLUGIN where it makes no sense)
 */
CleaveDatasetInfo *
cleave_dataset_get_info (CleaveDataset *self, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_DATASET (self), NULL);

  CleaveDatasetInterface *iface = CLEAVE_DATASET_GET_IFACE (self);
  GError *plugin_error = NULL;
  g_autoptr (CleaveDatasetInfo) info = iface->info != NULL ? iface->info (self, &plugin_error) : NULL;
  if (info == NULL)
    {
      blame_plugin (self, "info", plugin_error, error);
      return NULL;
    }
  return check_info (self, info, error) ? g_steal_pointer (&info) : NULL;
}

/**
 * cleave_dataset_class_names:
 * @self: a data set
 * @error: return location for an error
 *
 * The classes' names in the order of their labels, as many as there are classes. May open files.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names, or %NULL with an error set (%CLEAVE_ERROR_PLUGIN where
 *   the data set has no names, or too few or many)
 */
GStrv
cleave_dataset_class_names (CleaveDataset *self, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_DATASET (self), NULL);

  g_autoptr (CleaveDatasetInfo) info = cleave_dataset_get_info (self, error);
  if (info == NULL)
    return NULL;

  CleaveDatasetInterface *iface = CLEAVE_DATASET_GET_IFACE (self);
  GError *plugin_error = NULL;
  g_auto (GStrv) names = iface->class_names != NULL ? iface->class_names (self, &plugin_error) : NULL;
  if (names == NULL)
    {
      blame_plugin (self, "class_names", plugin_error, error);
      return NULL;
    }
  if (g_strv_length (names) != info->n_classes)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: %u class names for %u classes",
                   G_OBJECT_TYPE_NAME (self), g_strv_length (names), info->n_classes);
      return NULL;
    }
  return g_steal_pointer (&names);
}

static gboolean
check_images (CleaveDataset *self, const CleaveDatasetInfo *info, CleaveImages *images, GError **error)
{
  const char *name = G_OBJECT_TYPE_NAME (self);
  guint64 n_pixels = (guint64)images->n_images * info->channels * info->height * info->width;
  guint64 n_label_bytes = (guint64)images->n_images * sizeof (guint16);
  gsize pixels_size = g_bytes_get_size (images->pixels);
  gsize labels_size;
  const guint8 *labels = g_bytes_get_data (images->labels, &labels_size);

  if (images->n_images == 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: no images; expected at least one", name);
      return FALSE;
    }
  if (pixels_size != n_pixels || labels_size != n_label_bytes)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                   "%s: %" G_GSIZE_FORMAT " bytes of pixels and %" G_GSIZE_FORMAT
                   " of labels; expected %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT " for %u images of %u×%u×%u",
                   name, pixels_size, labels_size, n_pixels, n_label_bytes, images->n_images, info->channels,
                   info->height, info->width);
      return FALSE;
    }
  for (guint i = 0; i < images->n_images; i++)
    {
      guint16 label;
      memcpy (&label, labels + i * sizeof label, sizeof label); /* a plugin's bytes may lie anywhere */
      if (label >= info->n_classes)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: label %u of image %u is outside 0–%u", name, label,
                       i, info->n_classes - 1);
          return FALSE;
        }
    }
  return TRUE;
}

/**
 * cleave_dataset_load:
 * @self: a data set
 * @subset: the part wanted
 * @error: return location for an error
 *
 * All images of a subset, in file order and as they are: augmentation and normalisation are the caller's. Sizes and
 * every label are checked. An implementation gives the same bytes whenever it is called.
 *
 * Returns: (transfer full): the images, at least one, or %NULL with an error set (%CLEAVE_ERROR_DATA where a file is
 *   missing or damaged, %CLEAVE_ERROR_PLUGIN where the data set breaks its own promise)
 */
CleaveImages *
cleave_dataset_load (CleaveDataset *self, CleaveSubset subset, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_DATASET (self), NULL);

  g_autoptr (CleaveDatasetInfo) info = cleave_dataset_get_info (self, error);
  if (info == NULL)
    return NULL;

  CleaveDatasetInterface *iface = CLEAVE_DATASET_GET_IFACE (self);
  GError *plugin_error = NULL;
  g_autoptr (CleaveImages) images = iface->load != NULL ? iface->load (self, subset, &plugin_error) : NULL;
  if (images == NULL)
    {
      blame_plugin (self, "load", plugin_error, error);
      return NULL;
    }
  return check_images (self, info, images, error) ? g_steal_pointer (&images) : NULL;
}
