/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "npz.h"
#include "test.h"

#include <glib/gstdio.h>
#include <string.h>

/* np.savez_compressed (file, w=np.array ([[1.5, -2], [3, 4]], '<f4')) as NumPy 1.24 wrote it: deflated, with zip64
 * fields, which NumPy always forces. */
static const char from_numpy[]
    = "\x50\x4b\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00\x21\x00\xf0\x0c\xcc\x52\x55\x00\x00\x00\x90\x00"
      "\x00\x00\x05\x00\x14\x00\x77\x2e\x6e\x70\x79\x01\x00\x10\x00\x90\x00\x00\x00\x00\x00\x00\x00\x55"
      "\x00\x00\x00\x00\x00\x00\x00\x9b\xec\x17\xea\x1b\x10\xc9\xc8\x50\xc6\x50\xad\x9e\x92\x5a\x9c\x5c"
      "\xa4\x6e\xa5\xa0\x6e\x93\x66\xa2\xae\xa3\xa0\x9e\x96\x5f\x54\x52\x94\x98\x17\x9f\x5f\x94\x92\x0a"
      "\x12\x77\x4b\xcc\x29\x4e\x05\x8a\x17\x67\x24\x16\xa4\x02\xf9\x1a\x46\x3a\x0a\x46\x9a\x3a\x0a\xb5"
      "\x0a\x64\x03\x2e\x06\x86\x03\xf6\x0c\x40\x82\x81\xc1\xc1\x81\x81\xa1\xc1\x01\x00\x50\x4b\x01\x02"
      "\x14\x03\x14\x00\x00\x00\x08\x00\x00\x00\x21\x00\xf0\x0c\xcc\x52\x55\x00\x00\x00\x90\x00\x00\x00"
      "\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x00\x00\x00\x00\x77\x2e\x6e\x70\x79\x50"
      "\x4b\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x33\x00\x00\x00\x8c\x00\x00\x00\x00\x00";

static char *
make_path (const char *name)
{
  return g_build_filename (test_temporary_folder (), name, NULL);
}

static NpzFile *
load_bytes (const char *path, const char *content, gsize size, GError **error)
{
  g_unlink (path); /* what is written to a longer file without syncing leaves the rest of it in place */
  if (!g_file_set_contents_full (path, content, size, G_FILE_SET_CONTENTS_NONE, 0600, error))
    return NULL;
  return npz_load (path, error);
}

TEST (npz, reads_what_numpy_writes)
{
  static const float expected[] = { 1.5f, -2, 3, 4 };
  static const gsize shape[] = { 2, 2 };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = make_path ("a.npz");
  g_autoptr (NpzFile) file = load_bytes (path, from_numpy, sizeof from_numpy - 1, &error);

  REQUIRE_NO_ERROR (error);
  EXPECT_INT (npz_get_n_arrays (file), 1);
  const NpyArray *array = npz_expect (file, "w", NPY_FLOAT32, 2, shape, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (memcmp (array->data, expected, sizeof expected) == 0);
  EXPECT_INT ((gsize)array->data % 64, 0);
}

static gboolean
write_sample (const char *path, GError **error)
{
  static const float floats[] = { 1, 2, 3, 4, 5, 6 };
  static const double number = 0.1;
  static const gint32 ints[] = { G_MININT32, 0, G_MAXINT32 };
  static const gint64 longs[] = { G_MININT64, G_MAXINT64 };
  static const guint8 bytes[] = { 0, 127, 255, 3 };
  static const gsize two_by_three[] = { 2, 3 }, three[] = { 3 }, two[] = { 2 }, deep[] = { 1, 2, 1, 1, 2, 1, 1, 1 };
  static const gsize none[] = { 0, 7 };
  g_autoptr (CleaveArchiveWriter) writer = cleave_archive_writer_new (path, error);

  return writer != NULL && npz_write_array (writer, "stem.conv.weight", NPY_FLOAT32, 2, two_by_three, floats, error)
         && npz_write_array (writer, "number", NPY_FLOAT64, 0, NULL, &number, error)
         && npz_write_array (writer, "ints", NPY_INT32, 1, three, ints, error)
         && npz_write_array (writer, "longs", NPY_INT64, 1, two, longs, error)
         && npz_write_array (writer, "bytes", NPY_UINT8, 8, deep, bytes, error)
         && npz_write_array (writer, "none", NPY_FLOAT32, 2, none, NULL, error)
         && cleave_archive_writer_close (writer, error);
}

TEST (npz, round_trip)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = make_path ("a.npz");
  static const gsize two_by_three[] = { 2, 3 }, deep[] = { 1, 2, 1, 1, 2, 1, 1, 1 }, none[] = { 0, 7 };

  EXPECT_TRUE (write_sample (path, &error));
  REQUIRE_NO_ERROR (error);
  g_autoptr (NpzFile) file = npz_load (path, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_INT (npz_get_n_arrays (file), 6);
  EXPECT_STRING (npz_get_array (file, 2)->name, "ints");

  const NpyArray *floats = npz_expect (file, "stem.conv.weight", NPY_FLOAT32, 2, two_by_three, &error);
  EXPECT_TRUE (floats != NULL && floats->n_elements == 6 && ((float *)floats->data)[5] == 6);
  const NpyArray *number = npz_expect (file, "number", NPY_FLOAT64, 0, NULL, &error);
  EXPECT_TRUE (number != NULL && *(double *)number->data == 0.1);
  EXPECT_TRUE (((gint32 *)npz_find (file, "ints")->data)[2] == G_MAXINT32);
  EXPECT_TRUE (((gint64 *)npz_find (file, "longs")->data)[0] == G_MININT64);
  const NpyArray *bytes = npz_expect (file, "bytes", NPY_UINT8, 8, deep, &error);
  EXPECT_TRUE (bytes != NULL && ((guint8 *)bytes->data)[2] == 255);
  EXPECT_TRUE (npz_expect (file, "none", NPY_FLOAT32, 2, none, &error) != NULL);
  EXPECT_NO_ERROR (error);
}

TEST (npz, expect_says_what_is_there_instead)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = make_path ("a.npz");
  static const gsize wrong[] = { 3, 2 };

  EXPECT_TRUE (write_sample (path, &error));
  g_autoptr (NpzFile) file = npz_load (path, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (npz_expect (file, "fc.bias", NPY_FLOAT32, 2, wrong, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "a.npz: no array fc.bias");
  EXPECT_TRUE (npz_expect (file, "stem.conv.weight", NPY_FLOAT32, 2, wrong, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "array stem.conv.weight is <f4 (2, 3); expected <f4 (3, 2)");
  EXPECT_TRUE (npz_expect (file, "ints", NPY_FLOAT32, 1, wrong, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "array ints is <i4 (3,); expected <f4 (3,)");
}

/* NEP 1: magic, version 1.0, little-endian header length, the dictionary, spaces to a multiple of 64, a line feed. */
TEST (npz, npy_save_writes_nep_1)
{
  static const gint32 numbers[] = { 1, -1 };
  static const gsize shape[] = { 2 };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = make_path ("a.npy");
  g_autofree char *content = NULL;
  gsize size;

  EXPECT_TRUE (npy_save (path, NPY_INT32, 1, shape, numbers, &error));
  REQUIRE_NO_ERROR (error);
  REQUIRE (g_file_get_contents (path, &content, &size, NULL));
  EXPECT_INT (size, 128 + 8);
  EXPECT_TRUE (
      memcmp (content, "\x93NUMPY\x01\x00\x76\x00{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }  ", 68)
      == 0);
  EXPECT_INT (content[127], '\n');
  EXPECT_TRUE (memcmp (content + 128, numbers, 8) == 0);
}

/* An .npz with one member of this version, header and data. */
static void
expect_header (const char *version, const char *header, gsize data_size, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = make_path ("a.npz");
  g_autofree char *data = g_malloc0 (data_size);
  g_autoptr (GString) content = g_string_new ("\x93NUMPY");
  g_autoptr (CleaveArchiveWriter) writer = cleave_archive_writer_new (path, &error);
  gsize length = strlen (header);
  const char length_bytes[] = { length & 0xff, length >> 8, 0, 0 };

  g_string_append_len (content, version, 2);
  g_string_append_len (content, length_bytes, version[0] == 1 ? 2 : 4);
  g_string_append (content, header);
  g_string_append_len (content, data, data_size);
  EXPECT_TRUE (cleave_archive_writer_add (writer, "w.npy", content->len, &error)
               && cleave_archive_writer_write (writer, content->str, content->len, &error)
               && cleave_archive_writer_close (writer, &error));
  REQUIRE_NO_ERROR (error);

  g_autoptr (NpzFile) file = npz_load (path, &error);
  if (message == NULL)
    EXPECT_NO_ERROR (error);
  else if (EXPECT_ERROR (error, CLEAVE_ERROR_DATA, message))
    EXPECT_TRUE (file == NULL);
}

TEST (npz, takes_every_version_of_the_format)
{
  expect_header ("\x01", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }   \n", 8, NULL);
  expect_header ("\x02", "{\"shape\":(2,1),\"descr\":\"<f4\",\"fortran_order\":False}", 8, NULL);
  expect_header ("\x03", "{'descr': '|u1', 'fortran_order': False, 'shape': ()}", 1, NULL);
}

TEST (npz, names_what_is_wrong_with_a_header)
{
  static const struct
  {
    const char *header;
    const char *message;
  } wrong[] = {
    { "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "w.npy: data type >f4; expected one of" },
    { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "w.npy: data type  [('a', '<f4')]" },
    { "{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", "w.npy: Fortran order; expected C order" },
    { "{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }", "neither True nor False" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (2), 'x': 1}", "unknown key x" },
    { "{'descr': '<f4', 'fortran_order': False, }", "lacks descr, fortran_order or shape" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': 2}", "its shape is no tuple" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (2", "its shape is no tuple" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "no sensible number" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,)}", "no sensible number" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "more elements than fit" },
    { "{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693952,)}", "more elements than fit" },
    { "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000000,)}", "more elements than fit" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", "more than 8 dimensions" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}", "w.npy: truncated" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "w.npy: truncated" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "w.npy: longer than its shape says" },
    { "{'descr': '<f4'", "no dictionary" },
    { "{'descr", "no dictionary" },
    { "", "no dictionary" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    expect_header ("\x01", wrong[i].header, 8, wrong[i].message);
  expect_header ("\x04", "{}", 0, "version 4.0 of the .npy format");
}

/* Every byte of a small file set to two other values, and every length: an error or arrays, and never a crash. What
 * still loads has its data whole, since each member has a checksum. */
TEST (npz, survives_damage_at_every_byte)
{
  static const guint8 flips[] = { 0x01, 0xfe };
  g_autofree char *path = make_path ("a.npz");
  g_autofree char *own = NULL;
  gsize own_size;
  REQUIRE (write_sample (path, NULL) && g_file_get_contents (path, &own, &own_size, NULL));
  const char *const contents[] = { from_numpy, own };
  const gsize sizes[] = { sizeof from_numpy - 1, own_size };

  for (guint k = 0; k < 2; k++)
    for (gsize position = 0; position < sizes[k]; position++)
      for (guint f = 0; f <= G_N_ELEMENTS (flips); f++)
        {
          g_autoptr (GError) error = NULL;
          g_autofree char *damaged = g_memdup2 (contents[k], sizes[k]);
          gboolean cut = f == G_N_ELEMENTS (flips);
          damaged[position] ^= cut ? 0 : flips[f];
          g_autoptr (NpzFile) file = load_bytes (path, damaged, cut ? position : sizes[k], &error);
          EXPECT_TRUE ((file == NULL) == (error != NULL));
          const NpyArray *ints = file != NULL ? npz_find (file, "ints") : NULL;
          EXPECT_TRUE (ints == NULL || ((gint32 *)ints->data)[2] == G_MAXINT32);
        }
}

TEST (npz, refuses_doubles_and_strangers)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = make_path ("a.npz");
  static const float number = 1;

  CleaveArchiveWriter *writer = cleave_archive_writer_new (path, &error);
  EXPECT_TRUE (npz_write_array (writer, "a", NPY_FLOAT32, 0, NULL, &number, &error)
               && npz_write_array (writer, "a", NPY_FLOAT32, 0, NULL, &number, &error)
               && cleave_archive_writer_close (writer, &error));
  cleave_archive_writer_unref (writer);
  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (npz_load (path, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "a.npz: member a.npy: there twice");

  writer = cleave_archive_writer_new (path, &error);
  EXPECT_TRUE (cleave_archive_writer_add (writer, "notes.txt", 0, &error)
               && cleave_archive_writer_close (writer, &error));
  cleave_archive_writer_unref (writer);
  EXPECT_TRUE (npz_load (path, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "member notes.txt: not a .npy array");
}
