/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The process that a plugin is checked in. */

#include "check-plugin.h"

#include <fcntl.h>
#include <stdio.h>

typedef struct
{
  int fd;
  CleaveHost *host;
  const CleavePluginDescription *plugin;
  const CheckPluginOptions *options;
  CleaveConfig *config;
  const char *section;
  gboolean is_loaded;
  GError *usage; /* nullable: the parameters given are wrong */
} Child;

/* What was warned of during the present check: something was called wrongly, or a plugin says that something is amiss.
 */
static char *first_warning;

static GLogWriterOutput
catch_warning (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (!(level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL)))
    return g_log_writer_default (level, fields, n_fields, data);
  for (gsize i = 0; first_warning == NULL && i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      first_warning = g_strdup_printf ("it warns: %s", (const char *)fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

/* --- what the parent is told --- */

/* What stands between fields and lines becomes a blank in a field. */
static G_GNUC_NULL_TERMINATED void
tell (Child *self, const char *word, ...)
{
  g_autoptr (GString) line = g_string_new (word);
  const char *field;
  va_list fields;

  va_start (fields, word);
  while ((field = va_arg (fields, const char *)) != NULL)
    {
      g_autofree char *text = g_strdelimit (g_strdup (field), "\t\r\n", ' ');

      g_string_append_printf (line, "\t%s", text);
    }
  va_end (fields);
  dprintf (self->fd, "%s\n", line->str);
}

static void
on_begin (gpointer data, const char *check, const char *detail)
{
  if (detail == NULL)
    g_clear_pointer (&first_warning, g_free);
  tell (data, "begin", check, detail != NULL ? detail : "", NULL);
}

static void
on_end (gpointer data, const char *check, CleaveVerdict verdict, const char *text)
{
  Child *self = data;
  gboolean has_warned = verdict != CLEAVE_VERDICT_FAILED && first_warning != NULL;
  g_autofree char *number = NULL;

  if (self->usage != NULL)
    return;
  if (has_warned)
    {
      verdict = CLEAVE_VERDICT_FAILED;
      text = first_warning;
    }
  number = g_strdup_printf ("%d", verdict);
  tell (self, "end", check, number, text != NULL ? text : "", NULL);
}

/* --- what is checked --- */

/* An oracle may stand for the device or for the server. */
static const char *
find_section (CleaveConfig *config, const CleavePluginDescription *plugin)
{
  g_autofree char *device = cleave_config_get (config, "device", "plugin");
  g_autofree char *server = cleave_config_get (config, "server", "plugin");

  if (plugin->kind != CLEAVE_KIND_ORACLE)
    return cleave_kind_to_string (plugin->kind);
  return g_strcmp0 (device, plugin->name) != 0 && g_strcmp0 (server, plugin->name) == 0 ? "server" : "device";
}

static gboolean
load_config (Child *self, GError **error)
{
  const CheckPluginOptions *options = self->options;
  g_autofree char *plugin = NULL;

  if (options->config != NULL)
    self->config = cleave_config_load (options->config, error);
  else
    self->config = cleave_config_load_from_text ("", NULL, error);
  if (self->config == NULL)
    return FALSE;
  self->section = find_section (self->config, self->plugin);
  plugin = g_strdup_printf ("%s.plugin=%s", self->section, self->plugin->name);
  if (!cleave_config_set (self->config, plugin, error))
    return FALSE;
  for (gsize i = 0; options->assignments != NULL && options->assignments[i] != NULL; i++)
    {
      g_autofree char *assignment = g_strdup_printf ("%s.%s", self->section, options->assignments[i]);

      if (!cleave_config_set (self->config, assignment, error))
        {
          g_clear_error (error);
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "--set %s: expected key=value",
                       options->assignments[i]);
          return FALSE;
        }
    }
  return TRUE;
}

/* What is wrong with the plugin itself is told better without the config. */
static gboolean
check_loads (Child *self, GError **error)
{
  g_autoptr (GObject) bare = NULL;

  if (!self->is_loaded)
    bare = cleave_host_create_bare (self->host, self->plugin->kind, self->plugin->name, error);
  self->is_loaded = self->is_loaded || bare != NULL;
  return self->is_loaded;
}

static GObject *
make_component (gpointer data, GError **error)
{
  Child *self = data;
  gboolean is_configured = self->options->config != NULL || self->options->assignments != NULL;
  g_autoptr (GError) problem = NULL;
  GObject *component;

  if (!check_loads (self, error))
    return NULL;
  component = cleave_config_create (self->config, self->section, self->host, self->plugin->kind, &problem);
  if (component != NULL)
    return component;
  if (is_configured && self->usage == NULL && g_error_matches (problem, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG))
    self->usage = g_error_copy (problem);
  g_propagate_error (error, g_steal_pointer (&problem));
  return NULL;
}

/* The space that an oracle is asked about: the one named, else the config's. */
static gboolean
make_space (Child *self, GObject **space, GError **error)
{
  g_autofree char *given = cleave_config_get (self->config, "space", "plugin");

  if (self->plugin->kind != CLEAVE_KIND_ORACLE)
    return TRUE;
  if (self->options->space == NULL && given != NULL)
    *space = cleave_config_create (self->config, "space", self->host, CLEAVE_KIND_SPACE, error);
  else
    *space = cleave_host_create (self->host, CLEAVE_KIND_SPACE,
                                 self->options->space != NULL ? self->options->space : "fbnet", error);
  return *space != NULL && cleave_space_set_dataset (CLEAVE_SPACE (*space), NULL, error);
}

void
check_plugin_report (CleaveHost *host, const CleavePluginDescription *plugin, const CheckPluginOptions *options)
{
  Child self = { .fd = options->report_fd, .host = host, .plugin = plugin, .options = options };
  const CleaveReporter reporter = { on_begin, on_end, &self };
  g_autoptr (GObject) space = NULL;

  fcntl (self.fd, F_SETFD, FD_CLOEXEC); /* what the plugin starts does not hold it */
  g_log_set_writer_func (catch_warning, NULL, NULL);
  if (load_config (&self, &self.usage) && make_space (&self, &space, &self.usage))
    {
      const CleaveSubject subject = { plugin->kind, plugin, make_component, &self, (CleaveSpace *)space };

      cleave_conformance_run (&subject, &reporter);
    }
  if (self.usage != NULL)
    tell (&self, "usage", self.usage->message, NULL);
  else
    tell (&self, "done", NULL);
  g_clear_error (&self.usage);
  g_clear_object (&self.config);
  g_clear_pointer (&first_warning, g_free);
}
