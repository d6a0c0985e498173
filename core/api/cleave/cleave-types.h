/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <glib-object.h>

G_BEGIN_DECLS

/**
 * CLEAVE_EXPORT:
 *
 * Marks what a library shows: everything in libcleave is hidden but what carries this mark.
 */
#define CLEAVE_EXPORT __attribute__ ((visibility ("default")))

/**
 * CLEAVE_API:
 *
 * The version of the plugin interfaces. A plugin is loaded only where `X-Cleave-API` in its manifest is the same.
 */
#define CLEAVE_API "1.0"

G_END_DECLS
