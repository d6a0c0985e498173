/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Appends as printf() would, with every %s escaped for XML. */
void markup_append (GString *page, const char *format, ...) G_GNUC_PRINTF (2, 3);

G_END_DECLS
