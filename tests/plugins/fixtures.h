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

G_END_DECLS
