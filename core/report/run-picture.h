/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pictures of one finished run. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

/* From result.json and trials.csv in FOLDER: objective, latency and accuracy, each as .svg and .png. */
gboolean cleave_run_draw (const char *folder, GError **error);

G_END_DECLS
