/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Architectures as rows of boxes, a box a block, cut at the split point. */

#include "comparison.h"

G_BEGIN_DECLS

/* What all drawings of a comparison have in common: a choice looks the same everywhere. */
typedef struct _Drawing Drawing;

Drawing *drawing_new (const CleaveComparison *comparison);
void drawing_free (Drawing *self);
/* A list of the choices that any run made, with their colours. */
void drawing_append_legend (const Drawing *self, GString *page);
/* An SVG of its own. A block that the cut lies inside is drawn in two pieces. */
void drawing_append_run (const Drawing *self, GString *page, const char *method, const CleaveResult *run);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Drawing, drawing_free)

G_END_DECLS
