/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "markup.h"

void
markup_append (GString *page, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_markup_vprintf_escaped (format, arguments);
  va_end (arguments);
  g_string_append (page, text);
}
