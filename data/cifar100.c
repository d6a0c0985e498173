/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CIFAR-100 (Krizhevsky 2009) in its official binary form: train.bin and test.bin hold records of a coarse label, a
 * fine label and 3072 pixels (red, green, blue planes of 32 × 32), fine_label_names.txt a name a line. They may lie at
 * any depth of an archive of any kind, or of a folder. */

#include <cleave/cleave.h>

#include <string.h>

#define N_CLASSES 100
#define N_COARSE_CLASSES 20
#define IMAGE_SIZE 3072
#define RECORD_SIZE (2 + IMAGE_SIZE)
#define RECORDS_AT_ONCE 100 /* divides the number of images of either subset */

typedef struct
{
  GObject parent_instance;
  char *path;
} Cifar100;

static const struct
{
  const char *name;
  guint n_images;
} members[] = { [CLEAVE_SUBSET_TRAIN] = { "train.bin", 50000 }, [CLEAVE_SUBSET_TEST] = { "test.bin", 10000 } };

/* Of all training pixels, from exact sums: Σv / 255n and the root of Σv² / 255²n − mean². */
static const double mean[] = { 0.50707515923713235294, 0.48654887331495098039, 0.44091784336703431373 };
static const double deviation[] = { 0.26733428587924058235, 0.25643846291708331049, 0.27615047132568393864 };

static CleaveDatasetInfo *
cifar100_info (CleaveDataset *dataset, GError **error)
{
  return cleave_dataset_info_new (N_CLASSES, 3, 32, 32, mean, deviation);
}

/* Goes to the next member of this name in any folder; FALSE without an error if there is none. */
static gboolean
go_to_member (CleaveArchive *archive, const char *name, GError **error)
{
  const char *member;

  while ((member = cleave_archive_next (archive, error)) != NULL)
    {
      g_autofree char *base_name = g_path_get_basename (member);
      if (g_str_equal (base_name, name))
        return TRUE;
    }
  return FALSE;
}

/* The archive at its member of this name. */
static CleaveArchive *
open_member (Cifar100 *self, const char *name, GError **error)
{
  g_autoptr (GError) archive_error = NULL;
  g_autoptr (CleaveArchive) archive = cleave_archive_open (self->path, error);

  if (archive == NULL)
    return NULL;
  if (go_to_member (archive, name, &archive_error))
    return g_steal_pointer (&archive);
  if (archive_error != NULL)
    g_propagate_error (error, g_steal_pointer (&archive_error));
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: no member %s; expected CIFAR-100's binary form",
                 self->path, name);
  return NULL;
}

static gboolean
check_labels (Cifar100 *self, const char *name, guint image, guint coarse, guint fine, GError **error)
{
  gboolean fine_is_wrong = fine >= N_CLASSES;

  if (!fine_is_wrong && coarse < N_COARSE_CLASSES)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: member %s: %s label %u of image %u is outside 0–%u",
               self->path, name, fine_is_wrong ? "fine" : "coarse", fine_is_wrong ? fine : coarse, image,
               (fine_is_wrong ? N_CLASSES : N_COARSE_CLASSES) - 1);
  return FALSE;
}

static gboolean
read_records (Cifar100 *self, CleaveArchive *archive, CleaveSubset subset, guint8 *pixels, guint16 *labels,
              GError **error)
{
  const char *name = members[subset].name;
  gsize expected = (gsize)members[subset].n_images * RECORD_SIZE;
  g_autofree guint8 *records = g_malloc (RECORDS_AT_ONCE * RECORD_SIZE);

  for (guint image = 0; image < members[subset].n_images;)
    {
      gssize got = cleave_archive_read (archive, records, RECORDS_AT_ONCE * RECORD_SIZE, error);
      if (got < 0)
        return FALSE;
      if (got < RECORDS_AT_ONCE * RECORD_SIZE)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                       "%s: member %s: %" G_GSIZE_FORMAT " bytes; expected %" G_GSIZE_FORMAT, self->path, name,
                       (gsize)image * RECORD_SIZE + got, expected);
          return FALSE;
        }
      for (guint i = 0; i < RECORDS_AT_ONCE; i++, image++)
        {
          const guint8 *record = records + i * RECORD_SIZE;
          if (!check_labels (self, name, image, record[0], record[1], error))
            return FALSE;
          labels[image] = record[1];
          memcpy (pixels + (gsize)image * IMAGE_SIZE, record + 2, IMAGE_SIZE);
        }
    }

  gssize beyond = cleave_archive_read (archive, records, 1, error);
  if (beyond > 0)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                 "%s: member %s: more than the %" G_GSIZE_FORMAT " bytes expected", self->path, name, expected);
  return beyond == 0;
}

/* Reads the archive to its end, where the last checksums are. */
static gboolean
check_rest (Cifar100 *self, CleaveArchive *archive, const char *name, GError **error)
{
  g_autoptr (GError) archive_error = NULL;

  if (go_to_member (archive, name, &archive_error))
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: more than one member %s", self->path, name);
  else if (archive_error != NULL)
    g_propagate_error (error, g_steal_pointer (&archive_error));
  else
    return TRUE;
  return FALSE;
}

static CleaveImages *
cifar100_load (CleaveDataset *dataset, CleaveSubset subset, GError **error)
{
  Cifar100 *self = (Cifar100 *)dataset;
  guint n_images = members[subset].n_images;
  g_autoptr (CleaveArchive) archive = open_member (self, members[subset].name, error);

  if (archive == NULL)
    return NULL;

  g_autofree guint8 *pixels = g_malloc ((gsize)n_images * IMAGE_SIZE);
  g_autofree guint16 *labels = g_new (guint16, n_images);
  if (!read_records (self, archive, subset, pixels, labels, error)
      || !check_rest (self, archive, members[subset].name, error))
    return NULL;

  g_autoptr (GBytes) pixel_bytes = g_bytes_new_take (g_steal_pointer (&pixels), (gsize)n_images * IMAGE_SIZE);
  g_autoptr (GBytes) label_bytes = g_bytes_new_take (g_steal_pointer (&labels), n_images * sizeof (guint16));
  return cleave_images_new (n_images, pixel_bytes, label_bytes);
}

static GStrv
cifar100_class_names (CleaveDataset *dataset, GError **error)
{
  Cifar100 *self = (Cifar100 *)dataset;
  g_autoptr (CleaveArchive) archive = open_member (self, "fine_label_names.txt", error);
  g_autoptr (GBytes) bytes = archive != NULL ? cleave_archive_read_bytes (archive, 1 << 16, error) : NULL;

  if (bytes == NULL)
    return NULL;

  g_autofree char *text = g_utf8_make_valid (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_auto (GStrv) names = g_strsplit_set (g_strstrip (text), "\n", -1);
  for (guint i = 0; names[i] != NULL; i++)
    g_strstrip (names[i]); /* a carriage return */
  if (g_strv_length (names) == N_CLASSES)
    return g_steal_pointer (&names);
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: member fine_label_names.txt: %u names; expected %d",
               self->path, g_strv_length (names), N_CLASSES);
  return NULL;
}

CLEAVE_PLUGIN_BEGIN (Cifar100, cifar100, DATASET)
  CLEAVE_PARAMETER_PATH (path, "cifar-100-binary.tar.gz", "Archive or folder that holds train.bin and test.bin")
  CLEAVE_METHOD (info, cifar100_info)
  CLEAVE_METHOD (class_names, cifar100_class_names)
  CLEAVE_METHOD (load, cifar100_load)
CLEAVE_PLUGIN_END
