/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "pickle-value.h"

#include <string.h>

PickleValue *
pickle_value_new (Pickle *self, PickleKind kind)
{
  PickleValue *value = g_new0 (PickleValue, 1);

  value->kind = kind;
  if (kind == PICKLE_LIST || kind == PICKLE_TUPLE || kind == PICKLE_DICT)
    value->items = g_ptr_array_new ();
  g_ptr_array_add (self->values, value);
  return value;
}

PickleValue *
pickle_value_new_number (Pickle *self, double number)
{
  PickleValue *value = pickle_value_new (self, PICKLE_NUMBER);

  value->number = number;
  return value;
}

PickleValue *
pickle_value_new_string (Pickle *self, const guint8 *data, gsize size)
{
  PickleValue *value = pickle_value_new (self, PICKLE_STRING);

  value->string.data = data;
  value->string.size = size;
  return value;
}

PickleValue *
pickle_value_new_string_take (Pickle *self, guint8 *data, gsize size)
{
  g_ptr_array_add (self->buffers, data);
  self->buffers_size += size;
  return pickle_value_new_string (self, data, size);
}

void
pickle_value_free (PickleValue *value)
{
  if (value->kind == PICKLE_LIST || value->kind == PICKLE_TUPLE || value->kind == PICKLE_DICT)
    g_ptr_array_unref (value->items);
  g_free (value);
}

void
pickle_free (Pickle *self)
{
  g_ptr_array_unref (self->values);
  g_ptr_array_unref (self->buffers);
  g_bytes_unref (self->bytes);
  g_free (self);
}

const PickleValue *
pickle_get_root (const Pickle *self)
{
  return self->root;
}

gboolean
pickle_value_string_equal (const PickleValue *value, const char *text)
{
  return value->kind == PICKLE_STRING && value->string.size == strlen (text)
         && memcmp (value->string.data, text, value->string.size) == 0;
}

char *
pickle_make_printable (const guint8 *data, gsize size)
{
  const gsize longest = 80;

  return g_utf8_make_valid ((const char *)data, MIN (size, longest));
}

gboolean
pickle_value_is_dict (const PickleValue *value)
{
  return value->kind == PICKLE_DICT;
}

gsize
pickle_value_get_length (const PickleValue *value)
{
  if (value->kind == PICKLE_DICT)
    return value->items->len / 2;
  return value->kind == PICKLE_LIST || value->kind == PICKLE_TUPLE ? value->items->len : 0;
}

const PickleValue *
pickle_value_get_item (const PickleValue *value, gsize index)
{
  g_return_val_if_fail (value->kind != PICKLE_DICT && index < pickle_value_get_length (value), NULL);

  return g_ptr_array_index (value->items, index);
}

void
pickle_value_get_pair (const PickleValue *value, gsize index, const PickleValue **key, const PickleValue **item)
{
  g_return_if_fail (value->kind == PICKLE_DICT && index < value->items->len / 2);

  *key = g_ptr_array_index (value->items, 2 * index);
  *item = g_ptr_array_index (value->items, 2 * index + 1);
}

const PickleValue *
pickle_value_find (const PickleValue *value, const char *key)
{
  if (value->kind != PICKLE_DICT)
    return NULL;
  for (gsize i = value->items->len / 2; i > 0; i--)
    if (pickle_value_string_equal (g_ptr_array_index (value->items, 2 * (i - 1)), key))
      return g_ptr_array_index (value->items, 2 * (i - 1) + 1);
  return NULL;
}

char *
pickle_value_dup_string (const PickleValue *value)
{
  if (value->kind != PICKLE_STRING || memchr (value->string.data, '\0', value->string.size) != NULL)
    return NULL;
  return g_strndup ((const char *)value->string.data, value->string.size);
}

gsize
pickle_value_get_n_numbers (const PickleValue *value)
{
  return value->kind == PICKLE_ARRAY ? value->array.n_numbers : 0;
}

static double
decode_float (guint64 bits, guint size)
{
  if (size == sizeof (double))
    {
      double number;
      memcpy (&number, &bits, sizeof number);
      return number;
    }
  const guint32 low = (guint32)bits;
  float number;
  memcpy (&number, &low, sizeof number);
  return number;
}

double
pickle_value_get_array_number (const PickleValue *value, gsize index)
{
  g_return_val_if_fail (index < pickle_value_get_n_numbers (value), 0);

  const PickleType *type = &value->array.type;
  const guint8 *data = value->array.data + index * type->size;
  guint64 bits = 0;
  for (guint i = 0; i < type->size; i++)
    bits = bits << 8 | data[type->big_endian ? i : type->size - 1 - i];
  if (type->kind == 'f')
    return decode_float (bits, type->size);
  if (type->kind == 'i')
    {
      const guint shift = 64 - 8 * type->size;
      return (double)((gint64)(bits << shift) >> shift);
    }
  return (double)bits;
}

gboolean
pickle_value_get_number (const PickleValue *value, double *number)
{
  if (value->kind == PICKLE_NUMBER)
    *number = value->number;
  else if (pickle_value_get_n_numbers (value) == 1)
    *number = pickle_value_get_array_number (value, 0);
  else
    return FALSE;
  return TRUE;
}

char *
pickle_value_describe (const PickleValue *value)
{
  switch (value->kind)
    {
    case PICKLE_NONE:
      return g_strdup ("None");
    case PICKLE_NUMBER:
      return g_strdup_printf ("the number %g", value->number);
    case PICKLE_STRING:
      {
        g_autofree char *text = pickle_make_printable (value->string.data, value->string.size);
        return g_strdup_printf ("the string “%s”", text);
      }
    case PICKLE_LIST:
      return g_strdup_printf ("a list of %u", value->items->len);
    case PICKLE_TUPLE:
      return g_strdup_printf ("a tuple of %u", value->items->len);
    case PICKLE_DICT:
      return g_strdup_printf ("a dict of %u", value->items->len / 2);
    case PICKLE_NAME:
      return g_strdup (pickle_name_to_string (value->name));
    case PICKLE_TYPE:
      return g_strdup_printf ("the type %c%u", value->type.kind, value->type.size);
    case PICKLE_ARRAY:
      return g_strdup_printf ("an array of %" G_GSIZE_FORMAT " numbers", value->array.n_numbers);
    }
  return g_strdup ("nothing");
}
