/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "prefetch.h"

#include <string.h>

/* Whose turn it is: the thread touches the minibatch only while it is WANTED, the caller only while it is not. */
typedef enum
{
  IDLE,
  WANTED,
  READY,
} State;

struct _CleavePrefetch
{
  const CleaveMinibatchSource *source;
  CleaveAugmentation augmentation;
  guint64 seed;
  guint32 purpose;

  guint32 epoch;
  guint32 *indices;
  CleaveMinibatch batch;

  GThread *thread;
  GMutex mutex; /* of the two below */
  GCond changed;
  State state;
  gboolean ends;
};

static gpointer
run_thread (gpointer data)
{
  CleavePrefetch *self = data;

  g_mutex_lock (&self->mutex);
  while (!self->ends)
    {
      if (self->state != WANTED)
        {
          g_cond_wait (&self->changed, &self->mutex);
          continue;
        }
      g_mutex_unlock (&self->mutex);
      cleave_minibatch_fill (self->source, self->indices, self->batch.n, &self->augmentation, self->seed, self->purpose,
                             self->epoch, self->batch.pixels, self->batch.labels);
      g_mutex_lock (&self->mutex);
      self->state = READY;
      g_cond_signal (&self->changed);
    }
  g_mutex_unlock (&self->mutex);
  return NULL;
}

CleavePrefetch *
cleave_prefetch_new (const CleaveMinibatchSource *source, const CleaveAugmentation *augmentation, guint64 seed,
                     guint32 purpose, guint batch_size, GError **error)
{
  g_autoptr (CleavePrefetch) self = g_new0 (CleavePrefetch, 1);
  g_autoptr (GError) thread_error = NULL;

  self->source = source;
  self->augmentation = *augmentation;
  self->seed = seed;
  self->purpose = purpose;
  self->indices = g_new (guint32, batch_size);
  cleave_minibatch_allocate (&self->batch, source->info, batch_size);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  self->thread = g_thread_try_new ("prefetch", run_thread, self, &thread_error);
  if (self->thread == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED, "the thread that prepares minibatches: %s",
                   thread_error->message);
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
cleave_prefetch_free (CleavePrefetch *self)
{
  if (self->thread != NULL)
    {
      g_mutex_lock (&self->mutex);
      self->ends = TRUE;
      g_cond_signal (&self->changed);
      g_mutex_unlock (&self->mutex);
      g_thread_join (self->thread);
    }
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->changed);
  cleave_minibatch_clear (&self->batch);
  g_free (self->indices);
  g_free (self);
}

void
cleave_prefetch_request (CleavePrefetch *self, guint32 epoch, const guint32 *indices)
{
  g_mutex_lock (&self->mutex);
  g_warn_if_fail (self->state == IDLE);
  self->epoch = epoch;
  memcpy (self->indices, indices, self->batch.n * sizeof (guint32));
  self->state = WANTED;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->mutex);
}

void
cleave_prefetch_take (CleavePrefetch *self, CleaveMinibatch *batch)
{
  CleaveMinibatch filled;

  g_mutex_lock (&self->mutex);
  g_warn_if_fail (self->state != IDLE);
  while (self->state == WANTED)
    g_cond_wait (&self->changed, &self->mutex);
  filled = self->batch;
  self->batch = *batch;
  *batch = filled;
  self->state = IDLE;
  g_mutex_unlock (&self->mutex);
}
