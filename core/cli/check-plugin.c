/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave check-plugin: whether a plugin keeps what its kind promises. */

#include "check-plugin.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* --- which plugin --- */

/* Whether the plugin's manifest is PATH, or lies in it or right below. */
static gboolean
is_at (const CleavePluginDescription *plugin, const char *path)
{
  g_autofree char *above = g_path_get_dirname (plugin->folder);

  return g_str_equal (plugin->manifest, path) || g_str_equal (plugin->folder, path) || g_str_equal (above, path);
}

static const CleavePluginDescription *
find_at (CleaveHost *host, const char *argument, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (argument, NULL);
  g_autoptr (GPtrArray) plugins = cleave_host_list (host);
  g_autoptr (GPtrArray) broken = cleave_host_list_broken (host);
  const CleavePluginDescription *found = NULL;

  g_ptr_array_extend (plugins, broken, NULL, NULL);
  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = plugins->pdata[i];

      if (!is_at (plugin, path))
        continue;
      if (found != NULL)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                       "%s: more than one plugin, %s and %s among them; expected one, or the path of its manifest",
                       argument, found->name, plugin->name);
          return NULL;
        }
      found = plugin;
    }
  if (found == NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: no plugin there, expected a manifest, NAME.plugin",
                 argument);
  return found;
}

/* The folder of a manifest or the folder itself comes first. */
static void
put_first (char ***folders, const char *argument)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *folder
      = g_str_has_suffix (argument, ".plugin") ? g_path_get_dirname (argument) : g_strdup (argument);

  g_strv_builder_add (builder, folder);
  if (*folders != NULL)
    g_strv_builder_addv (builder, (const char **)*folders);
  g_strfreev (*folders);
  *folders = g_strv_builder_end (builder);
}

static gboolean
is_path (const char *argument)
{
  return strchr (argument, '/') != NULL || g_str_has_suffix (argument, ".plugin") || g_str_equal (argument, ".")
         || g_str_equal (argument, "..");
}

/* A word is a plugin's name if there is one, else a folder. */
static const CleavePluginDescription *
find_plugin (CheckPluginOptions *options, const char *argument, CleaveHost **host, GError **error)
{
  if (!is_path (argument))
    {
      const CleavePluginDescription *plugin;

      *host = cli_make_host (&options->shared, error);
      if (*host == NULL)
        return NULL;
      plugin = cleave_host_find (*host, argument);
      if (plugin == NULL && !g_file_test (argument, G_FILE_TEST_IS_DIR))
        cli_set_unknown_plugin_error (*host, argument, error);
      if (plugin != NULL || !g_file_test (argument, G_FILE_TEST_IS_DIR))
        return plugin;
      g_clear_object (host);
    }
  put_first (&options->shared.plugin_paths, argument);
  *host = cli_make_host (&options->shared, error);
  return *host != NULL ? find_at (*host, argument, error) : NULL;
}

/* --- the report --- */

#define N_VERDICTS 3

typedef struct
{
  JsonBuilder *json; /* nullable: lines are printed instead */
  guint counts[N_VERDICTS];
  char *check;  /* nullable: the one that runs */
  char *detail; /* nullable: and with what */
  char *usage;  /* nullable: what is wrong with the command line */
  gboolean is_done;
} Report;

static void
report_clear (Report *self)
{
  g_clear_object (&self->json);
  g_free (self->check);
  g_free (self->detail);
  g_free (self->usage);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Report, report_clear)

static void
add_string (JsonBuilder *builder, const char *key, const char *value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_string_value (builder, value);
}

static void
begin_report (Report *self, const CleavePluginDescription *plugin)
{
  const char *kind = plugin->problem == NULL ? cleave_kind_to_string (plugin->kind) : NULL;

  if (self->json == NULL)
    {
      g_print ("%s%s%s%s: %s\n", plugin->name, kind != NULL ? " (" : "", kind != NULL ? kind : "",
               kind != NULL ? ")" : "", plugin->manifest);
      return;
    }
  json_builder_begin_object (self->json);
  add_string (self->json, "name", plugin->name);
  if (kind != NULL)
    add_string (self->json, "kind", kind);
  add_string (self->json, "file", plugin->manifest);
  json_builder_set_member_name (self->json, "checks");
  json_builder_begin_array (self->json);
}

static void
add_check (Report *self, const char *check, CleaveVerdict verdict, const char *text)
{
  static const char *const words[N_VERDICTS] = { "ok", "FAIL", "skip" };
  static const char *const verdicts[N_VERDICTS] = { "passed", "failed", "skipped" };

  self->counts[verdict]++;
  if (self->json == NULL)
    {
      g_print ("%-4s  %s%s%s\n", words[verdict], check, *text != '\0' ? ": " : "", text);
      return;
    }
  json_builder_begin_object (self->json);
  add_string (self->json, "check", check);
  add_string (self->json, "verdict", verdicts[verdict]);
  if (*text != '\0')
    add_string (self->json, "text", text);
  json_builder_end_object (self->json);
}

static void
end_report (Report *self)
{
  static const char *const keys[N_VERDICTS] = { "passed", "failed", "skipped" };

  if (self->json == NULL)
    {
      g_print ("%u passed, %u failed, %u skipped%s\n", self->counts[CLEAVE_VERDICT_PASSED],
               self->counts[CLEAVE_VERDICT_FAILED], self->counts[CLEAVE_VERDICT_SKIPPED],
               self->is_done ? "" : "; the checks after this were not run");
      return;
    }
  json_builder_end_array (self->json);
  for (guint i = 0; i < N_VERDICTS; i++)
    {
      json_builder_set_member_name (self->json, keys[i]);
      json_builder_add_int_value (self->json, self->counts[i]);
    }
  json_builder_set_member_name (self->json, "complete");
  json_builder_add_boolean_value (self->json, self->is_done);
  json_builder_end_object (self->json);
  g_autoptr (JsonNode) root = json_builder_get_root (self->json);
  g_autofree char *text = json_to_string (root, TRUE);
  cli_print_json (text);
  cli_print_json ("\n");
}

/* Lines of another form come from the plugin itself, which may write where it likes. */
static void
on_line (gpointer data, char **fields)
{
  Report *self = data;
  guint n_fields = g_strv_length (fields);

  if (n_fields == 3 && g_str_equal (fields[0], "begin"))
    {
      g_free (self->check);
      g_free (self->detail);
      self->check = g_strdup (fields[1]);
      self->detail = *fields[2] != '\0' ? g_strdup (fields[2]) : NULL;
    }
  else if (n_fields == 4 && g_str_equal (fields[0], "end") && strlen (fields[2]) == 1 && *fields[2] >= '0'
           && *fields[2] < '0' + N_VERDICTS)
    add_check (self, fields[1], *fields[2] - '0', fields[3]);
  else if (n_fields == 2 && g_str_equal (fields[0], "usage"))
    {
      g_free (self->usage);
      self->usage = g_strdup (fields[1]);
    }
  else if (n_fields == 1 && g_str_equal (fields[0], "done"))
    self->is_done = TRUE;
}

/* A process that ended before its checks did, or badly after them. */
static void
add_end (Report *self, const char *end)
{
  const char *how = end != NULL ? end : "ended the process with status 0";
  g_autofree char *text
      = self->detail != NULL && !self->is_done ? g_strdup_printf ("%s, at %s", how, self->detail) : g_strdup (how);

  add_check (self,
             self->is_done         ? "end of the process"
             : self->check != NULL ? self->check
                                   : "start",
             CLEAVE_VERDICT_FAILED, text);
}

/* --- the command --- */

static int
check_plugin (char **arguments, const CleavePluginDescription *plugin, const CheckPluginOptions *options)
{
  g_auto (Report) report = { .json = options->shared.json ? json_builder_new () : NULL };
  g_autofree char *end = NULL;
  g_autoptr (GError) error = NULL;

  begin_report (&report, plugin);
  if (!check_plugin_watch (arguments, options, on_line, &report, &end, &error))
    return cli_fail (error);
  if (report.usage != NULL)
    {
      g_printerr ("cleave: %s\n", report.usage);
      return CLI_USAGE;
    }
  if (end != NULL || !report.is_done)
    add_end (&report, end);
  end_report (&report);
  return report.counts[CLEAVE_VERDICT_FAILED] > 0 ? CLI_FAILED : CLI_DONE;
}

static gboolean
check_limits (const CheckPluginOptions *options, GError **error)
{
  if (options->time_limit > 0 && options->memory_limit > 0 && isfinite (options->time_limit)
      && isfinite (options->memory_limit))
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "--timeout %g, --memory %g: expected numbers above 0",
               options->time_limit, options->memory_limit);
  return FALSE;
}

static void
options_clear (CheckPluginOptions *options)
{
  cli_shared_clear (&options->shared);
  g_strfreev (options->assignments);
  g_free (options->config);
  g_free (options->space);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CheckPluginOptions, options_clear)

int
cli_check_plugin (int argc, char **argv)
{
  g_auto (CheckPluginOptions) options = { .time_limit = 60, .memory_limit = 4, .report_fd = -1 };
  const GOptionEntry own[] = {
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.assignments, "Set a parameter of the plugin; may be repeated",
      "KEY=VALUE" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options.config, "Take the parameters from this config's section",
      "CONFIG" },
    { "space", 0, 0, G_OPTION_ARG_STRING, &options.space,
      "Ask an oracle about networks of this space (default: the config's, else fbnet)", "PLUGIN" },
    { "timeout", 0, 0, G_OPTION_ARG_DOUBLE, &options.time_limit,
      "Seconds that a check, or each of the cases that it goes through, may take (default: 60)", "S" },
    { "memory", 0, 0, G_OPTION_ARG_DOUBLE, &options.memory_limit, "Memory that the checks may take (default: 4)",
      "GIB" },
    { "report-fd", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &options.report_fd, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (CleaveHost) host = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments
      = cli_parse (argc, argv, "PLUGIN",
                   "Checks that a plugin keeps what its kind promises. PLUGIN is its name, its manifest, or the folder "
                   "of that.\nThe plugin is loaded in a process of its own.",
                   own, CLI_OPTION_JSON, &options.shared, 1, 1, &error);
  const CleavePluginDescription *plugin;

  if (arguments == NULL || !check_limits (&options, &error))
    return cli_fail (error);
  plugin = find_plugin (&options, arguments[0], &host, &error);
  if (plugin == NULL)
    return cli_fail (error);
  if (options.report_fd < 0)
    return check_plugin (argv, plugin, &options);
  check_plugin_report (host, plugin, &options);
  return CLI_DONE;
}
