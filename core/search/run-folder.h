/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The folder of a run: making it, keeping others out, comparing configs. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

/* Makes FOLDER; an error if there is anything in it. */
gboolean cleave_run_folder_make (const char *folder, GError **error);
/* A descriptor that holds the folder for this process until it is closed; −1 with an error set if another has it. */
int cleave_run_folder_lock (const char *folder, GError **error);
/* Removes the temporary files that a killed process left. */
void cleave_run_folder_remove_leftovers (const char *folder);
/* An error that lists the keys in which two resolved configs differ. NAMES are what the messages call them. */
gboolean cleave_run_folder_compare_configs (const char *name, const char *text, const char *other_name,
                                            const char *other_text, GError **error);

G_END_DECLS
