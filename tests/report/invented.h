/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs that never were, with numbers that are easy to reckon with. */

#include "comparison.h"

G_BEGIN_DECLS

typedef struct
{
  guint seed;
  guint choices[4]; /* of three blocks and the split */
  double head_ms;
  double transfer_ms;
  double tail_ms;
  gsize payload_elements;
  guint n_correct[2]; /* of 40 images, at drop rates of 0 and 0.2 */
} InventedRun;

CleaveResult *invented_result (const InventedRun *run, const char *space);
/* "nasc" with the seeds 1 and 2 (total 20 and 24 ms, 20 and 30 images correct at 0.2), then "<b>&" with the seeds 1 to
 * 3 (30, 50 and 40 ms; 28, 24 and 30 images); the threshold is 30 ms, the channel's drop rate 0.2. */
CleaveComparison *invented_comparison (void);

G_END_DECLS
