/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The next minibatch, filled by a thread of its own while the engine works on the present one. What it holds is fixed
 * by the indices and their keys, so the thread changes no result. */

#include "minibatch.h"

G_BEGIN_DECLS

typedef struct _CleavePrefetch CleavePrefetch;

/* SOURCE must outlive it. An error where no thread can be had. */
CleavePrefetch *cleave_prefetch_new (const CleaveMinibatchSource *source, const CleaveAugmentation *augmentation,
                                     guint64 seed, guint32 purpose, guint batch_size, GError **error);
/* Waits for the thread; what it was filling is dropped. */
void cleave_prefetch_free (CleavePrefetch *self);
/* Begins to fill the images at these batch_size indices, which are copied. One minibatch at a time. */
void cleave_prefetch_request (CleavePrefetch *self, guint32 epoch, const guint32 *indices);
/* Waits for what was requested and exchanges it for BATCH, whose memory serves the next. */
void cleave_prefetch_take (CleavePrefetch *self, CleaveMinibatch *batch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleavePrefetch, cleave_prefetch_free)

G_END_DECLS
