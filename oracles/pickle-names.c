/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The opcodes that name objects: a few names stand for data, any other is refused. */

#include "pickle-reader.h"

#include <cleave/cleave.h>

static gboolean
push_name (PickleReader *self, const guint8 *module, gsize module_size, const guint8 *name, gsize name_size,
           GError **error)
{
  g_autofree char *module_text = pickle_make_printable (module, module_size);
  g_autofree char *name_text = pickle_make_printable (name, name_size);
  PickleName known;

  if (!pickle_name_lookup (module_text, name_text, &known))
    return pickle_reader_fail (self, error, "refuses to load %s.%s: a table holds numbers, not code", module_text,
                               name_text);
  PickleValue *value = pickle_value_new (self->pickle, PICKLE_NAME);
  value->name = known;
  return pickle_reader_push (self, value, error);
}

gboolean
pickle_op_global (PickleReader *self, guint unused, GError **error)
{
  const guint8 *module, *name;
  gsize module_size, name_size;

  return pickle_reader_take_line (self, &module, &module_size, error)
         && pickle_reader_take_line (self, &name, &name_size, error)
         && push_name (self, module, module_size, name, name_size, error);
}

gboolean
pickle_op_stack_global (PickleReader *self, guint unused, GError **error)
{
  const PickleValue *name = pickle_reader_pop (self, error);
  const PickleValue *module = name != NULL ? pickle_reader_pop (self, error) : NULL;

  if (module == NULL)
    return FALSE;
  if (module->kind != PICKLE_STRING || name->kind != PICKLE_STRING)
    return pickle_reader_fail (self, error, "damaged: a name is no string");
  return push_name (self, module->string.data, module->string.size, name->string.data, name->string.size, error);
}

gboolean
pickle_op_reduce (PickleReader *self, guint unused, GError **error)
{
  const PickleValue *arguments = pickle_reader_pop (self, error);
  const PickleValue *callable = arguments != NULL ? pickle_reader_pop (self, error) : NULL;

  if (callable == NULL)
    return FALSE;
  g_autoptr (GError) failure = NULL;
  PickleValue *value = pickle_reduce (self->pickle, callable, arguments, &failure);
  if (value == NULL)
    return pickle_reader_fail (self, error, "%s", failure->message);
  return pickle_reader_push (self, value, error);
}

gboolean
pickle_op_build (PickleReader *self, guint unused, GError **error)
{
  const PickleValue *state = pickle_reader_pop (self, error);
  PickleValue *value = state != NULL ? pickle_reader_peek (self, error) : NULL;

  if (value == NULL)
    return FALSE;
  g_autoptr (GError) failure = NULL;
  if (!pickle_build (self->pickle, value, state, &failure))
    return pickle_reader_fail (self, error, "%s", failure->message);
  return TRUE;
}

/* An opcode that names an object by other means than a global. */
gboolean
pickle_op_refuse_line (PickleReader *self, guint lines, GError **error)
{
  const guint8 *first, *second = NULL;
  gsize first_size, second_size = 0;

  if (!pickle_reader_take_line (self, &first, &first_size, error)
      || (lines == 2 && !pickle_reader_take_line (self, &second, &second_size, error)))
    return FALSE;
  g_autofree char *first_text = pickle_make_printable (first, first_size);
  if (lines == 1)
    return pickle_reader_fail (self, error, "refuses the persistent object “%s”", first_text);
  g_autofree char *second_text = pickle_make_printable (second, second_size);
  return pickle_reader_fail (self, error, "refuses to make %s.%s: a table holds numbers, not code", first_text,
                             second_text);
}

gboolean
pickle_op_refuse_extension (PickleReader *self, guint size, GError **error)
{
  guint64 code;

  if (!pickle_reader_take_uint (self, size, &code, error))
    return FALSE;
  return pickle_reader_fail (self, error, "refuses to load the registered extension %" G_GUINT64_FORMAT, code);
}

gboolean
pickle_op_refuse (PickleReader *self, guint unused, GError **error)
{
  const char *what;

  switch (self->data[self->opcode_position])
    {
    case 'Q':
      what = "a persistent object (BINPERSID)";
      break;
    case 'o':
      what = "to make an object (OBJ)";
      break;
    case 0x81:
      what = "to make an object (NEWOBJ)";
      break;
    case 0x92:
      what = "to make an object (NEWOBJ_EX)";
      break;
    default:
      what = "a buffer that is not in the file (NEXT_BUFFER, READONLY_BUFFER)";
    }
  return pickle_reader_fail (self, error, "refuses %s: a table holds numbers, not code", what);
}
