/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cleave-config.h"

G_BEGIN_DECLS

struct _CleaveConfig
{
  GObject parent_instance;
  GKeyFile *keys;
  char *label;            /* what messages call the file */
  char *folder;           /* nullable: what relative paths are beside */
  GHashTable *overridden; /* "section.key" that came from --set */
  GHashTable *warned;     /* warnings printed */
};

/* Where a key was given: "exp.ini: [channel]" or "--set: [channel]". KEY is nullable. */
char *cleave_config_describe_place (CleaveConfig *self, const char *section, const char *key);
/* The error for a SECTION that is none of KNOWN, with a suggestion. */
void cleave_config_set_section_error (CleaveConfig *self, const char *section, const char *const *known,
                                      GError **error);
/* PATH made absolute where it is found beside the config, in CLEAVE_DATA_DIR or in the current folder, else as it is.
 */
char *cleave_config_find_path (CleaveConfig *self, const char *path);

G_END_DECLS
