/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs the checks one after the other. */

#include "conformance-private.h"

#include <string.h>

static const ConformanceKind *const kinds[CLEAVE_N_KINDS] = {
  [CLEAVE_KIND_SPACE] = &conformance_space,     [CLEAVE_KIND_ORACLE] = &conformance_oracle,
  [CLEAVE_KIND_CHANNEL] = &conformance_channel, [CLEAVE_KIND_OPTIMIZER] = &conformance_optimizer,
  [CLEAVE_KIND_DATASET] = &conformance_dataset,
};

/* --- what the checks use --- */

const ConformanceKind *
conformance_get_kind (Conformance *self)
{
  return kinds[self->subject->kind];
}

GObject *
conformance_make (Conformance *self, GError **error)
{
  return self->subject->make (self->subject->data, error);
}

gboolean
conformance_fail (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  cleave_error_set_literal (error, CLEAVE_ERROR_PLUGIN, text);
  return FALSE;
}

gboolean
conformance_skip (Conformance *self, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_free (self->text);
  self->text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->is_skipped = TRUE;
  return TRUE;
}

void
conformance_note (Conformance *self, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_free (self->text);
  self->text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

void
conformance_go_on (Conformance *self, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->reporter->begin (self->reporter->data, self->name, detail);
}

gboolean
conformance_is_clean (const GError *error)
{
  return !g_error_matches (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN)
         && !g_error_matches (error, CLEAVE_ERROR, CLEAVE_ERROR_NUMERIC);
}

/* --- the checks that come before all others --- */

static gboolean
check_manifest (Conformance *self, GError **error)
{
  const CleavePluginDescription *plugin = self->subject->plugin;

  if (plugin->problem != NULL)
    return conformance_fail (error, "%s", plugin->problem);
  if (*plugin->version == '\0')
    return conformance_fail (error, "[Plugin] Version: missing, expected the plugin's own version");
  return TRUE;
}

static gboolean
check_component (Conformance *self, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);
  g_autoptr (GObject) another = component != NULL ? conformance_make (self, error) : NULL;

  if (another == NULL)
    return FALSE;
  if (component == another)
    return conformance_fail (error, "the same object was made twice");
  return TRUE;
}

/* Whether something is missing that only the user knows: a file, or a name in it. */
static gboolean
lacks_text (GObject *component)
{
  g_autoptr (GPtrArray) parameters = cleave_parameter_list (component);

  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      gboolean is_path = parameter->type == CLEAVE_PARAMETER_TYPE_PATH;

      if (!is_path && parameter->type != CLEAVE_PARAMETER_TYPE_STRING)
        continue;
      g_autofree char *text = cleave_parameter_get_text (component, parameter);
      if (*text == '\0' || (is_path && !g_file_test (text, G_FILE_TEST_EXISTS)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
check_use (Conformance *self, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);
  g_autoptr (GError) problem = NULL;

  if (component == NULL)
    return FALSE;
  if (conformance_get_kind (self)->use (self, component, &problem))
    return TRUE;
  if (conformance_is_clean (problem) && lacks_text (component))
    return conformance_skip (self, "%s", problem->message);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static const ConformanceCheck manifest_check = { "manifest", check_manifest, TRUE };
static const ConformanceCheck component_check = { "component", check_component, TRUE };
static const ConformanceCheck use_check = { "use", check_use, TRUE };

/* --- the run --- */

/* One line, whatever a plugin has put into its messages. */
static char *
make_line (const char *text)
{
  char *line = g_utf8_make_valid (text, -1);

  g_strdelimit (line, "\r\n\t", ' ');
  return g_strstrip (line);
}

static CleaveVerdict
run_check (const CleaveSubject *subject, const CleaveReporter *reporter, const ConformanceCheck *check)
{
  Conformance self = { .subject = subject, .reporter = reporter, .name = check->name };
  g_autoptr (GError) error = NULL;
  CleaveVerdict verdict;

  reporter->begin (reporter->data, check->name, NULL);
  if (!check->run (&self, &error))
    verdict = CLEAVE_VERDICT_FAILED;
  else
    verdict = self.is_skipped ? CLEAVE_VERDICT_SKIPPED : CLEAVE_VERDICT_PASSED;
  g_autofree char *note = self.text;
  const char *text = verdict == CLEAVE_VERDICT_FAILED ? error->message : note;
  g_autofree char *line = text != NULL ? make_line (text) : NULL;
  reporter->end (reporter->data, check->name, verdict, line);
  return verdict;
}

static void
run_list (const CleaveSubject *subject, const CleaveReporter *reporter, const ConformanceCheck *checks,
          gboolean is_usable)
{
  for (; checks->name != NULL; checks++)
    if (is_usable || checks->is_without_use)
      run_check (subject, reporter, checks);
    else
      {
        reporter->begin (reporter->data, checks->name, NULL);
        reporter->end (reporter->data, checks->name, CLEAVE_VERDICT_SKIPPED, "it can't be used, as told above");
      }
}

void
cleave_conformance_run (const CleaveSubject *subject, const CleaveReporter *reporter)
{
  gboolean is_usable;

  g_return_if_fail (subject != NULL && reporter != NULL);

  if (subject->plugin != NULL && run_check (subject, reporter, &manifest_check) == CLEAVE_VERDICT_FAILED)
    return;
  if (run_check (subject, reporter, &component_check) == CLEAVE_VERDICT_FAILED)
    return;
  is_usable = run_check (subject, reporter, &use_check) == CLEAVE_VERDICT_PASSED;
  run_list (subject, reporter, conformance_parameter_checks, is_usable);
  run_list (subject, reporter, kinds[subject->kind]->checks, is_usable);
  run_list (subject, reporter, conformance_lifecycle_checks, is_usable);
}
