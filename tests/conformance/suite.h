/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The checks of plugins/conformance, run by a test. */

#include "conformance.h"
#include "test.h"

G_BEGIN_DECLS

/* The plugins of tests/fixtures/conformance, as built. */
const char *suite_fixtures (void);
/* Runs the checks over a subject and gives their report: a line each, "ok NAME", "FAIL NAME: TEXT" or "skip NAME:
 * TEXT". */
char *suite_run (const CleaveSubject *subject);
/* Likewise over the plugin NAME of HOST, with these parameters (NULL-terminated, name, value, …). Networks for oracles
 * come from the plugin SPACE (nullable). */
char *suite_run_plugin (CleaveHost *host, const char *name, const char *const *parameters, const char *space);
/* The report has this line; in LINE, "…" stands for any text, and what follows it for a part of the rest. */
void suite_expect (const char *report, const char *line, const char *what);

G_END_DECLS
