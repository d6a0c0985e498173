/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The plugins of tests/fixtures/plugins, as built. */

#include "cleave-config.h"
#include "test.h"

G_BEGIN_DECLS

/* The folder with their modules and manifests. */
const char *fixture_plugins (void);
CleaveHost *fixture_host (void);
/* Writes FOLDER/NAME and gives its path. */
char *fixture_write (const char *folder, const char *name, const char *text);

/* The folder with the plugins of tests/fixtures/python. */
char *fixture_python_plugins (void);
/* Writes a plugin in Python into FOLDER: its manifest, and CODE below a line of imports. */
void fixture_write_python (const char *folder, const char *name, const char *kind, const char *code);
/* Whether this build has the typelib. */
gboolean fixture_has_typelib (void);

#define NEEDS_TYPELIB()                                                                                                \
  if (!fixture_has_typelib ())                                                                                         \
  SKIP ("Python plugins need the typelib, and this build has none (-Dintrospection=false)")

G_END_DECLS
