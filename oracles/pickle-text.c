/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "pickle-value.h"

#include <string.h>

/* The number that N hexadecimal digits give, or −1. */
static gint64
parse_hexadecimal (const guint8 *digits, gsize available, gsize n)
{
  gint64 number = 0;

  if (available < n)
    return -1;
  for (gsize i = 0; i < n; i++)
    {
      if (!g_ascii_isxdigit (digits[i]))
        return -1;
      number = number * 16 + g_ascii_xdigit_value (digits[i]);
    }
  return number;
}

static guint8 *
finish (GByteArray *text, gsize *size)
{
  *size = text->len;
  g_byte_array_append (text, (const guint8 *)"", 1); /* so that an empty string has a place too */
  return g_byte_array_free (text, FALSE);
}

guint8 *
pickle_unquote (const guint8 *line, gsize length, gsize *size)
{
  static const char plain[] = "\\'\"nrtabfv0", meaning[] = "\\'\"\n\r\t\a\b\f\v\0";

  if (length < 2 || (line[0] != '\'' && line[0] != '"') || line[length - 1] != line[0])
    return NULL;
  g_autoptr (GByteArray) text = g_byte_array_new ();
  const gsize end = length - 1;
  for (gsize i = 1; i < end; i++)
    {
      guint8 byte = line[i];
      if (byte == '\\')
        {
          if (++i == end)
            return NULL;
          const char *known = memchr (plain, line[i], sizeof plain - 1);
          const gint64 code = line[i] == 'x' ? parse_hexadecimal (line + i + 1, end - i - 1, 2) : -1;
          if (known != NULL)
            byte = (guint8)meaning[known - plain];
          else if (code >= 0)
            {
              byte = (guint8)code;
              i += 2;
            }
          else
            return NULL;
        }
      g_byte_array_append (text, &byte, 1);
    }
  return finish (g_steal_pointer (&text), size);
}

guint8 *
pickle_unescape (const guint8 *line, gsize length, gsize *size)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();

  for (gsize i = 0; i < length; i++)
    {
      gint64 code = line[i];
      if (code == '\\' && i + 1 < length && (line[i + 1] == 'u' || line[i + 1] == 'U'))
        {
          const gsize digits = line[i + 1] == 'u' ? 4 : 8;
          code = parse_hexadecimal (line + i + 2, length - i - 2, digits);
          if (code < 0 || code > 0x10ffff)
            return NULL;
          i += 1 + digits;
        }
      char utf8[6];
      g_byte_array_append (text, (guint8 *)utf8, g_unichar_to_utf8 ((gunichar)code, utf8));
    }
  return finish (g_steal_pointer (&text), size);
}
