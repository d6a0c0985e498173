/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A gzip file's content. libarchive reads gzip too, but leaves its checksum unread: a flipped bit would pass. */
typedef struct _CleaveGzip CleaveGzip;

/* Takes FD, at the file's beginning. */
CleaveGzip *cleave_gzip_new (int fd);
void cleave_gzip_free (CleaveGzip *self);
/* At least one byte, 0 at the end, −1 with an error set: %CLEAVE_ERROR_DATA where data are truncated or corrupt. */
gssize cleave_gzip_read (CleaveGzip *self, gpointer buffer, gsize size, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveGzip, cleave_gzip_free)

G_END_DECLS
