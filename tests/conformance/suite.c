/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "suite.h"

#include <string.h>

const char *
suite_fixtures (void)
{
  static char *path;

  if (path == NULL)
    {
      g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
      g_autofree char *folder = g_path_get_dirname (self != NULL ? self : ".");

      path = g_build_filename (folder, "fixtures", "conformance", NULL);
    }
  return path;
}

static void
on_begin (gpointer data, const char *check, const char *detail)
{
}

static void
on_end (gpointer data, const char *check, CleaveVerdict verdict, const char *text)
{
  static const char *const words[] = { "ok", "FAIL", "skip" };

  g_string_append_printf (data, "%s %s%s%s\n", words[verdict], check, text != NULL ? ": " : "",
                          text != NULL ? text : "");
}

char *
suite_run (const CleaveSubject *subject)
{
  GString *report = g_string_new (NULL);
  const CleaveReporter reporter = { on_begin, on_end, report };

  cleave_conformance_run (subject, &reporter);
  return g_string_free (report, FALSE);
}

typedef struct
{
  CleaveHost *host;
  const CleavePluginDescription *plugin;
  const char *const *parameters;
} Maker;

static GObject *
make (gpointer data, GError **error)
{
  Maker *self = data;
  g_autoptr (GObject) component = cleave_host_create (self->host, self->plugin->kind, self->plugin->name, error);
  g_autoptr (GPtrArray) all = component != NULL ? cleave_parameter_list (component) : NULL;

  for (gsize i = 0; component != NULL && self->parameters != NULL && self->parameters[i] != NULL; i += 2)
    for (guint p = 0; p < all->len; p++)
      {
        const CleaveParameter *parameter = all->pdata[p];

        if (g_str_equal (parameter->name, self->parameters[i])
            && !cleave_parameter_set_text (component, parameter, self->parameters[i + 1], error))
          return NULL;
      }
  return g_steal_pointer (&component);
}

char *
suite_run_plugin (CleaveHost *host, const char *name, const char *const *parameters, const char *space_name)
{
  g_autoptr (GError) error = NULL;
  Maker maker = { host, cleave_host_find (host, name), parameters };
  g_autoptr (GObject) space = NULL;

  if (!EXPECT_TRUE (maker.plugin != NULL))
    return g_strdup ("");
  if (space_name != NULL)
    space = cleave_host_create (host, CLEAVE_KIND_SPACE, space_name, &error);
  EXPECT_NO_ERROR (error);
  const CleaveSubject subject = { maker.plugin->kind, maker.plugin, make, &maker, (CleaveSpace *)space };
  return suite_run (&subject);
}

void
suite_expect (const char *report, const char *line, const char *what)
{
  g_auto (GStrv) lines = g_strsplit (report, "\n", -1);
  g_auto (GStrv) parts = g_strsplit (line, "…", 2);
  gboolean is_whole = parts[1] == NULL;

  for (gsize i = 0; lines[i] != NULL; i++)
    if (is_whole ? g_str_equal (lines[i], line)
                 : g_str_has_prefix (lines[i], parts[0]) && strstr (lines[i], parts[1]) != NULL)
      return;
  test_check (FALSE, __FILE__, __LINE__, "%s: expected “%s” in\n%s", what, line, report);
}
