/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A search that takes a fraction of a second, through the real command and the plugins of tests/fixtures/search. */

#include "cleave-config.h"
#include "run.h"
#include "test.h"

G_BEGIN_DECLS

/* The folder with the built fixture plugins. */
const char *tiny_plugins (void);
/* A host that finds them. */
CleaveHost *tiny_make_host (GError **error);
/* The path of the built cleave command. */
char *tiny_command (void);
/* Writes the tiny config into FOLDER and gives its path. */
char *tiny_write_config (const char *folder);
CleaveConfig *tiny_load_config (void);
/* A run of the tiny config with these settings (NULL-terminated, "section.key=value") on one thread, in the folder
 * OUT; the error where there is none. */
CleaveRun *tiny_make_run (const char *out, const char *const *settings, GError **error);
/* Runs `cleave search` on the tiny config into OUT, with MORE (nullable, NULL-terminated) arguments. ERR (nullable)
 * gets what it printed on stderr. */
int tiny_search (const char *out, const char *const *more, char **err);
/* Runs `cleave search --resume FOLDER`. */
int tiny_resume (const char *folder, const char *const *more, char **err);
/* Starts `cleave search` with these arguments and gives its process. */
GPid tiny_start (const char *const *arguments);
/* Waits for its end: exit status, or 128 + signal. */
int tiny_wait (GPid process);
char *tiny_read (const char *folder, const char *name);
gboolean tiny_exists (const char *folder, const char *name);
/* Both folders hold the same bytes under this name. */
gboolean tiny_same_file (const char *first, const char *second, const char *name);
/* The number in a column of the last row of metrics.csv that is of this stage; NaN if there is none. */
double tiny_metric (const char *folder, const char *stage, const char *column);

G_END_DECLS
