/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-file-private.h"
#include <cleave/cleave-archive.h>
#include <cleave/cleave-error.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

struct _CleaveArchiveWriter
{
  char *path;
  struct archive *writer;
  CleaveFileReplacement *file;
  GError *file_error; /* the reason behind the writer's */
  char *member;       /* the present entry; NULL before the first */
  gsize missing;      /* bytes that it still needs */
};

G_DEFINE_BOXED_TYPE (CleaveArchiveWriter, cleave_archive_writer, cleave_archive_writer_ref, cleave_archive_writer_unref)

/* libarchive never sees a failure, since it would lose its buffer then: it is told that all is well, and the error is
 * found after each call. */
static la_ssize_t
write_block (struct archive *writer, void *data, const void *block, size_t size)
{
  CleaveArchiveWriter *self = data;

  if (self->file != NULL && self->file_error == NULL)
    cleave_file_replacement_write (self->file, block, size, &self->file_error);
  return size;
}

/* Whether a call of libarchive went well, and the writing behind it. */
static gboolean
check (CleaveArchiveWriter *self, gboolean succeeded, GError **error)
{
  const char *reason = archive_error_string (self->writer);

  if (self->file_error != NULL)
    g_propagate_error (error, g_error_copy (self->file_error));
  else if (!succeeded)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: can't be written: %s", self->path,
                 reason != NULL ? reason : "unknown reason");
  return succeeded && self->file_error == NULL;
}

static gboolean
check_complete (CleaveArchiveWriter *self, GError **error)
{
  if (self->missing == 0)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO,
               "%s: member %s: %" G_GSIZE_FORMAT " bytes fewer written than announced", self->path, self->member,
               self->missing);
  return FALSE;
}

/**
 * cleave_archive_writer_new:
 * @path: (type filename): where the archive will be; its folder must be there
 * @error: return location for an error
 *
 * Begins a zip archive in a temporary file beside @path.
 *
 * Returns: (transfer full): the writer, or %NULL with %CLEAVE_ERROR_IO set
 */
CleaveArchiveWriter *
cleave_archive_writer_new (const char *path, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);

  CleaveFileReplacement *file = cleave_file_replacement_new (path, error);
  if (file == NULL)
    return NULL;

  g_autoptr (CleaveArchiveWriter) self = g_atomic_rc_box_new0 (CleaveArchiveWriter);
  self->path = g_strdup (path);
  self->file = file;
  self->writer = archive_write_new ();
  gboolean opened = archive_write_set_format_zip (self->writer) == ARCHIVE_OK
                    && archive_write_zip_set_compression_store (self->writer) == ARCHIVE_OK
                    && archive_write_set_bytes_in_last_block (self->writer, 1) == ARCHIVE_OK
                    && archive_write_open (self->writer, self, NULL, write_block, NULL) == ARCHIVE_OK;
  return check (self, opened, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * cleave_archive_writer_add:
 * @self: a writer
 * @name: the entry's path inside the archive, in ASCII
 * @size: its length in bytes
 * @error: return location for an error
 *
 * Begins an entry; [method@ArchiveWriter.write] then gives its content. The entry before must be complete.
 *
 * Returns: whether it worked; if not, %CLEAVE_ERROR_IO is set
 */
gboolean
cleave_archive_writer_add (CleaveArchiveWriter *self, const char *name, gsize size, GError **error)
{
  g_return_val_if_fail (self != NULL && self->file != NULL && name != NULL && size <= G_MAXINT64, FALSE);

  if (!check_complete (self, error))
    return FALSE;

  struct archive_entry *entry = archive_entry_new2 (self->writer);
  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0644);
  archive_entry_set_size (entry, size);
  int result = archive_write_header (self->writer, entry);
  archive_entry_free (entry);
  if (!check (self, result == ARCHIVE_OK, error))
    return FALSE;

  g_free (self->member);
  self->member = g_strdup (name);
  self->missing = size;
  return TRUE;
}

/**
 * cleave_archive_writer_write:
 * @self: a writer
 * @data: (array length=size) (element-type guint8): the next bytes of the present entry
 * @size: how many
 * @error: return location for an error
 *
 * Writes on in the present entry. All parts together must have the length that [method@ArchiveWriter.add] was given.
 *
 * Returns: whether it worked; if not, %CLEAVE_ERROR_IO is set
 */
gboolean
cleave_archive_writer_write (CleaveArchiveWriter *self, gconstpointer data, gsize size, GError **error)
{
  g_return_val_if_fail (self != NULL && self->file != NULL && size <= self->missing, FALSE);

  const char *next = data;
  while (size > 0)
    {
      la_ssize_t written = archive_write_data (self->writer, next, size);
      if (!check (self, written > 0, error))
        return FALSE;
      next += written;
      size -= written;
      self->missing -= written;
    }
  return TRUE;
}

/**
 * cleave_archive_writer_close:
 * @self: a writer
 * @error: return location for an error
 *
 * Ends the archive and puts it in place, once: synced, then renamed over what was there.
 *
 * Returns: whether it worked; if not, %CLEAVE_ERROR_IO is set and a file that was there before is as it was
 */
gboolean
cleave_archive_writer_close (CleaveArchiveWriter *self, GError **error)
{
  g_return_val_if_fail (self != NULL && self->file != NULL, FALSE);

  if (!check_complete (self, error))
    return FALSE;
  if (!check (self, archive_write_close (self->writer) == ARCHIVE_OK, error))
    return FALSE;

  gboolean done = cleave_file_replacement_finish (self->file, error);
  g_clear_pointer (&self->file, cleave_file_replacement_free);
  return done;
}

/**
 * cleave_archive_writer_ref:
 * @self: a writer
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self with one more reference
 */
CleaveArchiveWriter *
cleave_archive_writer_ref (CleaveArchiveWriter *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
archive_writer_clear (gpointer data)
{
  CleaveArchiveWriter *self = data;

  g_clear_pointer (&self->file, cleave_file_replacement_free);
  archive_write_free (self->writer);
  g_clear_error (&self->file_error);
  g_free (self->member);
  g_free (self->path);
}

/**
 * cleave_archive_writer_unref:
 * @self: (transfer full): a writer
 *
 * Gives a reference back. The last one drops an archive that was not closed and leaves no trace of it.
 */
void
cleave_archive_writer_unref (CleaveArchiveWriter *self)
{
  g_atomic_rc_box_release_full (self, archive_writer_clear);
}
