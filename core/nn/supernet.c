/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supernet.h"

#include <math.h>
#include <string.h>

/* Keeps the streams of initial values apart from all others that a seed is used for. */
#define PURPOSE_INITIAL_VALUES 0x1417u

static void
array_free (gpointer data)
{
  NnArray *array = data;

  g_free (array->key);
  g_free (array->name);
  g_free (array->data);
  g_free (array->gradient);
  g_free (array->momentum);
  g_free (array);
}

NnSupernet *
nn_supernet_new (guint64 seed)
{
  NnSupernet *supernet = g_new0 (NnSupernet, 1);

  supernet->seed = seed;
  supernet->arrays = g_ptr_array_new_with_free_func (array_free);
  supernet->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  supernet->touched = g_ptr_array_new ();
  supernet->touched_set = g_hash_table_new (NULL, NULL);
  return supernet;
}

void
nn_supernet_free (NnSupernet *supernet)
{
  if (supernet == NULL)
    return;
  g_hash_table_unref (supernet->by_key);
  g_hash_table_unref (supernet->touched_set);
  g_ptr_array_unref (supernet->touched);
  g_ptr_array_unref (supernet->arrays);
  g_free (supernet);
}

/* --- which arrays an op has --- */

typedef struct
{
  const char *parameter;
  gboolean trained;
  guint rank;
  guint shape[4];
} Declaration;

/* Fills up to four declarations; gives how many. */
static guint
op_declarations (const CleaveOp *op, Declaration declarations[4])
{
  switch (op->kind)
    {
    case CLEAVE_OP_CONV:
      declarations[0] = (Declaration){
        "weight", TRUE, 4, { op->out_channels, op->in_channels / op->groups, op->kernel, op->kernel }
      };
      return 1;
    case CLEAVE_OP_LINEAR:
      declarations[0] = (Declaration){ "weight", TRUE, 2, { op->out_channels, op->in_channels } };
      declarations[1] = (Declaration){ "bias", TRUE, 1, { op->out_channels } };
      return 2;
    case CLEAVE_OP_NORM:
      declarations[0] = (Declaration){ "weight", TRUE, 1, { op->out_channels } };
      declarations[1] = (Declaration){ "bias", TRUE, 1, { op->out_channels } };
      declarations[2] = (Declaration){ "running_mean", FALSE, 1, { op->out_channels } };
      declarations[3] = (Declaration){ "running_var", FALSE, 1, { op->out_channels } };
      return 4;
    default:
      return 0;
    }
}

static char *
parameter_key (CleaveNetwork *network, const CleaveOp *op, const char *parameter)
{
  const CleaveBlock *block = cleave_network_get_block (network, op->block);

  return g_strdup_printf ("%s/%s/%s%s%s", block->name, block->choice != NULL ? block->choice : "",
                          op->name != NULL ? op->name : "", op->name != NULL ? "." : "", parameter);
}

/* --- initial values --- */

/* FNV-1a: a fixed hash, since g_str_hash promises nothing across versions. */
static guint64
key_hash (const char *key)
{
  guint64 hash = 0xcbf29ce484222325u;

  for (; *key != '\0'; key++)
    hash = (hash ^ (guint8)*key) * 0x100000001b3u;
  return hash;
}

/* conv: Kaiming normal, fan-out, gain √2; linear: PyTorch's default, uniform within 1/√in; norm: 1 and 0. The fan is
 * counted as torch.nn.init counts it, output channels times kernel area whatever the groups. Depthwise weights are then
 * small and, before a norm, learn the faster: FBNet on CIFAR-100 leaves its first plateau after 100 steps, not 200. */
static void
fill_initial (NnSupernet *supernet, NnArray *array, const CleaveOp *op, const char *parameter)
{
  guint64 hash = key_hash (array->key);
  g_autoptr (CleaveRandom) random
      = cleave_random_new (supernet->seed, PURPOSE_INITIAL_VALUES, (guint32)(hash >> 32), (guint32)hash);

  if (op->kind == CLEAVE_OP_CONV)
    {
      double fan_out = (double)op->out_channels * op->kernel * op->kernel;
      for (gsize i = 0; i < array->size; i++)
        array->data[i] = cleave_random_normal (random) * sqrt (2 / fan_out);
    }
  else if (op->kind == CLEAVE_OP_LINEAR)
    for (gsize i = 0; i < array->size; i++)
      array->data[i] = (2 * cleave_random_uniform (random) - 1) / sqrt (op->in_channels);
  else
    for (gsize i = 0; i < array->size; i++)
      array->data[i] = g_str_equal (parameter, "weight") || g_str_equal (parameter, "running_var") ? 1 : 0;
}

static NnArray *
array_new (const char *key, char *name, const Declaration *declaration)
{
  NnArray *array = g_new0 (NnArray, 1);

  array->key = g_strdup (key);
  array->name = name;
  array->rank = declaration->rank;
  array->size = 1;
  for (guint i = 0; i < declaration->rank; i++)
    {
      array->shape[i] = declaration->shape[i];
      array->size *= declaration->shape[i];
    }
  return array;
}

static void
array_take_memory (NnArray *array, gboolean trained)
{
  array->data = g_new0 (float, array->size);
  if (!trained)
    return;
  array->gradient = g_new0 (float, array->size);
  array->momentum = g_new0 (float, array->size);
}

static gboolean
add_array (NnSupernet *supernet, CleaveNetwork *network, guint index, const Declaration *declaration, GError **error)
{
  const CleaveOp *op = cleave_network_get_op (network, index);
  g_autofree char *key = parameter_key (network, op, declaration->parameter);
  NnArray *array = g_hash_table_lookup (supernet->by_key, key);

  if (array != NULL)
    {
      if (array->rank == declaration->rank
          && memcmp (array->shape, declaration->shape, declaration->rank * sizeof (guint)) == 0)
        return TRUE;
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                   "the space gives block and choice %s two shapes; weights are shared by block and choice", key);
      return FALSE;
    }
  array = array_new (key, cleave_network_parameter_name (network, index, declaration->parameter), declaration);
  if (!supernet->is_hollow)
    {
      array_take_memory (array, declaration->trained);
      fill_initial (supernet, array, op, declaration->parameter);
    }
  g_ptr_array_add (supernet->arrays, array);
  g_hash_table_insert (supernet->by_key, array->key, array);
  return TRUE;
}

gboolean
nn_supernet_add_network (NnSupernet *supernet, CleaveNetwork *network, GError **error)
{
  for (guint i = 0; i < cleave_network_get_n_ops (network); i++)
    {
      Declaration declarations[4];
      guint n = op_declarations (cleave_network_get_op (network, i), declarations);

      for (guint j = 0; j < n; j++)
        if (!add_array (supernet, network, i, &declarations[j], error))
          return FALSE;
    }
  return TRUE;
}

/* --- look-ups --- */

guint
nn_supernet_get_n_arrays (NnSupernet *supernet)
{
  return supernet->arrays->len;
}

NnArray *
nn_supernet_get_array (NnSupernet *supernet, guint index)
{
  return supernet->arrays->pdata[index];
}

NnArray *
nn_supernet_find (NnSupernet *supernet, const char *key)
{
  return g_hash_table_lookup (supernet->by_key, key);
}

NnArray *
nn_supernet_find_parameter (NnSupernet *supernet, CleaveNetwork *network, guint op, const char *parameter)
{
  g_autofree char *key = parameter_key (network, cleave_network_get_op (network, op), parameter);

  return nn_supernet_find (supernet, key);
}

GPtrArray *
nn_supernet_list_network (NnSupernet *supernet, CleaveNetwork *network)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < cleave_network_get_n_ops (network); i++)
    {
      Declaration declarations[4];
      guint n = op_declarations (cleave_network_get_op (network, i), declarations);

      for (guint j = 0; j < n; j++)
        {
          NnArray *array = nn_supernet_find_parameter (supernet, network, i, declarations[j].parameter);
          if (array != NULL)
            g_ptr_array_add (list, array);
        }
    }
  return list;
}

/* --- a training step --- */

void
nn_supernet_begin_step (NnSupernet *supernet)
{
  g_ptr_array_set_size (supernet->touched, 0);
  g_hash_table_remove_all (supernet->touched_set);
}

void
nn_supernet_touch (NnSupernet *supernet, NnArray *array)
{
  if (!g_hash_table_add (supernet->touched_set, array))
    return;
  g_ptr_array_add (supernet->touched, array);
  memset (array->gradient, 0, array->size * sizeof (float));
}
