/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Components in Python. */

#include "cleave-host.h"

#include <libpeas/peas.h>

G_BEGIN_DECLS

/* A new component of a plugin whose loader is python3, or NULL with CLEAVE_ERROR_PLUGIN. The first call starts Python.
 */
GObject *cleave_python_create (PeasEngine *engine, const CleavePluginDescription *plugin, GError **error);

G_END_DECLS
