/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

CLEAVE_EXPORT gboolean cleave_file_replace (const char *path, const char *data, gssize length, GError **error);

G_END_DECLS
