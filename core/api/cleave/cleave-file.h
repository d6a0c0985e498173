/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

/* Puts a whole small file in place: written beside PATH, synced, then renamed over it. */
CLEAVE_EXPORT gboolean cleave_file_replace (const char *path, const char *data, gssize length, GError **error);

G_END_DECLS
