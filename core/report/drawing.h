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
/* An SVG of its own. The cut is drawn where its name tells the place, see drawing_cut_place(). */
void drawing_append_run (const Drawing *self, GString *page, const char *method, const CleaveResult *run);
/* How many blocks lie before the cut or hold it in their last; −1 where the split's name doesn't tell. A split that is
 * named by its number, at most that of the blocks, is taken to count them. */
int drawing_cut_place (const CleaveResult *run);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Drawing, drawing_free)

G_END_DECLS
