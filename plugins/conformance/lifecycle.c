/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of a component that is not needed any more, and of the memory that it took. */

#include "conformance-private.h"

#include <malloc.h>

static gboolean
check_freed (Conformance *self, GError **error)
{
  gpointer component = conformance_make (self, error);

  if (component == NULL)
    return FALSE;
  /* Whether it can be used makes no difference here. */
  conformance_get_kind (self)->use (self, component, NULL);
  g_object_add_weak_pointer (component, &component);
  g_object_unref (component);
  if (component == NULL)
    return TRUE;
  g_object_remove_weak_pointer (component, &component);
  return conformance_fail (error, "it lives on when its last user has dropped it: something in it holds a reference");
}

/* A leak shows in every one of these stretches of uses; what is made once, or kept for the next use, does not. */
#define N_STRETCHES 24
/* Bytes that a stretch may leave behind: the smallest piece that malloc gives takes 32. */
#define TOLERANCE(n_rounds) (512 + 16 * (gssize)(n_rounds))

static gssize
get_heap_size (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

static gboolean
use_often (Conformance *self, GError **error)
{
  const ConformanceKind *kind = conformance_get_kind (self);

  for (guint round = 0; round < kind->n_rounds; round++)
    {
      g_autoptr (GObject) component = conformance_make (self, error);

      if (component == NULL)
        return FALSE;
      kind->use (self, component, NULL);
    }
  return TRUE;
}

static gboolean
check_memory (Conformance *self, GError **error)
{
  const CleavePluginDescription *plugin = self->subject->plugin;
  const guint n_rounds = conformance_get_kind (self)->n_rounds;
  gssize grown = G_MAXSSIZE;

  if (plugin != NULL && !g_str_equal (plugin->loader, "c"))
    return conformance_skip (self, "its language frees memory when it likes");
  for (guint i = 0; i < N_STRETCHES && grown > TOLERANCE (n_rounds); i++)
    {
      gssize before = get_heap_size ();

      if (!use_often (self, error))
        return FALSE;
      grown = get_heap_size () - before;
    }
  if (grown > TOLERANCE (n_rounds))
    return conformance_fail (
        error, "making, using and dropping it leaves %" G_GSSIZE_FORMAT " bytes behind each time, expected none",
        grown / n_rounds);
  return TRUE;
}

const ConformanceCheck conformance_lifecycle_checks[] = {
  { "freed", check_freed, TRUE },
  { "memory", check_memory, TRUE },
  { NULL, NULL, FALSE },
};
