/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The stack machine of Python's pickle (pickletools documents its opcodes), with the data opcodes only. */

#include "pickle-reader.h"

#include <cleave/cleave.h>

#include <string.h>

#define MAX_PROTOCOL 5

/* --- values --- */

static gboolean
push_number (PickleReader *self, double number, GError **error)
{
  return pickle_reader_push (self, pickle_value_new_number (self->pickle, number), error);
}

static gboolean
read_unsigned (PickleReader *self, guint size, GError **error)
{
  guint64 number;

  if (!pickle_reader_take_uint (self, size, &number, error))
    return FALSE;
  return push_number (self, (double)number, error);
}

static gboolean
read_signed (PickleReader *self, guint size, GError **error)
{
  guint64 number;

  if (!pickle_reader_take_uint (self, size, &number, error))
    return FALSE;
  return push_number (self, (double)(gint32)number, error);
}

/* A two's complement number of any length. */
static gboolean
read_long (PickleReader *self, guint size_bytes, GError **error)
{
  guint64 size;
  const guint8 *bytes;

  if (!pickle_reader_take_uint (self, size_bytes, &size, error)
      || (bytes = pickle_reader_take_bytes (self, size, error)) == NULL)
    return FALSE;
  const gboolean negative = size > 0 && bytes[size - 1] >= 0x80;
  double number = 0;
  for (gsize i = size; i > 0; i--)
    number = number * 256 + (negative ? (guint8)~bytes[i - 1] : bytes[i - 1]);
  return push_number (self, negative ? -number - 1 : number, error);
}

static gboolean
read_double (PickleReader *self, guint unused, GError **error)
{
  guint64 bits;

  if (!pickle_reader_take_uint (self, 8, &bits, error))
    return FALSE;
  bits = GUINT64_SWAP_LE_BE (bits);
  double number;
  memcpy (&number, &bits, sizeof number);
  return push_number (self, number, error);
}

/* Protocol 0: a number as a line, an int's as I or L with a closing “L”, booleans as “I00” and “I01”. */
static gboolean
read_number_line (PickleReader *self, guint is_long, GError **error)
{
  const guint8 *line;
  gsize length;

  if (!pickle_reader_take_line (self, &line, &length, error))
    return FALSE;
  if (is_long && length > 0 && line[length - 1] == 'L')
    length--;
  g_autofree char *text = g_strndup ((const char *)line, length);
  char *end;
  const double number = g_ascii_strtod (text, &end);
  if (length == 0 || end != text + length)
    {
      g_autofree char *printable = pickle_make_printable (line, length);
      return pickle_reader_fail (self, error, "damaged: “%s” is no number", printable);
    }
  return push_number (self, number, error);
}

static gboolean
read_string (PickleReader *self, guint size_bytes, GError **error)
{
  guint64 size;
  const guint8 *bytes;

  if (!pickle_reader_take_uint (self, size_bytes, &size, error)
      || (bytes = pickle_reader_take_bytes (self, size, error)) == NULL)
    return FALSE;
  return pickle_reader_push (self, pickle_value_new_string (self->pickle, bytes, size), error);
}

/* Protocol 0's strings as lines: STRING is Python 2's repr in quotes, UNICODE is raw-unicode-escape. */
static gboolean
read_string_line (PickleReader *self, guint quoted, GError **error)
{
  const guint8 *line;
  gsize length;

  if (!pickle_reader_take_line (self, &line, &length, error))
    return FALSE;
  gsize size;
  guint8 *text = quoted ? pickle_unquote (line, length, &size) : pickle_unescape (line, length, &size);
  if (text == NULL)
    {
      g_autofree char *printable = pickle_make_printable (line, length);
      return pickle_reader_fail (self, error, "damaged: “%s” is no string", printable);
    }
  return pickle_reader_push (self, pickle_value_new_string_take (self->pickle, text, size), error);
}

static gboolean
make_items (PickleReader *self, guint kind, GError **error)
{
  PickleValue *value = pickle_value_new (self->pickle, kind);

  if (!pickle_reader_pop_to_mark (self, value->items, error))
    return FALSE;
  if (kind == PICKLE_DICT && value->items->len % 2 != 0)
    return pickle_reader_fail (self, error, "damaged: a dict's key has no value");
  return pickle_reader_push (self, value, error);
}

static gboolean
make_tuple (PickleReader *self, guint length, GError **error)
{
  PickleValue *value = pickle_value_new (self->pickle, PICKLE_TUPLE);

  g_ptr_array_set_size (value->items, length);
  for (guint i = length; i > 0; i--)
    if ((value->items->pdata[i - 1] = pickle_reader_pop (self, error)) == NULL)
      return FALSE;
  return pickle_reader_push (self, value, error);
}

/* Puts N values from the stack, or all above the mark (N = 0), into the list or dict below them. */
static gboolean
add_to (PickleReader *self, PickleKind kind, guint n, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new ();

  g_ptr_array_set_size (items, n);
  for (guint i = n; i > 0; i--)
    if ((items->pdata[i - 1] = pickle_reader_pop (self, error)) == NULL)
      return FALSE;
  if (n == 0 && !pickle_reader_pop_to_mark (self, items, error))
    return FALSE;
  PickleValue *target = pickle_reader_peek (self, error);
  if (target == NULL)
    return FALSE;
  if (target->kind != kind || (kind == PICKLE_DICT && items->len % 2 != 0))
    {
      g_autofree char *what = pickle_value_describe (target);
      return pickle_reader_fail (self, error, "damaged: %u values can't be added to %s", items->len, what);
    }
  g_ptr_array_extend (target->items, items, NULL, NULL);
  return TRUE;
}

static gboolean
add_item (PickleReader *self, guint kind, GError **error)
{
  return add_to (self, kind, kind == PICKLE_DICT ? 2 : 1, error);
}

static gboolean
add_items (PickleReader *self, guint kind, GError **error)
{
  return add_to (self, kind, 0, error);
}

static gboolean
memo_put (PickleReader *self, guint64 number, GError **error)
{
  PickleValue *value = pickle_reader_peek (self, error);

  if (value == NULL)
    return FALSE;
  g_hash_table_insert (self->memo, (gpointer)(gsize)number, value);
  return TRUE;
}

/* The number of a memo's entry in SIZE bytes, or as a line (SIZE = 0). */
static gboolean
take_memo_number (PickleReader *self, guint size, guint64 *number, GError **error)
{
  if (size > 0)
    return pickle_reader_take_uint (self, size, number, error);
  const guint8 *line;
  gsize length;
  if (!pickle_reader_take_line (self, &line, &length, error))
    return FALSE;
  g_autofree char *text = g_strndup ((const char *)line, length);
  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, number, NULL))
    return pickle_reader_fail (self, error, "damaged: a memo's number is no number");
  return TRUE;
}

static gboolean
put (PickleReader *self, guint size, GError **error)
{
  guint64 number;

  return take_memo_number (self, size, &number, error) && memo_put (self, number, error);
}

static gboolean
memoize (PickleReader *self, guint unused, GError **error)
{
  return memo_put (self, g_hash_table_size (self->memo), error);
}

static gboolean
get (PickleReader *self, guint size, GError **error)
{
  guint64 number;

  if (!take_memo_number (self, size, &number, error))
    return FALSE;
  PickleValue *value = g_hash_table_lookup (self->memo, (gpointer)(gsize)number);
  if (value == NULL)
    return pickle_reader_fail (self, error, "damaged: the memo has no entry %" G_GUINT64_FORMAT, number);
  return pickle_reader_push (self, value, error);
}

/* --- the machine --- */

static gboolean
check_protocol (PickleReader *self, guint unused, GError **error)
{
  guint64 protocol;

  if (!pickle_reader_take_uint (self, 1, &protocol, error))
    return FALSE;
  if (protocol > MAX_PROTOCOL)
    return pickle_reader_fail (self, error, "protocol %" G_GUINT64_FORMAT " is not known, expected 0–%d", protocol,
                               MAX_PROTOCOL);
  return TRUE;
}

/* Frames only help reading ahead; but one that ends behind the file's end shows early that something is missing. */
static gboolean
check_frame (PickleReader *self, guint unused, GError **error)
{
  guint64 size;

  if (!pickle_reader_take_uint (self, 8, &size, error))
    return FALSE;
  if (size > self->size - self->position)
    return pickle_reader_fail (self, error,
                               "truncated: a frame of %" G_GUINT64_FORMAT " bytes goes on after byte %" G_GSIZE_FORMAT,
                               size, self->size);
  return TRUE;
}

static gboolean
set_mark (PickleReader *self, guint unused, GError **error)
{
  const gsize height = self->stack->len;

  if (self->marks->len >= PICKLE_MAX_VALUES)
    return pickle_reader_fail (self, error, "it holds more than %d marks", PICKLE_MAX_VALUES);
  g_array_append_val (self->marks, height);
  return TRUE;
}

/* POP takes a mark away where it is what lies on top. */
static gboolean
drop (PickleReader *self, guint unused, GError **error)
{
  if (self->marks->len > 0 && g_array_index (self->marks, gsize, self->marks->len - 1) == self->stack->len)
    return pickle_reader_pop_to_mark (self, NULL, error);
  return pickle_reader_pop (self, error) != NULL;
}

static gboolean
drop_to_mark (PickleReader *self, guint unused, GError **error)
{
  return pickle_reader_pop_to_mark (self, NULL, error);
}

static gboolean
duplicate (PickleReader *self, guint unused, GError **error)
{
  PickleValue *value = pickle_reader_peek (self, error);

  return value != NULL && pickle_reader_push (self, value, error);
}

static gboolean
push_none (PickleReader *self, guint unused, GError **error)
{
  return pickle_reader_push (self, pickle_value_new (self->pickle, PICKLE_NONE), error);
}

static gboolean
push_constant (PickleReader *self, guint number, GError **error)
{
  return push_number (self, number, error);
}

static gboolean
push_empty (PickleReader *self, guint kind, GError **error)
{
  return pickle_reader_push (self, pickle_value_new (self->pickle, kind), error);
}

static gboolean
stop (PickleReader *self, guint unused, GError **error)
{
  self->pickle->root = pickle_reader_pop (self, error);
  return self->pickle->root != NULL;
}

/* By the opcode's byte: what it does, and with what argument. Sets are lists. */
static const struct
{
  gboolean (*run) (PickleReader *self, guint argument, GError **error);
  guint argument;
} opcodes[256] = {
  [0x80] = { check_protocol, 0 },
  [0x95] = { check_frame, 0 },
  ['.'] = { stop, 0 },
  ['('] = { set_mark, 0 },
  ['0'] = { drop, 0 },
  ['1'] = { drop_to_mark, 0 },
  ['2'] = { duplicate, 0 },
  ['N'] = { push_none, 0 },
  [0x88] = { push_constant, 1 },
  [0x89] = { push_constant, 0 },
  ['I'] = { read_number_line, FALSE },
  ['L'] = { read_number_line, TRUE },
  ['F'] = { read_number_line, FALSE },
  ['J'] = { read_signed, 4 },
  ['K'] = { read_unsigned, 1 },
  ['M'] = { read_unsigned, 2 },
  [0x8a] = { read_long, 1 },
  [0x8b] = { read_long, 4 },
  ['G'] = { read_double, 0 },
  ['S'] = { read_string_line, TRUE },
  ['V'] = { read_string_line, FALSE },
  ['U'] = { read_string, 1 }, /* Python 2's str, short and long */
  ['T'] = { read_string, 4 },
  ['C'] = { read_string, 1 }, /* bytes */
  ['B'] = { read_string, 4 },
  [0x8e] = { read_string, 8 },
  [0x8c] = { read_string, 1 }, /* str */
  ['X'] = { read_string, 4 },
  [0x8d] = { read_string, 8 },
  [0x96] = { read_string, 8 }, /* bytearray */
  ['}'] = { push_empty, PICKLE_DICT },
  [']'] = { push_empty, PICKLE_LIST },
  [')'] = { push_empty, PICKLE_TUPLE },
  [0x8f] = { push_empty, PICKLE_LIST },
  ['d'] = { make_items, PICKLE_DICT },
  ['l'] = { make_items, PICKLE_LIST },
  ['t'] = { make_items, PICKLE_TUPLE },
  [0x91] = { make_items, PICKLE_LIST },
  [0x85] = { make_tuple, 1 },
  [0x86] = { make_tuple, 2 },
  [0x87] = { make_tuple, 3 },
  ['a'] = { add_item, PICKLE_LIST },
  ['e'] = { add_items, PICKLE_LIST },
  [0x90] = { add_items, PICKLE_LIST },
  ['s'] = { add_item, PICKLE_DICT },
  ['u'] = { add_items, PICKLE_DICT },
  ['p'] = { put, 0 },
  ['q'] = { put, 1 },
  ['r'] = { put, 4 },
  [0x94] = { memoize, 0 },
  ['g'] = { get, 0 },
  ['h'] = { get, 1 },
  ['j'] = { get, 4 },
  ['c'] = { pickle_op_global, 0 },
  [0x93] = { pickle_op_stack_global, 0 },
  ['R'] = { pickle_op_reduce, 0 },
  ['b'] = { pickle_op_build, 0 },
  ['P'] = { pickle_op_refuse_line, 1 },
  ['i'] = { pickle_op_refuse_line, 2 },
  [0x82] = { pickle_op_refuse_extension, 1 },
  [0x83] = { pickle_op_refuse_extension, 2 },
  [0x84] = { pickle_op_refuse_extension, 4 },
  ['Q'] = { pickle_op_refuse, 0 },
  ['o'] = { pickle_op_refuse, 0 },
  [0x81] = { pickle_op_refuse, 0 },
  [0x92] = { pickle_op_refuse, 0 },
  [0x97] = { pickle_op_refuse, 0 },
  [0x98] = { pickle_op_refuse, 0 },
};

static gboolean
run (PickleReader *self, GError **error)
{
  while (self->pickle->root == NULL)
    {
      self->opcode_position = self->position;
      if (self->position == self->size)
        return pickle_reader_fail (self, error, "truncated: it ends without STOP");
      const guint8 opcode = self->data[self->position++];
      if (opcodes[opcode].run == NULL)
        return pickle_reader_fail (self, error, "damaged: 0x%02x is no opcode", opcode);
      if (!opcodes[opcode].run (self, opcodes[opcode].argument, error))
        return FALSE;
    }
  return TRUE;
}

Pickle *
pickle_read (GBytes *bytes, GError **error)
{
  g_autoptr (Pickle) pickle = g_new0 (Pickle, 1);
  pickle->bytes = g_bytes_ref (bytes);
  pickle->values = g_ptr_array_new_with_free_func ((GDestroyNotify)pickle_value_free);
  pickle->buffers = g_ptr_array_new_with_free_func (g_free);

  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autoptr (GHashTable) memo = g_hash_table_new (NULL, NULL);
  PickleReader reader = { .pickle = pickle, .stack = stack, .marks = marks, .memo = memo };
  reader.data = g_bytes_get_data (bytes, &reader.size);
  return run (&reader, error) ? g_steal_pointer (&pickle) : NULL;
}
