/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A comparison for the eye: one file that needs no other, no script and no network. */

#include "comparison.h"

G_BEGIN_DECLS

/* FOLDER/report.html, with the pictures comparison.svg and accuracy.svg of FOLDER in it. */
gboolean cleave_page_write (const CleaveComparison *self, const char *folder, GError **error);

G_END_DECLS
