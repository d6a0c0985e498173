/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shows on stderr where a run is: on a terminal a line that is rewritten, elsewhere a line an epoch. */

#include "run.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean terminal;
  gint64 begin_us; /* of the present stage, in this process */
  gint64 drawn_us;
  guint64 n_images;
  guint64 n_steps;
} CliProgress;

void cli_progress_begin (CliProgress *self);
/* A CleaveObserver's progress; DATA is the CliProgress. */
void cli_progress_show (const CleaveProgress *progress, gpointer data);
/* Ends a line that is being rewritten, so that a message can follow. */
void cli_progress_end_line (CliProgress *self);

G_END_DECLS
