/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The regular files below FOLDER, paths relative to it, sorted by bytes. Symbolic links are followed, but no folder is
 * listed twice. (transfer full) (element-type filename) */
GPtrArray *cleave_folder_list (const char *folder, GError **error);

G_END_DECLS
