/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pictures of one finished run. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

/* From result.json and trials.csv in FOLDER: objective, latency and accuracy, each as .svg and .png. */
gboolean cleave_run_draw (const char *folder, GError **error);
/* Whether all of them are there. */
gboolean cleave_run_is_drawn (const char *folder);

G_END_DECLS
