/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* More than any machine has cores; each thread costs memory. */
#define MAX_THREADS 1024

static GOptionContext *
make_context (const char *usage, const char *summary, const GOptionEntry *own, CliOptions options, CliShared *shared)
{
  GOptionContext *context = g_option_context_new (usage);
  const GOptionEntry always[] = {
    { "plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &shared->plugin_paths, "Search this folder for plugins first",
      "DIR" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &shared->threads, "Use so many threads (default: all cores)", "N" },
    G_OPTION_ENTRY_NULL,
  };
  const GOptionEntry set[] = {
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &shared->assignments, "Override a key of the config; may be repeated",
      "SECTION.KEY=VALUE" },
    G_OPTION_ENTRY_NULL,
  };
  const GOptionEntry json[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &shared->json, "Print JSON", NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_set_summary (context, summary);
  if (own != NULL)
    g_option_context_add_main_entries (context, own, NULL);
  if (options & CLI_OPTION_SET)
    g_option_context_add_main_entries (context, set, NULL);
  if (options & CLI_OPTION_JSON)
    g_option_context_add_main_entries (context, json, NULL);
  g_option_context_add_main_entries (context, always, NULL);
  return context;
}

/* What is left of the arguments, without the command's name and a "--". */
static GStrv
take_positional (GStrv arguments)
{
  GPtrArray *positional = g_ptr_array_new ();
  gboolean ended = FALSE;

  for (gsize i = 1; arguments[0] != NULL && arguments[i] != NULL; i++)
    if (!ended && g_str_equal (arguments[i], "--"))
      ended = TRUE;
    else
      g_ptr_array_add (positional, g_strdup (arguments[i]));
  g_ptr_array_add (positional, NULL);
  return (GStrv)g_ptr_array_free (positional, FALSE);
}

GStrv
cli_parse (int argc, char **argv, const char *usage, const char *summary, const GOptionEntry *own, CliOptions options,
           CliShared *shared, int minimum, int maximum, GError **error)
{
  g_autoptr (GOptionContext) context = make_context (usage, summary, own, options, shared);
  g_auto (GStrv) arguments = g_new0 (char *, argc + 1);
  g_auto (GStrv) positional = NULL;
  g_autoptr (GError) problem = NULL;
  g_autofree char *program = g_strdup_printf ("cleave %s", argv[0]);
  int n_positional;

  for (int i = 0; i < argc; i++)
    arguments[i] = g_strdup (argv[i]);
  /* GOption takes the name in usage and help from here. */
  g_set_prgname (program);
  if (!g_option_context_parse_strv (context, &arguments, &problem))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: %s; see cleave %s --help", argv[0], problem->message,
                   argv[0]);
      return NULL;
    }
  positional = take_positional (arguments);
  n_positional = (int)g_strv_length (positional);
  if (n_positional < minimum || n_positional > maximum)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "usage: cleave %s [OPTION…]%s%s; see cleave %s --help",
                   argv[0], usage != NULL ? " " : "", usage != NULL ? usage : "", argv[0]);
      return NULL;
    }
  if (shared->threads < 0 || shared->threads > MAX_THREADS)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "--threads %d: expected a number from 1 to %d",
                   shared->threads, MAX_THREADS);
      return NULL;
    }
  return g_steal_pointer (&positional);
}

void
cli_shared_clear (CliShared *shared)
{
  g_clear_pointer (&shared->plugin_paths, g_strfreev);
  g_clear_pointer (&shared->assignments, g_strfreev);
}

CleaveConfig *
cli_load_config (const char *name, const CliShared *shared, GError **error)
{
  g_autoptr (CleaveConfig) config = cleave_config_load (name, error);

  if (config == NULL)
    return NULL;
  for (gsize i = 0; shared->assignments != NULL && shared->assignments[i] != NULL; i++)
    if (!cleave_config_set (config, shared->assignments[i], error))
      return NULL;
  return g_steal_pointer (&config);
}

char *
cli_config_name (const char *name)
{
  char *base = g_path_get_basename (name);

  if (g_str_has_suffix (base, ".ini"))
    base[strlen (base) - strlen (".ini")] = '\0';
  return base;
}

CleaveHost *
cli_make_host (const CliShared *shared, GError **error)
{
  return cleave_host_new ((const char *const *)shared->plugin_paths, error);
}

void
cli_set_unknown_plugin_error (CleaveHost *host, const char *name, GError **error)
{
  g_autoptr (GPtrArray) plugins = cleave_host_list (host);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *suggestion;

  for (guint i = 0; i < plugins->len; i++)
    g_ptr_array_add (names, ((CleavePluginDescription *)g_ptr_array_index (plugins, i))->name);
  g_ptr_array_add (names, NULL);
  suggestion = cleave_suggest (name, (const char *const *)names->pdata);
  if (suggestion != NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "no such plugin as %s; did you mean %s?", name, suggestion);
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "no such plugin as %s; cleave inspect lists all", name);
}

void
cli_print_json (const char *text)
{
  fputs (text, stdout);
}

gboolean
cli_is_signal_ignored (int number)
{
  struct sigaction action;

  return sigaction (number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int
cli_fail (const GError *error)
{
  g_printerr ("cleave: %s\n", error->message);
  if (g_error_matches (error, CLEAVE_ERROR, CLEAVE_ERROR_CANCELLED))
    return CLI_INTERRUPTED;
  /* What is wrong with the command line, the config or what it names; the rest failed at work. */
  if (g_error_matches (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG)
      || g_error_matches (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN))
    return CLI_USAGE;
  return CLI_FAILED;
}
