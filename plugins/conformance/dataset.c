/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds for every data set. */

#include "conformance-private.h"

#include <math.h>

/* Mean and deviation are written down to four digits, with 255 as 1. */
#define TOLERANCE 1e-3

static gboolean
use_dataset (Conformance *self, GObject *component, GError **error)
{
  g_autoptr (CleaveImages) images = cleave_dataset_load (CLEAVE_DATASET (component), CLEAVE_SUBSET_TEST, error);

  return images != NULL;
}

/* What is known before any file is opened. */
static gboolean
check_info (Conformance *self, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);
  g_autoptr (CleaveDatasetInfo) info
      = component != NULL ? cleave_dataset_get_info (CLEAVE_DATASET (component), error) : NULL;
  g_autoptr (CleaveDatasetInfo) again
      = info != NULL ? cleave_dataset_get_info (CLEAVE_DATASET (component), error) : NULL;

  if (again == NULL)
    return FALSE;
  gboolean is_same = info->n_classes == again->n_classes && info->channels == again->channels
                     && info->height == again->height && info->width == again->width;
  for (guint c = 0; is_same && c < info->channels; c++)
    is_same = info->mean[c] == again->mean[c] && info->deviation[c] == again->deviation[c];
  return is_same || conformance_fail (error, "asked twice, it tells of another shape or of other statistics");
}

static gboolean
check_class_names (Conformance *self, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  if (component == NULL)
    return FALSE;
  if (CLEAVE_DATASET_GET_IFACE (component)->class_names == NULL)
    return conformance_skip (self, "its classes have no names");
  g_auto (GStrv) names = cleave_dataset_class_names (CLEAVE_DATASET (component), error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (*names[i] == '\0' || !g_utf8_validate (names[i], -1, NULL) || !g_hash_table_add (seen, names[i]))
      return conformance_fail (error, "class %u is called “%s”, expected a name of its own in UTF-8", i, names[i]);
  return names != NULL;
}

/* Mean and deviation of a channel over all images. */
static void
measure (CleaveImages *images, const CleaveDatasetInfo *info, guint channel, double *mean, double *deviation)
{
  const guint8 *pixels = g_bytes_get_data (cleave_images_get_pixels (images), NULL);
  gsize channel_size = (gsize)info->height * info->width;
  double n = 255.0 * channel_size * cleave_images_get_length (images);
  guint64 sum = 0, squares = 0;

  for (guint i = 0; i < cleave_images_get_length (images); i++)
    {
      const guint8 *plane = pixels + ((gsize)i * info->channels + channel) * channel_size;

      for (gsize p = 0; p < channel_size; p++)
        {
          sum += plane[p];
          squares += plane[p] * plane[p];
        }
    }
  *mean = sum / n;
  *deviation = sqrt (fmax (squares / (255 * n) - *mean * *mean, 0));
}

static gboolean
check_statistics (CleaveImages *images, const CleaveDatasetInfo *info, GError **error)
{
  for (guint c = 0; c < info->channels; c++)
    {
      double mean, deviation;

      measure (images, info, c, &mean, &deviation);
      if (fabs (mean - info->mean[c]) > TOLERANCE || fabs (deviation - info->deviation[c]) > TOLERANCE)
        return conformance_fail (error,
                                 "channel %u of the training images has mean %.4f and deviation %.4f, but it tells of "
                                 "%.4f and %.4f (± %g, 255 as 1)",
                                 c, mean, deviation, info->mean[c], info->deviation[c], TOLERANCE);
    }
  return TRUE;
}

/* Sizes and labels are looked at where images are loaded; here that another component gives the same, and what the
 * statistics are of. */
static gboolean
check_subset (Conformance *self, CleaveSubset subset, GError **error)
{
  const char *name = subset == CLEAVE_SUBSET_TRAIN ? "training" : "test";
  g_autoptr (GObject) component = conformance_make (self, error);
  g_autoptr (GObject) another = component != NULL ? conformance_make (self, error) : NULL;
  g_autoptr (CleaveDatasetInfo) info
      = another != NULL ? cleave_dataset_get_info (CLEAVE_DATASET (component), error) : NULL;
  g_autoptr (CleaveImages) images
      = info != NULL ? cleave_dataset_load (CLEAVE_DATASET (component), subset, error) : NULL;
  g_autoptr (CleaveImages) again
      = images != NULL ? cleave_dataset_load (CLEAVE_DATASET (another), subset, error) : NULL;

  if (again == NULL)
    return FALSE;
  if (!g_bytes_equal (cleave_images_get_pixels (images), cleave_images_get_pixels (again))
      || !g_bytes_equal (cleave_images_get_labels (images), cleave_images_get_labels (again)))
    return conformance_fail (error, "the %s images differ when they are loaded twice", name);
  return subset == CLEAVE_SUBSET_TEST || check_statistics (images, info, error);
}

static gboolean
check_training_images (Conformance *self, GError **error)
{
  return check_subset (self, CLEAVE_SUBSET_TRAIN, error);
}

static gboolean
check_test_images (Conformance *self, GError **error)
{
  return check_subset (self, CLEAVE_SUBSET_TEST, error);
}

static const ConformanceCheck checks[] = {
  { "info", check_info, TRUE },
  { "class names", check_class_names, FALSE },
  { "training images", check_training_images, FALSE },
  { "test images", check_test_images, FALSE },
  { NULL, NULL, FALSE },
};

const ConformanceKind conformance_dataset = { use_dataset, 1, TRUE, checks };
