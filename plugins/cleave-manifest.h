/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A plugin's manifest: the key file NAME.plugin beside its module. */

#include "cleave-host.h"

G_BEGIN_DECLS

void cleave_plugin_description_free (CleavePluginDescription *self);
/* Reads a manifest. What is wrong with it becomes the description's problem; its name is the file's then, unless the
 * manifest gives one. */
CleavePluginDescription *cleave_manifest_read (const char *path);
/* All manifests of FOLDER and of the folders right below it, as libpeas looks for them: paths, sorted. */
GPtrArray *cleave_manifest_list (const char *folder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleavePluginDescription, cleave_plugin_description_free)

G_END_DECLS
