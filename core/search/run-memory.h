/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What memory a run will need, known before it begins. */

#include "run.h"

G_BEGIN_DECLS

/* Bytes. */
typedef struct
{
  guint64 plan;    /* the largest training plan that the space has, with the threads' scratch */
  guint64 weights; /* of all choices, with their gradients and momenta */
  guint64 images;  /* of the training subset; the test subset takes their place at the end */
  guint64 other;   /* what the process holds already besides, minibatches and losses */
  guint64 present; /* what of all this the process holds already */
} CleaveMemory;

/* An upper bound for a run that has not ended. */
gboolean cleave_memory_estimate (CleaveRun *run, CleaveMemory *memory, GError **error);
guint64 cleave_memory_get_total (const CleaveMemory *memory);
/* One line for people, without a line break. */
char *cleave_memory_to_string (const CleaveMemory *memory);
/* A warning where AVAILABLE bytes are too few for what is still to come, else NULL. */
char *cleave_memory_warning (const CleaveMemory *memory, guint64 available);
/* The bytes of a line "KEY:  N kB" of a file in /proc, such as MemAvailable of /proc/meminfo; 0 where there is none. */
guint64 cleave_memory_read (const char *path, const char *key);

G_END_DECLS
