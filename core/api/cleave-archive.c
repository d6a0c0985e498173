/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-folder-private.h"
#include "cleave-gzip-private.h"
#include <cleave/cleave-archive.h>
#include <cleave/cleave-error.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SIZE (1 << 17)

struct _CleaveArchive
{
  char *path;
  char *member; /* the present file; NULL before the first and after the last */

  struct archive *reader; /* NULL for a folder */
  CleaveGzip *gzip;       /* NULL where libarchive reads the file itself */
  GError *gzip_error;     /* the reason behind the reader's */
  guint8 *block;          /* what gzip gave last */

  GPtrArray *files; /* of a folder */
  guint n_seen;
  int fd; /* of the present file of a folder, or −1 */
};

G_DEFINE_BOXED_TYPE (CleaveArchive, cleave_archive, cleave_archive_ref, cleave_archive_unref)

static void
fail (CleaveArchive *self, CleaveError code, const char *reason, GError **error)
{
  if (self->member != NULL)
    g_set_error (error, CLEAVE_ERROR, code, "%s: member %s: %s", self->path, self->member, reason);
  else
    g_set_error (error, CLEAVE_ERROR, code, "%s: %s", self->path, reason);
}

static void
fail_as_reader (CleaveArchive *self, GError **error)
{
  const char *reason = archive_error_string (self->reader);

  if (self->gzip_error != NULL)
    fail (self, self->gzip_error->code, self->gzip_error->message, error);
  else if (archive_format (self->reader) == 0)
    fail (self, CLEAVE_ERROR_DATA, "not an archive of a known kind, or truncated", error);
  else
    fail (self, CLEAVE_ERROR_DATA, reason != NULL ? reason : "damaged", error);
}

static la_ssize_t
read_gzip (struct archive *reader, void *data, const void **block)
{
  CleaveArchive *self = data;
  gssize size;

  g_clear_error (&self->gzip_error);
  size = cleave_gzip_read (self->gzip, self->block, BLOCK_SIZE, &self->gzip_error);
  if (size < 0)
    archive_set_error (reader, EIO, "%s", self->gzip_error->message);
  *block = self->block;
  return size;
}

/* Every format of libarchive but mtree, which has no content of its own and names files anywhere on the disk. */
static void
enable_formats (struct archive *reader)
{
  archive_read_support_filter_all (reader);
  archive_read_support_format_7zip (reader);
  archive_read_support_format_ar (reader);
  archive_read_support_format_cab (reader);
  archive_read_support_format_cpio (reader);
  archive_read_support_format_iso9660 (reader);
  archive_read_support_format_lha (reader);
  archive_read_support_format_rar (reader);
  archive_read_support_format_rar5 (reader);
  archive_read_support_format_tar (reader);
  archive_read_support_format_warc (reader);
  archive_read_support_format_xar (reader);
  archive_read_support_format_zip_seekable (reader); /* the streaming one would take a zip whose end is lost */
  /* Makes tar read past its end mark, so that the compression's last checksum is met. */
  archive_read_set_option (reader, "tar", "read_concatenated_archives", "1");
}

static gboolean
open_reader (CleaveArchive *self, int fd, GError **error)
{
  guint8 magic[2] = { 0 };
  gboolean is_gzip = pread (fd, magic, sizeof magic, 0) == sizeof magic && magic[0] == 0x1f && magic[1] == 0x8b;
  int result;

  self->reader = archive_read_new ();
  enable_formats (self->reader);
  if (is_gzip)
    {
      self->gzip = cleave_gzip_new (fd);
      self->block = g_malloc (BLOCK_SIZE);
      result = archive_read_open (self->reader, self, NULL, read_gzip, NULL);
    }
  else
    {
      self->fd = fd; /* libarchive leaves it open */
      result = archive_read_open_fd (self->reader, fd, BLOCK_SIZE);
    }
  if (result != ARCHIVE_OK)
    fail_as_reader (self, error);
  return result == ARCHIVE_OK;
}

static gboolean
open_file (CleaveArchive *self, GError **error)
{
  struct stat status = { 0 };
  /* A pipe without a writer would block for ever. */
  int fd = g_open (self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  int code = errno;

  if (fd < 0)
    {
      fail (self, code == ENOENT || code == ENOTDIR ? CLEAVE_ERROR_DATA : CLEAVE_ERROR_IO, g_strerror (code), error);
      return FALSE;
    }
  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode) && status.st_size > 0)
    return open_reader (self, fd, error);

  fail (self, CLEAVE_ERROR_DATA, S_ISREG (status.st_mode) ? "the file is empty" : "neither a regular file nor a folder",
        error);
  close (fd);
  return FALSE;
}

/**
 * cleave_archive_open:
 * @path: (type filename): an archive, in any format and compression that libarchive knows, or a folder
 * @error: return location for an error
 *
 * Opens an archive before its first file. Of a folder, all regular files below it are read in the order of their
 * paths; symbolic links are followed.
 *
 * Returns: (transfer full): the archive, or %NULL with an error set: %CLEAVE_ERROR_DATA where @path is missing, empty
 *   or no archive, %CLEAVE_ERROR_IO where it can't be read
 */
CleaveArchive *
cleave_archive_open (const char *path, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);

  g_autoptr (CleaveArchive) self = g_atomic_rc_box_new0 (CleaveArchive);
  self->path = g_strdup (path);
  self->fd = -1;
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    self->files = cleave_folder_list (path, error);
  else if (!open_file (self, error))
    return NULL;
  return self->files != NULL || self->reader != NULL ? g_steal_pointer (&self) : NULL;
}

/**
 * cleave_archive_ref:
 * @self: an archive
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self with one more reference
 */
CleaveArchive *
cleave_archive_ref (CleaveArchive *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
archive_clear (gpointer data)
{
  CleaveArchive *self = data;

  g_clear_pointer (&self->reader, archive_read_free);
  g_clear_pointer (&self->gzip, cleave_gzip_free);
  g_clear_error (&self->gzip_error);
  g_clear_pointer (&self->files, g_ptr_array_unref);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->block);
  g_free (self->member);
  g_free (self->path);
}

/**
 * cleave_archive_unref:
 * @self: (transfer full): an archive
 *
 * Gives a reference back; the last one closes the archive.
 */
void
cleave_archive_unref (CleaveArchive *self)
{
  g_atomic_rc_box_release_full (self, archive_clear);
}

static const char *
next_of_reader (CleaveArchive *self, GError **error)
{
  struct archive_entry *entry;
  int result;

  do
    {
      result = archive_read_next_header (self->reader, &entry);
      if (result == ARCHIVE_EOF)
        return NULL;
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
        {
          fail_as_reader (self, error);
          return NULL;
        }
    }
  while (archive_entry_filetype (entry) != AE_IFREG || archive_entry_hardlink (entry) != NULL);

  const char *name = archive_entry_pathname_utf8 (entry);
  if (name == NULL)
    name = archive_entry_pathname (entry); /* in no encoding known */
  self->member = g_utf8_make_valid (name != NULL ? name : "", -1);
  return self->member;
}

static const char *
next_of_folder (CleaveArchive *self, GError **error)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  if (self->n_seen == self->files->len)
    return NULL;

  const char *file = g_ptr_array_index (self->files, self->n_seen++);
  g_autofree char *path = g_build_filename (self->path, file, NULL);
  self->member = g_utf8_make_valid (file, -1);
  self->fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  if (self->fd < 0)
    {
      int code = errno;
      fail (self, CLEAVE_ERROR_IO, g_strerror (code), error);
      return NULL;
    }
  return self->member;
}

/**
 * cleave_archive_next:
 * @self: an archive
 * @error: return location for an error
 *
 * Goes to the next regular file; what else an archive holds is passed over. Only when the end is reached have all
 * checksums been seen.
 *
 * Returns: (transfer none) (nullable): the file's path inside the archive in UTF-8, valid until the next call; %NULL at
 *   the end, or with an error set (%CLEAVE_ERROR_DATA where the archive is damaged)
 */
const char *
cleave_archive_next (CleaveArchive *self, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_clear_pointer (&self->member, g_free);
  return self->files != NULL ? next_of_folder (self, error) : next_of_reader (self, error);
}

static gssize
read_folder_file (CleaveArchive *self, guint8 *buffer, gsize size, GError **error)
{
  gsize done = 0;

  while (done < size)
    {
      gssize got = read (self->fd, buffer + done, size - done);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        {
          int code = errno;
          fail (self, CLEAVE_ERROR_IO, g_strerror (code), error);
          return -1;
        }
      if (got == 0)
        break;
      done += got;
    }
  return done;
}

/**
 * cleave_archive_read: (skip)
 * @self: an archive at one of its files
 * @buffer: where the bytes go
 * @size: how many bytes at most
 * @error: return location for an error
 *
 * Reads on in the present file. Only when 0 has been returned has the file's checksum been seen. Other languages have
 * [method@Archive.read_bytes].
 *
 * Returns: the bytes read, fewer than @size only at the file's end, 0 after it, −1 with an error set
 *   (%CLEAVE_ERROR_DATA where the archive is damaged)
 */
gssize
cleave_archive_read (CleaveArchive *self, gpointer buffer, gsize size, GError **error)
{
  g_return_val_if_fail (self != NULL && self->member != NULL && size <= G_MAXSSIZE, -1);

  if (self->files != NULL)
    return read_folder_file (self, buffer, size, error);

  la_ssize_t got = archive_read_data (self->reader, buffer, size);
  if (got >= 0)
    return got;
  fail_as_reader (self, error);
  return -1;
}

/**
 * cleave_archive_read_bytes:
 * @self: an archive at one of its files
 * @max_size: the most bytes that make sense
 * @error: return location for an error
 *
 * Reads what is left of the present file, less than 2 GiB.
 *
 * Returns: (transfer full): the rest of the present file, or %NULL with an error set (%CLEAVE_ERROR_DATA where it is
 *   damaged or longer than @max_size)
 */
GBytes *
cleave_archive_read_bytes (CleaveArchive *self, gsize max_size, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree guint8 *block = g_malloc (BLOCK_SIZE);
  gssize got;

  max_size = MIN (max_size, G_MAXINT32); /* a GByteArray aborts where it can't grow */
  while ((got = cleave_archive_read (self, block, BLOCK_SIZE, error)) > 0)
    {
      if ((gsize)got > max_size - bytes->len)
        {
          g_autofree char *reason = g_strdup_printf ("longer than %" G_GSIZE_FORMAT " bytes", max_size);
          fail (self, CLEAVE_ERROR_DATA, reason, error);
          return NULL;
        }
      g_byte_array_append (bytes, block, got);
    }
  return got < 0 ? NULL : g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}
