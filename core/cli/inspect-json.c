/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave inspect --json */

#include "inspect.h"

#include <json-glib/json-glib.h>
#include <math.h>

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
add_strings (JsonBuilder *builder, const char *key, const char *const *strings)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_array (builder);
  for (gsize i = 0; strings[i] != NULL; i++)
    json_builder_add_string_value (builder, strings[i]);
  json_builder_end_array (builder);
}

static void
add_parameter (JsonBuilder *builder, const CleaveParameter *parameter)
{
  g_autofree char *type = inspect_describe_type (parameter);

  json_builder_begin_object (builder);
  add_string (builder, "name", parameter->name);
  add_string (builder, "type", parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT ? "component" : type);
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

      add_strings (builder, "choices", (const char *const *)words);
    }
  if (parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT)
    add_string (builder, "kind", cleave_kind_to_string (cleave_kind_of_interface (parameter->interface)));
  add_string (builder, "default", parameter->default_text);
  add_string (builder, "help", parameter->help);
  json_builder_end_object (builder);
}

/* The members common to the list and to one alone. */
static void
add_head (JsonBuilder *builder, const Inspected *inspected)
{
  const CleavePluginDescription *plugin = inspected->plugin;

  add_string (builder, "name", inspected->name);
  if (plugin == NULL || plugin->problem == NULL)
    add_string (builder, "kind", inspected->kind);
  add_string (builder, "description", inspected->description);
  if (plugin != NULL)
    {
      add_string (builder, "version", plugin->version);
      add_string (builder, "file", plugin->manifest);
    }
  if (inspected->problem != NULL)
    add_string (builder, "problem", inspected->problem);
}

static void
add_plugin (JsonBuilder *builder, const CleavePluginDescription *plugin)
{
  add_string (builder, "loader", plugin->loader);
  if (plugin->authors != NULL)
    add_strings (builder, "authors", (const char *const *)plugin->authors);
  if (plugin->website != NULL)
    add_string (builder, "website", plugin->website);
}

static void
add_variables (JsonBuilder *builder, GVariant *variables)
{
  GVariantIter iter;
  const char *name;
  const char **categories;

  json_builder_set_member_name (builder, "variables");
  json_builder_begin_array (builder);
  g_variant_iter_init (&iter, variables);
  while (g_variant_iter_next (&iter, "(&s^a&s)", &name, &categories))
    {
      json_builder_begin_object (builder);
      add_string (builder, "name", name);
      add_strings (builder, "categories", categories);
      json_builder_end_object (builder);
      g_free (categories);
    }
  json_builder_end_array (builder);
}

static void
print (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  cli_print_json (line);
}

void
inspect_print_list_json (GPtrArray *list)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < list->len; i++)
    {
      json_builder_begin_object (builder);
      add_head (builder, g_ptr_array_index (list, i));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  print (builder);
}

void
inspect_print_one_json (const Inspected *inspected)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GVariant) variables = inspect_variables (inspected);
  g_autofree char *config = inspect_config (inspected);

  json_builder_begin_object (builder);
  add_head (builder, inspected);
  if (inspected->plugin != NULL)
    add_plugin (builder, inspected->plugin);
  if (variables != NULL)
    add_variables (builder, variables);
  json_builder_set_member_name (builder, "parameters");
  json_builder_begin_array (builder);
  for (guint i = 0; i < inspected->parameters->len; i++)
    add_parameter (builder, g_ptr_array_index (inspected->parameters, i));
  json_builder_end_array (builder);
  add_string (builder, "config", config);
  json_builder_end_object (builder);
  print (builder);
}
