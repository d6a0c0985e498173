/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <glib-object.h>

G_BEGIN_DECLS

/* Everything in libcleave is hidden but what carries this mark. */
#define CLEAVE_EXPORT __attribute__ ((visibility ("default")))

/**
 * CLEAVE_API:
 *
 * The version of the plugin interfaces, as a manifest's `X-Cleave-API` names it.
 */
#define CLEAVE_API "1.0"

G_END_DECLS
