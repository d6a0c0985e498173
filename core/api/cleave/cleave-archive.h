/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

#define CLEAVE_TYPE_ARCHIVE (cleave_archive_get_type ())
#define CLEAVE_TYPE_ARCHIVE_WRITER (cleave_archive_writer_get_type ())

/**
 * CleaveArchive:
 *
 * The regular files of an archive (any format and compression that libarchive knows) or of a folder, read one after
 * the other as a stream. Reference counted; not to be used by two threads at a time.
 */
typedef struct _CleaveArchive CleaveArchive;

CLEAVE_EXPORT GType cleave_archive_get_type (void);
CLEAVE_EXPORT CleaveArchive *cleave_archive_open (const char *path, GError **error);
CLEAVE_EXPORT CleaveArchive *cleave_archive_ref (CleaveArchive *self);
CLEAVE_EXPORT void cleave_archive_unref (CleaveArchive *self);
CLEAVE_EXPORT const char *cleave_archive_next (CleaveArchive *self, GError **error);
CLEAVE_EXPORT gssize cleave_archive_read (CleaveArchive *self, gpointer buffer, gsize size, GError **error);
CLEAVE_EXPORT GBytes *cleave_archive_read_bytes (CleaveArchive *self, gsize max_size, GError **error);

/**
 * CleaveArchiveWriter:
 *
 * Writes a zip archive beside its destination and puts it there whole when closed: synced, then renamed. Entries carry
 * no time and are stored uncompressed, so the same content gives the same bytes.
 */
typedef struct _CleaveArchiveWriter CleaveArchiveWriter;

CLEAVE_EXPORT GType cleave_archive_writer_get_type (void);
CLEAVE_EXPORT CleaveArchiveWriter *cleave_archive_writer_new (const char *path, GError **error);
CLEAVE_EXPORT gboolean cleave_archive_writer_add (CleaveArchiveWriter *self, const char *name, gsize size,
                                                  GError **error);
CLEAVE_EXPORT gboolean cleave_archive_writer_write (CleaveArchiveWriter *self, gconstpointer data, gsize size,
                                                    GError **error);
CLEAVE_EXPORT gboolean cleave_archive_writer_close (CleaveArchiveWriter *self, GError **error);
CLEAVE_EXPORT CleaveArchiveWriter *cleave_archive_writer_ref (CleaveArchiveWriter *self);
CLEAVE_EXPORT void cleave_archive_writer_unref (CleaveArchiveWriter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveArchive, cleave_archive_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveArchiveWriter, cleave_archive_writer_unref)

G_END_DECLS
