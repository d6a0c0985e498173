/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The page's parts: each appends a part of its body. */

#include "comparison.h"

G_BEGIN_DECLS

void page_append_introduction (GString *page, const CleaveComparison *comparison);
void page_append_summary (GString *page, const CleaveComparison *comparison);
void page_append_runs (GString *page, const CleaveComparison *comparison);
void page_append_drop_rates (GString *page, const CleaveComparison *comparison);

G_END_DECLS
