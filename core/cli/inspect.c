/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave inspect: which plugins and settings there are, and what each takes. */

#include "inspect.h"
#include "settings.h"

static void
inspected_free (gpointer data)
{
  Inspected *self = data;

  g_free (self->problem);
  g_clear_object (&self->object);
  g_clear_pointer (&self->parameters, g_ptr_array_unref);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Inspected, inspected_free)

/* --- finding --- */

/* A plugin whose component can't be made has a problem. */
static Inspected *
inspect_plugin (CleaveHost *host, const CleavePluginDescription *plugin)
{
  g_autoptr (GError) error = NULL;
  Inspected *self = g_new0 (Inspected, 1);

  self->name = plugin->name;
  self->kind = plugin->problem == NULL ? cleave_kind_to_string (plugin->kind) : "-";
  self->description = plugin->description;
  self->plugin = plugin;
  self->object = cleave_host_create (host, plugin->kind, plugin->name, &error);
  if (self->object != NULL)
    self->parameters = cleave_parameter_list (self->object);
  else
    self->problem = g_strdup (error->message);
  return self;
}

static Inspected *
inspect_section (const CleaveSettingsSection *section)
{
  Inspected *self = g_new0 (Inspected, 1);

  self->name = section->name;
  self->kind = "settings";
  self->description = section->description;
  self->object = g_object_new (section->get_type (), NULL);
  self->parameters = cleave_parameter_list (self->object);
  return self;
}

/* Plugins by kind, those with a wrong manifest, sections. */
static GPtrArray *
inspect_all (CleaveHost *host)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (inspected_free);
  g_autoptr (GPtrArray) plugins = cleave_host_list (host);
  g_autoptr (GPtrArray) broken = cleave_host_list_broken (host);
  gsize n_sections;
  const CleaveSettingsSection *sections = cleave_settings_list_sections (&n_sections);

  for (guint i = 0; i < plugins->len; i++)
    g_ptr_array_add (list, inspect_plugin (host, g_ptr_array_index (plugins, i)));
  for (guint i = 0; i < broken->len; i++)
    g_ptr_array_add (list, inspect_plugin (host, g_ptr_array_index (broken, i)));
  for (gsize i = 0; i < n_sections; i++)
    g_ptr_array_add (list, inspect_section (&sections[i]));
  return list;
}

static void
set_unknown_error (CleaveHost *host, const char *name, GError **error)
{
  g_autoptr (GPtrArray) plugins = cleave_host_list (host);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  gsize n_sections;
  const CleaveSettingsSection *sections = cleave_settings_list_sections (&n_sections);
  const char *suggestion;

  for (guint i = 0; i < plugins->len; i++)
    g_ptr_array_add (names, ((CleavePluginDescription *)g_ptr_array_index (plugins, i))->name);
  for (gsize i = 0; i < n_sections; i++)
    g_ptr_array_add (names, (gpointer)sections[i].name);
  g_ptr_array_add (names, NULL);
  suggestion = cleave_suggest (name, (const char *const *)names->pdata);
  if (suggestion != NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "no such plugin or section as %s; did you mean %s?", name,
                 suggestion);
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "no such plugin or section as %s; cleave inspect lists all",
                 name);
}

/* A plugin hides a section of its name. */
static Inspected *
inspect_one (CleaveHost *host, const char *name, GError **error)
{
  const CleavePluginDescription *plugin = cleave_host_find (host, name);
  g_autoptr (Inspected) self = plugin != NULL ? inspect_plugin (host, plugin) : NULL;
  gsize n_sections;
  const CleaveSettingsSection *sections = cleave_settings_list_sections (&n_sections);

  for (gsize i = 0; self == NULL && i < n_sections; i++)
    if (g_str_equal (sections[i].name, name))
      self = inspect_section (&sections[i]);
  if (self == NULL)
    set_unknown_error (host, name, error);
  else if (self->problem != NULL)
    cleave_error_set_literal (error, CLEAVE_ERROR_PLUGIN, self->problem);
  return self != NULL && self->problem == NULL ? g_steal_pointer (&self) : NULL;
}

/* --- describing --- */

char *
inspect_describe_type (const CleaveParameter *parameter)
{
  static const char *const names[]
      = { "number", "whole number", "boolean", "text", "path", "choice", "numbers", "component" };

  if (parameter->type != CLEAVE_PARAMETER_TYPE_COMPONENT)
    return g_strdup (names[parameter->type]);
  return g_strdup_printf ("%s: %s", names[parameter->type],
                          cleave_kind_to_string (cleave_kind_of_interface (parameter->interface)));
}

char *
inspect_describe_range (const CleaveParameter *parameter)
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

GVariant *
inspect_variables (const Inspected *inspected)
{
  return CLEAVE_IS_SPACE (inspected->object) ? cleave_space_variables (CLEAVE_SPACE (inspected->object), NULL) : NULL;
}

static gsize
count_categories (GVariant *variables, gsize index)
{
  g_autoptr (GVariant) categories = NULL;

  g_variant_get_child (variables, index, "(s@as)", NULL, &categories);
  return g_variant_n_children (categories);
}

char *
inspect_describe_variables (const Inspected *inspected)
{
  g_autoptr (GVariant) variables = inspect_variables (inspected);
  gsize n_variables = variables != NULL ? g_variant_n_children (variables) : 0;
  GString *text = g_string_new (NULL);

  /* Neighbours with as many categories are told together. */
  for (gsize i = 0, end; i + 1 < n_variables; i = end)
    {
      gsize n_categories = count_categories (variables, i);

      for (end = i + 1; end + 1 < n_variables && count_categories (variables, end) == n_categories;)
        end++;
      g_string_append_printf (text, "%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " categories, ", end - i, n_categories);
    }
  if (n_variables > 0)
    g_string_append_printf (text, "%" G_GSIZE_FORMAT " split points", count_categories (variables, n_variables - 1));
  return g_string_free (text, n_variables == 0);
}

char *
inspect_config (const Inspected *inspected)
{
  gboolean is_oracle = CLEAVE_IS_ORACLE (inspected->object);
  GString *text = g_string_new (NULL);

  if (inspected->plugin == NULL)
    cleave_config_append_resolved (text, inspected->name, NULL, inspected->object);
  else
    cleave_config_append_resolved (text, is_oracle ? "device" : inspected->kind, inspected->name, inspected->object);
  return g_string_free (text, FALSE);
}

/* --- the command --- */

static gboolean
inspect (CleaveHost *host, const char *name, gboolean json, gboolean markdown, GError **error)
{
  g_autoptr (Inspected) one = NULL;
  g_autoptr (GPtrArray) list = NULL;

  if (name == NULL)
    {
      list = inspect_all (host);
      (json ? inspect_print_list_json : markdown ? inspect_print_catalogue : inspect_print_list) (list);
      return TRUE;
    }
  one = inspect_one (host, name, error);
  if (one == NULL)
    return FALSE;
  (json ? inspect_print_one_json : markdown ? inspect_print_one_markdown : inspect_print_one) (one);
  return TRUE;
}

int
cli_inspect (int argc, char **argv)
{
  gboolean markdown = FALSE;
  const GOptionEntry own[] = {
    { "markdown", 0, 0, G_OPTION_ARG_NONE, &markdown, "Print Markdown: the catalogue of all, or of one", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (CliShared) shared = { 0 };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = cli_parse (argc, argv, "[NAME]",
                                        "Lists all plugins that are found and the core's own sections of a config, or "
                                        "describes one and its parameters.",
                                        own, CLI_OPTION_JSON, &shared, 0, 1, &error);
  g_autoptr (CleaveHost) host = NULL;

  if (arguments == NULL)
    return cli_fail (error);
  if (shared.json && markdown)
    {
      g_printerr ("cleave: --json and --markdown: expected one of them\n");
      return CLI_USAGE;
    }
  host = cli_make_host (&shared, &error);
  if (host == NULL || !inspect (host, arguments[0], shared.json, markdown, &error))
    return cli_fail (error);
  return CLI_DONE;
}
