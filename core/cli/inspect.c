/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave inspect: which plugins there are, and what each takes. */

#include "cli.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static const char *
type_name (CleaveParameterType type)
{
  static const char *const names[]
      = { "number", "whole number", "boolean", "text", "path", "choice", "numbers", "component" };

  return names[type];
}

/* --- aligned columns --- */

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

/* --- one plugin --- */

/* "number", "component: optimizer" */
static char *
describe_type (const CleaveParameter *parameter)
{
  if (parameter->type != CLEAVE_PARAMETER_TYPE_COMPONENT)
    return g_strdup (type_name (parameter->type));
  return g_strdup_printf ("%s: %s", type_name (parameter->type),
                          cleave_kind_to_string (cleave_kind_of_interface (parameter->interface)));
}

/* "1 to 64", "a, b", or "" where anything goes. */
static char *
describe_range (const CleaveParameter *parameter)
{
  g_autofree char *low = NULL;
  g_autofree char *high = NULL;

  switch (parameter->type)
    {
    case CLEAVE_PARAMETER_TYPE_DOUBLE:
    case CLEAVE_PARAMETER_TYPE_UINT:
    case CLEAVE_PARAMETER_TYPE_NUMBERS:
      low = cleave_quantity_format (parameter->minimum, "");
      high = cleave_quantity_format (parameter->maximum, "");
      return g_strdup_printf ("%s to %s", low, high);
    case CLEAVE_PARAMETER_TYPE_CHOICE:
      return g_strdup (parameter->choices);
    default:
      return g_strdup ("");
    }
}

static void
print_plugin (const CleavePluginDescription *plugin, GPtrArray *parameters)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);

  g_print ("%s: %s\n", plugin->name, plugin->description);
  g_print ("kind:    %s\n", cleave_kind_to_string (plugin->kind));
  g_print ("file:    %s\n", plugin->manifest);
  g_print ("version: %s\n\n", plugin->version);
  if (parameters->len == 0)
    {
      g_print ("It has no parameters.\n");
      return;
    }
  add_row (rows, "PARAMETER", "TYPE", "UNIT", "RANGE", "DEFAULT", "HELP", NULL);
  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      g_autofree char *type = describe_type (parameter);
      g_autofree char *range = describe_range (parameter);

      add_row (rows, parameter->name, type, parameter->unit, range, parameter->default_text, parameter->help, NULL);
    }
  print_rows (rows);
}

static void
add_string (JsonBuilder *builder, const char *key, const char *value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_string_value (builder, value);
}

/* JSON has no infinity: null stands for a bound that is none. */
static void
add_bound (JsonBuilder *builder, const char *key, double value)
{
  json_builder_set_member_name (builder, key);
  if (fabs (value) < G_MAXDOUBLE)
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_parameter (JsonBuilder *builder, const CleaveParameter *parameter)
{
  json_builder_begin_object (builder);
  add_string (builder, "name", parameter->name);
  add_string (builder, "type", type_name (parameter->type));
  add_string (builder, "unit", parameter->unit);
  if (parameter->type == CLEAVE_PARAMETER_TYPE_DOUBLE || parameter->type == CLEAVE_PARAMETER_TYPE_UINT
      || parameter->type == CLEAVE_PARAMETER_TYPE_NUMBERS)
    {
      add_bound (builder, "minimum", parameter->minimum);
      add_bound (builder, "maximum", parameter->maximum);
    }
  if (parameter->type == CLEAVE_PARAMETER_TYPE_CHOICE)
    {
      g_auto (GStrv) words = g_strsplit (parameter->choices, "|", -1);

      json_builder_set_member_name (builder, "choices");
      json_builder_begin_array (builder);
      for (gsize i = 0; words[i] != NULL; i++)
        json_builder_add_string_value (builder, words[i]);
      json_builder_end_array (builder);
    }
  if (parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT)
    add_string (builder, "kind", cleave_kind_to_string (cleave_kind_of_interface (parameter->interface)));
  add_string (builder, "default", parameter->default_text);
  add_string (builder, "help", parameter->help);
  json_builder_end_object (builder);
}

/* The members common to a plugin in the list and alone; PROBLEM is nullable. */
static void
add_plugin (JsonBuilder *builder, const CleavePluginDescription *plugin, const char *problem)
{
  add_string (builder, "name", plugin->name);
  if (plugin->problem == NULL)
    add_string (builder, "kind", cleave_kind_to_string (plugin->kind));
  add_string (builder, "version", plugin->version);
  add_string (builder, "description", plugin->description);
  add_string (builder, "file", plugin->manifest);
  if (problem != NULL)
    add_string (builder, "problem", problem);
}

static void
print_json (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);

  g_print ("%s\n", text);
}

static void
print_plugin_json (const CleavePluginDescription *plugin, GPtrArray *parameters)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_plugin (builder, plugin, NULL);
  json_builder_set_member_name (builder, "parameters");
  json_builder_begin_array (builder);
  for (guint i = 0; i < parameters->len; i++)
    add_parameter (builder, g_ptr_array_index (parameters, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  print_json (builder);
}

static gboolean
inspect_one (CleaveHost *host, const char *name, gboolean json, GError **error)
{
  const CleavePluginDescription *plugin = cleave_host_find (host, name);
  g_autoptr (GObject) component = NULL;
  g_autoptr (GPtrArray) parameters = NULL;

  if (plugin == NULL)
    {
      cli_set_unknown_plugin_error (host, name, error);
      return FALSE;
    }
  component = cleave_host_create (host, plugin->kind, name, error);
  if (component == NULL)
    return FALSE;
  parameters = cleave_parameter_list (component);
  if (json)
    print_plugin_json (plugin, parameters);
  else
    print_plugin (plugin, parameters);
  return TRUE;
}

/* --- all plugins --- */

/* Why a plugin can't be used, found by making its component; NULL if it can. */
static char *
find_problem (CleaveHost *host, const CleavePluginDescription *plugin)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) component = cleave_host_create (host, plugin->kind, plugin->name, &error);

  return component == NULL ? g_strdup (error->message) : NULL;
}

static GPtrArray *
list_all (CleaveHost *host)
{
  GPtrArray *plugins = cleave_host_list (host);
  g_autoptr (GPtrArray) broken = cleave_host_list_broken (host);

  for (guint i = 0; i < broken->len; i++)
    g_ptr_array_add (plugins, g_ptr_array_index (broken, i));
  return plugins;
}

static void
print_list (CleaveHost *host)
{
  g_autoptr (GPtrArray) plugins = list_all (host);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);

  add_row (rows, "NAME", "KIND", "VERSION", "DESCRIPTION", NULL);
  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = g_ptr_array_index (plugins, i);
      g_autofree char *problem = find_problem (host, plugin);
      g_autofree char *note = problem != NULL ? g_strdup_printf ("broken: %s", problem) : NULL;

      add_row (rows, plugin->name, plugin->problem == NULL ? cleave_kind_to_string (plugin->kind) : "-",
               *plugin->version != '\0' ? plugin->version : "-", note != NULL ? note : plugin->description, NULL);
    }
  print_rows (rows);
}

static void
print_list_json (CleaveHost *host)
{
  g_autoptr (GPtrArray) plugins = list_all (host);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = g_ptr_array_index (plugins, i);
      g_autofree char *problem = find_problem (host, plugin);

      json_builder_begin_object (builder);
      add_plugin (builder, plugin, problem);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  print_json (builder);
}

int
cli_inspect (int argc, char **argv)
{
  g_auto (CliShared) shared = { 0 };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments
      = cli_parse (argc, argv, "[PLUGIN]", "Lists all plugins that are found, or describes one and its parameters.",
                   NULL, CLI_OPTION_JSON, &shared, 0, 1, &error);
  g_autoptr (CleaveHost) host = NULL;

  if (arguments == NULL)
    return cli_fail (error);
  host = cli_make_host (&shared, &error);
  if (host == NULL)
    return cli_fail (error);
  if (arguments[0] == NULL && shared.json)
    print_list_json (host);
  else if (arguments[0] == NULL)
    print_list (host);
  else if (!inspect_one (host, arguments[0], shared.json, &error))
    return cli_fail (error);
  return CLI_DONE;
}
