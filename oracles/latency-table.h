/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HW-NAS-Bench's FBNet table: a dictionary "DEVICE_latency" → key of a block → milliseconds, at the top of the file or
 * under "fbnet". */

#include <gio/gio.h>

G_BEGIN_DECLS

/* Key → double *, milliseconds, of one device, from a file of JSON or the published pickle. Fails with
 * CLEAVE_ERROR_CONFIG where the file has no such device, else with CLEAVE_ERROR_DATA. */
GHashTable *latency_table_read (const char *path, const char *device, GError **error);

G_END_DECLS
