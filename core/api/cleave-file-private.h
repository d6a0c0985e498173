/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A file being written beside its destination, which gets it whole or not at all. */
typedef struct _CleaveFileReplacement CleaveFileReplacement;

CleaveFileReplacement *cleave_file_replacement_new (const char *path, GError **error);
gboolean cleave_file_replacement_write (CleaveFileReplacement *self, gconstpointer data, gsize size, GError **error);
/* Syncs the file, renames it, syncs the folder. */
gboolean cleave_file_replacement_finish (CleaveFileReplacement *self, GError **error);
/* Unless it was finished, no trace remains. */
void cleave_file_replacement_free (CleaveFileReplacement *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveFileReplacement, cleave_file_replacement_free)

G_END_DECLS
