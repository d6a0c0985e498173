/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What NumPy's pickles name, and the numbers that it stands for. numpy.core became numpy._core in NumPy 2. */

#include "pickle-value.h"

#include <cleave/cleave.h>

#include <string.h>

#define MAX_ENCODED_SIZE ((gsize)256 << 20)

static const struct
{
  const char *module, *name;
  PickleName result;
} names[] = {
  { "numpy.core.multiarray", "scalar", PICKLE_NAME_SCALAR },
  { "numpy._core.multiarray", "scalar", PICKLE_NAME_SCALAR },
  { "numpy.core.multiarray", "_reconstruct", PICKLE_NAME_RECONSTRUCT },
  { "numpy._core.multiarray", "_reconstruct", PICKLE_NAME_RECONSTRUCT },
  { "numpy.core.numeric", "_frombuffer", PICKLE_NAME_FROM_BUFFER },
  { "numpy._core.numeric", "_frombuffer", PICKLE_NAME_FROM_BUFFER },
  { "numpy", "dtype", PICKLE_NAME_TYPE },
  { "numpy", "ndarray", PICKLE_NAME_ARRAY },
  { "_codecs", "encode", PICKLE_NAME_ENCODE },
};

gboolean
pickle_name_lookup (const char *module, const char *name, PickleName *result)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i].module, module) && g_str_equal (names[i].name, name))
      {
        *result = names[i].result;
        return TRUE;
      }
  return FALSE;
}

const char *
pickle_name_to_string (PickleName name)
{
  static const char *const texts[] = { "multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer",
                                       "numpy.dtype",       "numpy.ndarray",           "_codecs.encode" };

  return texts[name];
}

/* Argument INDEX where it is there and of this kind, else NULL. */
static const PickleValue *
get_argument (const PickleValue *arguments, gsize index, PickleKind kind)
{
  if (index >= pickle_value_get_length (arguments))
    return NULL;
  const PickleValue *value = pickle_value_get_item (arguments, index);
  return value->kind == kind ? value : NULL;
}

static gpointer
fail_arguments (const char *what, const PickleValue *arguments, const char *expected, GError **error)
{
  g_autofree char *got = pickle_value_describe (arguments);

  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s is given %s, expected %s", what, got, expected);
  return NULL;
}

/* numpy.dtype ("f8", …): a kind and a size in bytes. */
static PickleValue *
make_type (Pickle *self, const PickleValue *arguments, GError **error)
{
  static const char *const known[] = { "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8" };
  const PickleValue *code = get_argument (arguments, 0, PICKLE_STRING);

  if (code == NULL)
    return fail_arguments ("numpy.dtype", arguments, "the name of a type", error);
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (pickle_value_string_equal (code, known[i]))
      {
        PickleValue *value = pickle_value_new (self, PICKLE_TYPE);
        value->type.kind = known[i][0];
        value->type.size = (guint8)(known[i][1] - '0');
        return value;
      }
  g_autofree char *text = pickle_make_printable (code->string.data, code->string.size);
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
               "the NumPy type “%s” is not known, expected b1, i1, i2, i4, i8, u1, u2, u4, u8, f4 or f8", text);
  return NULL;
}

/* Numbers of TYPE in DATA, one for each element of SHAPE (NULL: a scalar). */
static gboolean
set_array (PickleValue *value, const PickleValue *type, const PickleValue *shape, const PickleValue *data,
           GError **error)
{
  guint64 n_numbers = 1;

  for (gsize i = 0; shape != NULL && i < pickle_value_get_length (shape); i++)
    {
      double size;
      if (!pickle_value_get_number (pickle_value_get_item (shape, i), &size) || !(size >= 0 && size <= G_MAXUINT32)
          || !g_uint64_checked_mul (&n_numbers, n_numbers, (guint64)size))
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "dimension %" G_GSIZE_FORMAT " of an array is no size",
                       i);
          return FALSE;
        }
    }
  guint64 n_bytes;
  if (!g_uint64_checked_mul (&n_bytes, n_numbers, type->type.size) || n_bytes != data->string.size)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "an array of %" G_GUINT64_FORMAT " numbers of type %c%u has %" G_GSIZE_FORMAT " bytes", n_numbers,
                   type->type.kind, type->type.size, data->string.size);
      return FALSE;
    }
  value->array.type = type->type;
  value->array.data = data->string.data;
  value->array.n_numbers = n_numbers;
  return TRUE;
}

static PickleValue *
make_scalar (Pickle *self, const PickleValue *arguments, GError **error)
{
  const PickleValue *type = get_argument (arguments, 0, PICKLE_TYPE);
  const PickleValue *data = get_argument (arguments, 1, PICKLE_STRING);

  if (type == NULL || data == NULL)
    return fail_arguments ("multiarray.scalar", arguments, "a type of numbers and bytes", error);
  PickleValue *value = pickle_value_new (self, PICKLE_ARRAY);
  return set_array (value, type, NULL, data, error) ? value : NULL;
}

static PickleValue *
make_from_buffer (Pickle *self, const PickleValue *arguments, GError **error)
{
  const PickleValue *data = get_argument (arguments, 0, PICKLE_STRING);
  const PickleValue *type = get_argument (arguments, 1, PICKLE_TYPE);
  const PickleValue *shape = get_argument (arguments, 2, PICKLE_TUPLE);

  if (data == NULL || type == NULL || shape == NULL)
    return fail_arguments ("numeric._frombuffer", arguments, "bytes, a type of numbers and a shape", error);
  PickleValue *value = pickle_value_new (self, PICKLE_ARRAY);
  return set_array (value, type, shape, data, error) ? value : NULL;
}

static PickleValue *
make_empty_array (Pickle *self, const PickleValue *arguments, GError **error)
{
  const PickleValue *class = get_argument (arguments, 0, PICKLE_NAME);

  if (class == NULL || class->name != PICKLE_NAME_ARRAY)
    return fail_arguments ("multiarray._reconstruct", arguments, "numpy.ndarray, a shape and a type", error);
  return pickle_value_new (self, PICKLE_ARRAY);
}

/* The str's code points, all below 256, as bytes. */
static PickleValue *
make_encoded (Pickle *self, const PickleValue *arguments, GError **error)
{
  const PickleValue *text = get_argument (arguments, 0, PICKLE_STRING);
  const PickleValue *codec = get_argument (arguments, 1, PICKLE_STRING);

  if (text == NULL || codec == NULL || !pickle_value_string_equal (codec, "latin1"))
    return fail_arguments ("_codecs.encode", arguments, "a str and “latin1”", error);
  /* One long str can be encoded again and again by a few bytes each. */
  if (text->string.size > MAX_ENCODED_SIZE - MIN (self->buffers_size, MAX_ENCODED_SIZE))
    return fail_arguments ("_codecs.encode", arguments, "less than 256 MiB of text in all", error);
  const guint8 *in = text->string.data;
  g_autofree guint8 *out = g_malloc (MAX (text->string.size, 1));
  gsize n_out = 0;
  for (gsize i = 0; i < text->string.size; i++)
    {
      /* UTF-8: 00–7F in one byte, 80–FF as C2 or C3 and one more. */
      if (in[i] < 0x80)
        out[n_out++] = in[i];
      else if ((in[i] == 0xc2 || in[i] == 0xc3) && i + 1 < text->string.size && (in[i + 1] & 0xc0) == 0x80)
        {
          out[n_out++] = (guint8)((in[i] & 3) << 6 | (in[i + 1] & 0x3f));
          i++;
        }
      else
        return fail_arguments ("_codecs.encode", arguments, "a str of Latin-1", error);
    }
  return pickle_value_new_string_take (self, g_steal_pointer (&out), n_out);
}

PickleValue *
pickle_reduce (Pickle *self, const PickleValue *callable, const PickleValue *arguments, GError **error)
{
  if (callable->kind != PICKLE_NAME || arguments->kind != PICKLE_TUPLE)
    return fail_arguments ("REDUCE", callable, "a known name and a tuple", error);
  switch (callable->name)
    {
    case PICKLE_NAME_SCALAR:
      return make_scalar (self, arguments, error);
    case PICKLE_NAME_RECONSTRUCT:
      return make_empty_array (self, arguments, error);
    case PICKLE_NAME_FROM_BUFFER:
      return make_from_buffer (self, arguments, error);
    case PICKLE_NAME_TYPE:
      return make_type (self, arguments, error);
    case PICKLE_NAME_ENCODE:
      return make_encoded (self, arguments, error);
    case PICKLE_NAME_ARRAY:
      break;
    }
  return fail_arguments ("REDUCE", callable, "a known name that may be called", error);
}

/* (version, byte order, …) */
static gboolean
build_type (PickleValue *value, const PickleValue *state, GError **error)
{
  const PickleValue *order = get_argument (state, 1, PICKLE_STRING);

  if (order == NULL || order->string.size != 1 || strchr ("<>=|", order->string.data[0]) == NULL)
    return fail_arguments ("the state of numpy.dtype", state, "a version and a byte order", error) != NULL;
  value->type.big_endian
      = order->string.data[0] == '>' || (order->string.data[0] == '=' && G_BYTE_ORDER == G_BIG_ENDIAN);
  return TRUE;
}

/* (version, shape, type, Fortran order, bytes) */
static gboolean
build_array (PickleValue *value, const PickleValue *state, GError **error)
{
  const PickleValue *shape = get_argument (state, 1, PICKLE_TUPLE);
  const PickleValue *type = get_argument (state, 2, PICKLE_TYPE);
  const PickleValue *data = get_argument (state, 4, PICKLE_STRING);

  if (shape == NULL || type == NULL || data == NULL)
    return fail_arguments ("the state of numpy.ndarray", state, "version, shape, type, order and bytes", error) != NULL;
  return set_array (value, type, shape, data, error);
}

gboolean
pickle_build (Pickle *self, PickleValue *value, const PickleValue *state, GError **error)
{
  if (state->kind == PICKLE_TUPLE && value->kind == PICKLE_TYPE)
    return build_type (value, state, error);
  if (state->kind == PICKLE_TUPLE && value->kind == PICKLE_ARRAY)
    return build_array (value, state, error);
  return fail_arguments ("BUILD", value, "numpy.dtype or numpy.ndarray and a tuple", error) != NULL;
}
