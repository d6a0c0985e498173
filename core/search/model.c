/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model.h"

#include "npz.h"

#include <string.h>

static void
copy_shape (const NnArray *array, gsize shape[4])
{
  for (guint i = 0; i < array->rank; i++)
    shape[i] = array->shape[i];
}

gboolean
cleave_model_save (const char *path, NnSupernet *supernet, CleaveNetwork *network, GError **error)
{
  g_autoptr (GPtrArray) arrays = nn_supernet_list_network (supernet, network);
  g_autoptr (CleaveArchiveWriter) writer = cleave_archive_writer_new (path, error);

  if (writer == NULL)
    return FALSE;
  for (guint i = 0; i < arrays->len; i++)
    {
      const NnArray *array = arrays->pdata[i];
      gsize shape[4];

      copy_shape (array, shape);
      if (!npz_write_array (writer, array->name, NPY_FLOAT32, array->rank, shape, array->data, error))
        return FALSE;
    }
  return cleave_archive_writer_close (writer, error);
}

static gboolean
check_names (const char *path, NpzFile *file, GPtrArray *arrays, GError **error)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GString) missing = g_string_new (NULL);

  for (guint i = 0; i < arrays->len; i++)
    {
      const NnArray *array = arrays->pdata[i];

      g_hash_table_add (known, array->name);
      if (npz_find (file, array->name) == NULL)
        g_string_append_printf (missing, "%s%s", missing->len > 0 ? ", " : "", array->name);
    }
  if (missing->len > 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: these arrays of the network are missing: %s", path,
                   missing->str);
      return FALSE;
    }
  for (guint i = 0; i < npz_get_n_arrays (file); i++)
    {
      const char *name = npz_get_array (file, i)->name;

      /* PyTorch counts its batches in the state dict too; nothing here depends on that. */
      if (!g_hash_table_contains (known, name) && !g_str_has_suffix (name, ".num_batches_tracked"))
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                       "%s: array %s belongs to no part of the network; is this the model of another run?", path, name);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
cleave_model_load (const char *path, NnSupernet *supernet, CleaveNetwork *network, GError **error)
{
  g_autoptr (NpzFile) file = NULL;
  g_autoptr (GPtrArray) arrays = NULL;

  if (!nn_supernet_add_network (supernet, network, error))
    return FALSE;
  arrays = nn_supernet_list_network (supernet, network);
  file = npz_load (path, error);
  if (file == NULL || !check_names (path, file, arrays, error))
    return FALSE;
  for (guint i = 0; i < arrays->len; i++)
    {
      NnArray *array = arrays->pdata[i];
      const NpyArray *source;
      gsize shape[4];

      copy_shape (array, shape);
      source = npz_expect (file, array->name, NPY_FLOAT32, array->rank, shape, error);
      if (source == NULL)
        return FALSE;
      memcpy (array->data, source->data, array->size * sizeof (float));
    }
  return TRUE;
}
