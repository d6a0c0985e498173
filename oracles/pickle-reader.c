/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "pickle-reader.h"

#include <cleave/cleave.h>

#include <string.h>

gboolean
pickle_reader_fail (PickleReader *self, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s (pickle, byte %" G_GSIZE_FORMAT ")", what,
               self->opcode_position);
  return FALSE;
}

/* --- reading --- */

const guint8 *
pickle_reader_take_bytes (PickleReader *self, guint64 size, GError **error)
{
  if (size > self->size - self->position)
    {
      pickle_reader_fail (self, error, "truncated: %" G_GUINT64_FORMAT " bytes are missing after byte %" G_GSIZE_FORMAT,
                          size - (self->size - self->position), self->size);
      return NULL;
    }
  const guint8 *bytes = self->data + self->position;
  self->position += size;
  return bytes;
}

gboolean
pickle_reader_take_uint (PickleReader *self, guint size, guint64 *number, GError **error)
{
  const guint8 *bytes = pickle_reader_take_bytes (self, size, error);

  if (bytes == NULL)
    return FALSE;
  *number = 0;
  for (guint i = 0; i < size; i++)
    *number |= (guint64)bytes[i] << (8 * i);
  return TRUE;
}

gboolean
pickle_reader_take_line (PickleReader *self, const guint8 **line, gsize *length, GError **error)
{
  const guint8 *start = self->data + self->position;
  const guint8 *end = memchr (start, '\n', self->size - self->position);

  if (end == NULL)
    return pickle_reader_fail (self, error, "truncated: a line has no end before byte %" G_GSIZE_FORMAT, self->size);
  *line = start;
  *length = end - start;
  self->position += *length + 1;
  return TRUE;
}

/* --- stack --- */

static gsize
stack_floor (PickleReader *self)
{
  return self->marks->len > 0 ? g_array_index (self->marks, gsize, self->marks->len - 1) : 0;
}

gboolean
pickle_reader_push (PickleReader *self, PickleValue *value, GError **error)
{
  if (self->stack->len >= PICKLE_MAX_VALUES || self->pickle->values->len > PICKLE_MAX_VALUES)
    return pickle_reader_fail (self, error, "it holds more than %d values", PICKLE_MAX_VALUES);
  g_ptr_array_add (self->stack, value);
  return TRUE;
}

PickleValue *
pickle_reader_pop (PickleReader *self, GError **error)
{
  if (self->stack->len <= stack_floor (self))
    {
      pickle_reader_fail (self, error, "damaged: an opcode finds no value on the stack");
      return NULL;
    }
  return g_ptr_array_steal_index (self->stack, self->stack->len - 1);
}

PickleValue *
pickle_reader_peek (PickleReader *self, GError **error)
{
  if (self->stack->len <= stack_floor (self))
    {
      pickle_reader_fail (self, error, "damaged: an opcode finds no value on the stack");
      return NULL;
    }
  return g_ptr_array_index (self->stack, self->stack->len - 1);
}

gboolean
pickle_reader_pop_to_mark (PickleReader *self, GPtrArray *items, GError **error)
{
  if (self->marks->len == 0)
    return pickle_reader_fail (self, error, "damaged: an opcode finds no mark on the stack");
  const gsize floor = stack_floor (self);
  for (gsize i = floor; items != NULL && i < self->stack->len; i++)
    g_ptr_array_add (items, g_ptr_array_index (self->stack, i));
  g_ptr_array_set_size (self->stack, floor);
  g_array_set_size (self->marks, self->marks->len - 1);
  return TRUE;
}
