/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an archive in these tests holds: "NAME LENGTH CHECKSUM\n" a file. */
#define MEMBERS                                                                                                        \
  "folder/empty.txt 0 d41d8cd98f00b204e9800998ecf8427e\n"    /* md5sum /dev/null */                                    \
  "folder/hello.txt 5 5d41402abc4b2a76b9719d911017c592\n"    /* printf hello | md5sum */                               \
  "folder/noise.bin 3000 4a684d8712f596be6b94edbece9800f6\n" /* by Python's hashlib */

typedef struct
{
  const char *name;
  int (*format) (struct archive *);
  int (*filter) (struct archive *);
} Kind;

static const Kind kinds[] = {
  { "tar", archive_write_set_format_pax_restricted, archive_write_add_filter_none },
  { "tar.gz", archive_write_set_format_pax_restricted, archive_write_add_filter_gzip },
  { "tar.xz", archive_write_set_format_pax_restricted, archive_write_add_filter_xz },
  { "tar.bz2", archive_write_set_format_pax_restricted, archive_write_add_filter_bzip2 },
  { "zip", archive_write_set_format_zip, archive_write_add_filter_none },
  { "7z", archive_write_set_format_7zip, archive_write_add_filter_none },
  { "cpio.gz", archive_write_set_format_cpio_newc, archive_write_add_filter_gzip },
};

/* Bytes that compress badly. */
static const guint8 *
make_noise (void)
{
  static guint8 noise[3000];

  for (guint i = 0; i < sizeof noise; i++)
    noise[i] = (i * i * 31 + i * 7) >> 4;
  return noise;
}

static void
add_member (struct archive *writer, const char *name, int type, const void *data, gsize size)
{
  struct archive_entry *entry = archive_entry_new ();

  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, type);
  archive_entry_set_perm (entry, 0755);
  archive_entry_set_size (entry, size);
  if (type == AE_IFLNK)
    archive_entry_set_symlink (entry, "folder/hello.txt");
  archive_write_header (writer, entry);
  archive_write_data (writer, data, size);
  archive_entry_free (entry);
}

/* Made by libarchive itself, so that only reading is put to the test. */
static char *
make_archive (const Kind *kind)
{
  g_autofree char *name = g_strconcat ("archive.", kind->name, NULL);
  char *path = g_build_filename (test_temporary_folder (), name, NULL);
  struct archive *writer = archive_write_new ();

  kind->format (writer);
  kind->filter (writer);
  archive_write_open_filename (writer, path);
  add_member (writer, "folder", AE_IFDIR, NULL, 0);
  add_member (writer, "folder/empty.txt", AE_IFREG, NULL, 0);
  add_member (writer, "folder/hello.txt", AE_IFREG, "hello", 5);
  add_member (writer, "folder/link", AE_IFLNK, NULL, 0);
  add_member (writer, "folder/noise.bin", AE_IFREG, make_noise (), 3000);
  archive_write_free (writer);
  return path;
}

/* Without the syncing of g_file_set_contents(), which thousands of small files would wait for; and that alone leaves
 * the rest of a longer file in place. */
static gboolean
put (const char *path, const char *content, gsize size)
{
  g_unlink (path);
  return g_file_set_contents_full (path, content, size, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* All that can be read, sorted, one line a file. */
static char *
list (const char *path, GError **error)
{
  g_autoptr (CleaveArchive) archive = cleave_archive_open (path, error);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  GError *next_error = NULL;
  const char *name;

  if (archive == NULL)
    return NULL;
  while ((name = cleave_archive_next (archive, &next_error)) != NULL)
    {
      g_autoptr (GBytes) bytes = cleave_archive_read_bytes (archive, 1 << 24, error);
      if (bytes == NULL)
        return NULL;
      g_autofree char *checksum = g_compute_checksum_for_bytes (G_CHECKSUM_MD5, bytes);
      g_ptr_array_add (lines,
                       g_strdup_printf ("%s %" G_GSIZE_FORMAT " %s\n", name, g_bytes_get_size (bytes), checksum));
    }
  if (next_error != NULL)
    {
      g_propagate_error (error, next_error);
      return NULL;
    }
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, NULL);
  return g_strjoinv (NULL, (char **)lines->pdata);
}

TEST (archive, reads_every_kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *path = make_archive (&kinds[i]);
      g_autofree char *found = list (path, &error);
      EXPECT_NO_ERROR (error);
      EXPECT_STRING (found, MEMBERS);
    }
}

TEST (archive, reads_a_folder_in_order)
{
  g_autoptr (GError) error = NULL;
  const char *folder = test_temporary_folder ();
  g_autofree char *inner = g_build_filename (folder, "b", "inner", NULL);
  g_autofree char *first = g_build_filename (inner, "1", NULL);
  g_autofree char *second = g_build_filename (folder, "a", NULL);
  g_autofree char *loop = g_build_filename (inner, "loop", NULL);
  g_autofree char *dangling = g_build_filename (folder, "dangling", NULL);
  g_autofree char *linked = g_build_filename (folder, "c", NULL);
  g_autofree char *pipe_path = g_build_filename (folder, "pipe", NULL);

  REQUIRE (g_mkdir_with_parents (inner, 0755) == 0);
  REQUIRE (g_file_set_contents (first, "1", -1, NULL) && g_file_set_contents (second, "hello", -1, NULL));
  REQUIRE (symlink ("..", loop) == 0 && symlink ("nowhere", dangling) == 0 && symlink ("a", linked) == 0);
  REQUIRE (mkfifo (pipe_path, 0600) == 0);

  g_autoptr (CleaveArchive) archive = cleave_archive_open (folder, &error);
  REQUIRE_NO_ERROR (error);
  char buffer[8];
  EXPECT_STRING (cleave_archive_next (archive, &error), "a");
  EXPECT_INT (cleave_archive_read (archive, buffer, 3, &error), 3);
  EXPECT_INT (cleave_archive_read (archive, buffer, 8, &error), 2);
  EXPECT_INT (cleave_archive_read (archive, buffer, 8, &error), 0);
  EXPECT_STRING (cleave_archive_next (archive, &error), "b/inner/1");
  EXPECT_STRING (cleave_archive_next (archive, &error), "c");
  EXPECT_TRUE (cleave_archive_next (archive, &error) == NULL);
  EXPECT_TRUE (cleave_archive_next (archive, &error) == NULL);
  EXPECT_NO_ERROR (error);
}

TEST (archive, names_what_can_not_be_opened)
{
  g_autoptr (GError) error = NULL;
  const char *folder = test_temporary_folder ();
  g_autofree char *missing = g_build_filename (folder, "missing.zip", NULL);
  g_autofree char *empty = g_build_filename (folder, "empty.zip", NULL);
  g_autofree char *text = g_build_filename (folder, "text.tar.gz", NULL);
  g_autofree char *pipe_path = g_build_filename (folder, "pipe", NULL);

  EXPECT_TRUE (list (missing, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "missing.zip: No such file");
  REQUIRE (g_file_set_contents (empty, "", 0, NULL));
  EXPECT_TRUE (list (empty, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "empty.zip: the file is empty");
  REQUIRE (g_file_set_contents (text, "This is no archive at all.\n", -1, NULL));
  EXPECT_TRUE (list (text, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "text.tar.gz: not an archive of a known kind, or truncated");
  REQUIRE (mkfifo (pipe_path, 0600) == 0);
  EXPECT_TRUE (list (pipe_path, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "neither a regular file nor a folder");
}

/* An mtree listing would make libarchive read files that it names anywhere on the disk. */
TEST (archive, refuses_listings_of_other_files)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (test_temporary_folder (), "listing", NULL);

  REQUIRE (g_file_set_contents (path, "#mtree\n./a type=file contents=/etc/passwd\n", -1, NULL));
  EXPECT_TRUE (list (path, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "not an archive");
}

TEST (archive, limits_a_file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = make_archive (&kinds[1]);
  g_autoptr (CleaveArchive) archive = cleave_archive_open (path, &error);

  EXPECT_STRING (cleave_archive_next (archive, &error), "folder/empty.txt");
  EXPECT_STRING (cleave_archive_next (archive, &error), "folder/hello.txt");
  EXPECT_TRUE (cleave_archive_read_bytes (archive, 4, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "archive.tar.gz: member folder/hello.txt: longer than 4 bytes");
}

/* Wherever an archive is cut, there is an error, or (what was lost had no content) all is there. A plain tar has no
 * mark at its end that is sure, so there whole files may be missing; a file is never shorter. */
TEST (archive, notices_every_truncation)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *path = make_archive (&kinds[i]);
      g_autofree char *content = NULL;
      gsize size;
      guint n_errors = 0;
      REQUIRE (g_file_get_contents (path, &content, &size, NULL));

      gsize step = MAX (1, size / 600);
      for (gsize cut = 0; cut < size; cut += step)
        {
          g_autoptr (GError) error = NULL;
          REQUIRE (put (path, content, cut));
          g_autofree char *found = list (path, &error);
          if (found == NULL)
            EXPECT_TRUE (error != NULL && error->domain == CLEAVE_ERROR && strstr (error->message, path) != NULL);
          else if (i == 0)
            EXPECT_TRUE (g_str_has_prefix (MEMBERS, found));
          else
            EXPECT_STRING (found, MEMBERS);
          n_errors += found == NULL;
        }
      EXPECT_TRUE (n_errors > (i == 0 ? 300 : 500)); /* of 600 cuts or more */
    }
}

/* Compressed tar files carry checksums over everything, so a flipped bit is an error or changed nothing. */
TEST (archive, notices_flipped_bits_behind_a_checksum)
{
  for (guint i = 1; i <= 3; i++)
    {
      g_autofree char *path = make_archive (&kinds[i]);
      g_autofree char *content = NULL;
      gsize size;
      REQUIRE (g_file_get_contents (path, &content, &size, NULL));

      for (gsize position = 0; position < size; position += 3)
        {
          g_autoptr (GError) error = NULL;
          content[position] ^= 1 << position % 8;
          REQUIRE (put (path, content, size));
          content[position] ^= 1 << position % 8;
          g_autofree char *found = list (path, &error);
          if (found != NULL)
            EXPECT_STRING (found, MEMBERS);
        }
    }
}

/* A tar file padded to 1 MiB, as tapes had it: nobody needs what comes after its end mark, gzip's checksum included
 * (the 4 bytes before the last 4, RFC 1952). */
TEST (archive, reads_up_to_the_last_checksum)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (test_temporary_folder (), "a.tar.gz", NULL);
  g_autofree char *tar = g_malloc0 (1 << 20);
  g_autofree char *content = g_malloc (1 << 20);
  g_autoptr (GConverter) compressor = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
  struct archive *writer = archive_write_new ();
  gsize used, consumed, size;

  archive_write_set_format_ustar (writer);
  archive_write_open_memory (writer, tar, 1 << 20, &used);
  add_member (writer, "a", AE_IFREG, "hello", 5);
  archive_write_free (writer);
  REQUIRE (
      g_converter_convert (compressor, tar, 1 << 20, content, 1 << 20, G_CONVERTER_INPUT_AT_END, &consumed, &size, NULL)
      == G_CONVERTER_FINISHED);
  REQUIRE (put (path, content, size));
  g_autofree char *found = list (path, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_STRING (found, "a 5 5d41402abc4b2a76b9719d911017c592\n");

  content[size - 8] ^= 1;
  REQUIRE (put (path, content, size));
  EXPECT_TRUE (list (path, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "a.tar.gz: corrupt gzip data");
}

/* zip and 7z leave names and types unprotected; what keeps its name and length keeps its content. */
TEST (archive, survives_flipped_bits)
{
  static const char *const lines[] = { "folder/hello.txt 5 ", "folder/noise.bin 3000 " };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *path = make_archive (&kinds[i]);
      g_autofree char *content = NULL;
      gsize size;
      REQUIRE (g_file_get_contents (path, &content, &size, NULL));

      for (gsize position = 0; position < size; position += 7)
        {
          g_autoptr (GError) error = NULL;
          content[position] ^= 0x41;
          REQUIRE (put (path, content, size));
          content[position] ^= 0x41;
          g_autofree char *found = list (path, &error);
          EXPECT_TRUE ((found == NULL) == (error != NULL));
          if (found == NULL || !g_str_equal (kinds[i].name, "zip"))
            continue;
          for (guint k = 0; k < G_N_ELEMENTS (lines); k++)
            {
              const char *line = strstr (found, lines[k]);
              EXPECT_TRUE (line == NULL || strncmp (line, strstr (MEMBERS, lines[k]), strlen (lines[k]) + 32) == 0);
            }
        }
    }
}

static gboolean
write_sample (const char *path, GError **error)
{
  g_autoptr (CleaveArchiveWriter) writer = cleave_archive_writer_new (path, error);

  return writer != NULL && cleave_archive_writer_add (writer, "folder/empty.txt", 0, error)
         && cleave_archive_writer_add (writer, "folder/hello.txt", 5, error)
         && cleave_archive_writer_write (writer, "hel", 3, error)
         && cleave_archive_writer_write (writer, "lo", 2, error)
         && cleave_archive_writer_add (writer, "folder/noise.bin", 3000, error)
         && cleave_archive_writer_write (writer, make_noise (), 3000, error)
         && cleave_archive_writer_close (writer, error);
}

/* Stored, so the content stands in the file; the same bytes in any time zone and at any time: the DOS date of every
 * entry is 1980-01-01, 00:00 (0x0021, 0x0000, at offset 10 of a local header: APPNOTE 4.3.7). */
TEST (archive, writes_the_same_bytes_for_the_same_content)
{
  static const guint8 local_header[] = { 'P', 'K', 3, 4 };
  static const guint8 time_and_date[] = { 0, 0, 0x21, 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (test_temporary_folder (), "a.zip", NULL);
  g_autofree char *content = NULL;
  gsize size;

  EXPECT_TRUE (write_sample (path, &error));
  REQUIRE_NO_ERROR (error);
  g_autofree char *found = list (path, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_STRING (found, MEMBERS);
  REQUIRE (g_file_get_contents (path, &content, &size, NULL));
  EXPECT_TRUE (memmem (content, size, make_noise (), 3000) != NULL);
  EXPECT_TRUE (memcmp (content, local_header, 4) == 0 && memcmp (content + 10, time_and_date, 4) == 0);

  g_autofree char *again = NULL;
  gsize size_again;
  EXPECT_TRUE (write_sample (path, &error));
  REQUIRE (g_file_get_contents (path, &again, &size_again, NULL));
  EXPECT_TRUE (size == size_again && memcmp (content, again, size) == 0);
}

TEST (archive, a_writer_that_is_dropped_leaves_no_trace)
{
  g_autoptr (GError) error = NULL;
  const char *folder = test_temporary_folder ();
  g_autofree char *path = g_build_filename (folder, "a.zip", NULL);
  CleaveArchiveWriter *writer = cleave_archive_writer_new (path, &error);

  EXPECT_TRUE (cleave_archive_writer_add (writer, "a", 5, &error));
  EXPECT_TRUE (cleave_archive_writer_write (writer, "abc", 3, &error));
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (!cleave_archive_writer_add (writer, "b", 5, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "member a: 2 bytes fewer");
  EXPECT_TRUE (!cleave_archive_writer_close (writer, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "member a: 2 bytes fewer");
  cleave_archive_writer_unref (writer);
  EXPECT_TRUE (g_rmdir (folder) == 0 && g_mkdir (folder, 0700) == 0); /* it is empty */
}
