/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave inspect --markdown: the catalogue of plugins and settings. No path is in it, so that it is the same wherever
 * it is made. */

#include "inspect.h"

#include <stdio.h>
#include <string.h>

static const struct
{
  const char *kind;
  const char *title;
  const char *note;
} chapters[] = {
  { "space", "Search spaces", "For `[space]`." },
  { "oracle", "Latency oracles", "For `[device]` and `[server]`." },
  { "channel", "Channels", "For `[channel]`." },
  { "optimizer", "Optimizers", "For `[optimizer]`." },
  { "dataset", "Data sets", "For `[dataset]`." },
  { "settings", "Settings", "The core's own sections of a config. None need be there." },
};

/* Text that a cell of a table shows as it is. */
static void
append_cell (GString *text, const char *cell)
{
  g_string_append (text, "| ");
  for (const char *c = cell; *c != '\0'; c++)
    {
      if (strchr ("|\\`*_<[", *c) != NULL)
        g_string_append_c (text, '\\');
      g_string_append_c (text, *c);
    }
  g_string_append_c (text, ' ');
}

/* "a, b" of "a|b" */
static char *
describe_range (const CleaveParameter *parameter)
{
  g_autofree char *range = inspect_describe_range (parameter);
  g_auto (GStrv) words = g_strsplit (range, "|", -1);

  return g_strjoinv (", ", words);
}

static void
append_parameters (GString *text, GPtrArray *parameters)
{
  g_string_append (text, "\n| key | type | unit | range | default | what |\n|---|---|---|---|---|---|\n");
  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      g_autofree char *type = inspect_describe_type (parameter);
      g_autofree char *range = describe_range (parameter);

      g_string_append_printf (text, "| `%s` ", parameter->name);
      append_cell (text, type);
      append_cell (text, parameter->unit);
      append_cell (text, range);
      append_cell (text, parameter->default_text);
      append_cell (text, parameter->help);
      g_string_append (text, "|\n");
    }
}

static void
append_one (GString *text, const Inspected *inspected)
{
  g_autofree char *variables = inspect_describe_variables (inspected);

  g_string_append_printf (text, "### %s\n\n%s.\n", inspected->name, inspected->description);
  if (variables != NULL)
    g_string_append_printf (text, "\nVariables: %s.\n", variables);
  if (inspected->parameters->len > 0)
    append_parameters (text, inspected->parameters);
  else
    g_string_append (text, "\nIt has no parameters.\n");
}

static void
append_chapter (GString *text, gsize chapter, GPtrArray *list)
{
  g_string_append_printf (text, "\n## %s\n\n%s\n", chapters[chapter].title, chapters[chapter].note);
  for (guint i = 0; i < list->len; i++)
    {
      const Inspected *inspected = g_ptr_array_index (list, i);

      if (!g_str_equal (inspected->kind, chapters[chapter].kind) || inspected->problem != NULL)
        continue;
      g_string_append_c (text, '\n');
      append_one (text, inspected);
    }
}

void
inspect_print_catalogue (GPtrArray *list)
{
  g_autoptr (GString) text
      = g_string_new ("# Plugins and settings\n\n"
                      "What a config may hold, as `cleave inspect --markdown` tells it. A range is "
                      "in the unit beside it; a config may write numbers in others, such as "
                      "`8 Mbit/s`.\n");

  for (gsize i = 0; i < G_N_ELEMENTS (chapters); i++)
    append_chapter (text, i, list);
  for (guint i = 0; i < list->len; i++)
    {
      const Inspected *inspected = g_ptr_array_index (list, i);

      if (inspected->problem != NULL)
        g_printerr ("cleave: warning: %s is left out: %s\n", inspected->name, inspected->problem);
    }
  fputs (text->str, stdout); /* UTF-8 whatever the locale */
}

void
inspect_print_one_markdown (const Inspected *inspected)
{
  g_autoptr (GString) text = g_string_new (NULL);

  append_one (text, inspected);
  fputs (text->str, stdout);
}
