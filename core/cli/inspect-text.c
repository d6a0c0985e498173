/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave inspect for a terminal. */

#include "inspect.h"

static void
add_row (GPtrArray *rows, const char *first, ...)
{
  GPtrArray *cells = g_ptr_array_new ();
  va_list list;

  va_start (list, first);
  for (const char *cell = first; cell != NULL; cell = va_arg (list, const char *))
    g_ptr_array_add (cells, g_strdup (cell));
  va_end (list);
  g_ptr_array_add (cells, NULL);
  g_ptr_array_add (rows, g_ptr_array_free (cells, FALSE));
}

/* All rows have the same number of cells. */
static void
print_rows (GPtrArray *rows)
{
  gsize n_cells = rows->len > 0 ? g_strv_length (g_ptr_array_index (rows, 0)) : 0;
  g_autofree glong *widths = g_new0 (glong, n_cells + 1);

  for (guint row = 0; row < rows->len; row++)
    for (gsize i = 0; i < n_cells; i++)
      widths[i] = MAX (widths[i], g_utf8_strlen (((char **)g_ptr_array_index (rows, row))[i], -1));
  for (guint row = 0; row < rows->len; row++)
    {
      char **cells = g_ptr_array_index (rows, row);

      for (gsize i = 0; i < n_cells; i++)
        g_print ("%s%*s", cells[i], i + 1 == n_cells ? 0 : (int)(widths[i] - g_utf8_strlen (cells[i], -1) + 2), "");
      g_print ("\n");
    }
}

void
inspect_print_list (GPtrArray *list)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);

  add_row (rows, "NAME", "KIND", "VERSION", "DESCRIPTION", NULL);
  for (guint i = 0; i < list->len; i++)
    {
      const Inspected *inspected = g_ptr_array_index (list, i);
      const char *version = inspected->plugin != NULL ? inspected->plugin->version : "";
      g_autofree char *note = inspected->problem != NULL ? g_strdup_printf ("broken: %s", inspected->problem) : NULL;

      add_row (rows, inspected->name, inspected->kind, *version != '\0' ? version : "-",
               note != NULL ? note : inspected->description, NULL);
    }
  print_rows (rows);
}

static void
add_fact (GPtrArray *rows, const char *name, const char *value)
{
  if (value != NULL && *value != '\0')
    add_row (rows, name, value, NULL);
}

static void
print_facts (const Inspected *inspected)
{
  const CleavePluginDescription *plugin = inspected->plugin;
  g_autofree char *variables = inspect_describe_variables (inspected);
  g_autofree char *authors = plugin != NULL && plugin->authors != NULL ? g_strjoinv (", ", plugin->authors) : NULL;
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);

  add_fact (rows, "kind:", inspected->kind);
  if (plugin != NULL)
    {
      add_fact (rows, "file:", plugin->manifest);
      add_fact (rows, "loader:", plugin->loader);
      add_fact (rows, "version:", plugin->version);
      add_fact (rows, "authors:", authors);
      add_fact (rows, "website:", plugin->website);
    }
  add_fact (rows, "variables:", variables);
  print_rows (rows);
}

static void
print_parameters (GPtrArray *parameters)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);

  add_row (rows, "PARAMETER", "TYPE", "UNIT", "RANGE", "DEFAULT", "HELP", NULL);
  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      g_autofree char *type = inspect_describe_type (parameter);
      g_autofree char *range = inspect_describe_range (parameter);

      add_row (rows, parameter->name, type, parameter->unit, range, parameter->default_text, parameter->help, NULL);
    }
  print_rows (rows);
}

void
inspect_print_one (const Inspected *inspected)
{
  g_autofree char *config = inspect_config (inspected);

  g_print ("%s: %s\n", inspected->name, inspected->description);
  print_facts (inspected);
  if (inspected->parameters->len == 0)
    g_print ("\nIt has no parameters.\n");
  else
    {
      g_print ("\n");
      print_parameters (inspected->parameters);
    }
  g_print ("\nIn a config, with the defaults%s:\n\n%s",
           CLEAVE_IS_ORACLE (inspected->object) ? " ([server] takes the same)" : "", config);
}
