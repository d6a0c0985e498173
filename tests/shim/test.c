/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"
#include "shim.h"
#include <math.h>
#include <string.h>

static GArray *cases; /* ShimCase */

/* The running test. Warnings may come from any thread, so the lock guards both lists. */
static struct
{
  const char *file;
  int line;
  GMutex lock;
  GPtrArray *expected_warnings;   /* char * */
  GPtrArray *unexpected_warnings; /* char * */
} current;

static char *golden_folder; /* as the environment gave it; NULL = not given */
static char *data_folder;

void
test_register (const char *suite, const char *name, const char *file, int line, TestBody body)
{
  ShimCase new_case = { suite, name, file, line, body };

  if (cases == NULL)
    cases = g_array_new (FALSE, FALSE, sizeof (ShimCase));
  g_array_append_val (cases, new_case);
}

const ShimCase *
shim_cases (unsigned *n_cases)
{
  *n_cases = cases != NULL ? cases->len : 0;
  return cases != NULL ? (const ShimCase *)(gpointer)cases->data : NULL;
}

static const char *
find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key) && fields[i].length < 0)
      return fields[i].value;
  return "";
}

static GLogWriterOutput
watch_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (!(level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL)))
    return g_log_writer_default (level, fields, n_fields, data);

  const char *message = find_field (fields, n_fields, "MESSAGE");
  gboolean expected = FALSE;
  g_mutex_lock (&current.lock);
  for (guint i = 0; i < current.expected_warnings->len && !expected; i++)
    if (strstr (message, g_ptr_array_index (current.expected_warnings, i)) != NULL)
      {
        g_ptr_array_remove_index (current.expected_warnings, i);
        expected = TRUE;
      }
  if (!expected)
    g_ptr_array_add (current.unexpected_warnings,
                     g_strdup_printf ("%s: %s", find_field (fields, n_fields, "GLIB_DOMAIN"), message));
  g_mutex_unlock (&current.lock);
  return G_LOG_WRITER_HANDLED;
}

void
shim_start (void)
{
  golden_folder = g_strdup (g_getenv ("CLEAVE_GOLDEN_DIR"));
  data_folder = g_strdup (g_getenv ("CLEAVE_DATA_DIR"));
  current.expected_warnings = g_ptr_array_new_with_free_func (g_free);
  current.unexpected_warnings = g_ptr_array_new_with_free_func (g_free);
  g_mutex_init (&current.lock);
  g_log_set_writer_func (watch_log, NULL, NULL);
}

/* No setting of the user's reaches a test, nor does one test's reach the next. CLEAVE_CPU stays: the suite is to be run
 * at every level. */
static void
reset_environment (void)
{
  g_auto (GStrv) names = g_listenv ();

  for (char **name = names; *name != NULL; name++)
    if (g_str_has_prefix (*name, "CLEAVE_") && !g_str_equal (*name, "CLEAVE_CPU"))
      g_unsetenv (*name);
  if (golden_folder != NULL)
    g_setenv ("CLEAVE_GOLDEN_DIR", golden_folder, TRUE);
  if (data_folder != NULL)
    g_setenv ("CLEAVE_DATA_DIR", data_folder, TRUE);
  /* No plugins that the user has installed, and messages in English. */
  g_setenv ("XDG_DATA_HOME", "/nonexistent", TRUE);
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
}

void
shim_case_begin (const char *file, int line)
{
  current.file = file;
  current.line = line;
  reset_environment ();
}

void
shim_case_end (void)
{
  g_mutex_lock (&current.lock);
  g_autoptr (GPtrArray) unexpected = g_steal_pointer (&current.unexpected_warnings);
  g_autoptr (GPtrArray) missing = g_steal_pointer (&current.expected_warnings);
  current.unexpected_warnings = g_ptr_array_new_with_free_func (g_free);
  current.expected_warnings = g_ptr_array_new_with_free_func (g_free);
  g_mutex_unlock (&current.lock);

  for (guint i = 0; i < unexpected->len; i++)
    test_check (FALSE, current.file, current.line, "unexpected warning: %s",
                (const char *)g_ptr_array_index (unexpected, i));
  for (guint i = 0; i < missing->len; i++)
    test_check (FALSE, current.file, current.line, "no warning contained: %s",
                (const char *)g_ptr_array_index (missing, i));
  shim_remove_folders ();
}

gboolean
test_check (gboolean holds, const char *file, int line, const char *format, ...)
{
  if (holds)
    return TRUE;

  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  shim_add_failure (file, line, message);
  return FALSE;
}

gboolean
test_check_int (gint64 actual, gint64 expected, const char *file, int line, const char *text)
{
  return test_check (actual == expected, file, line, "%s is %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT, text,
                     actual, expected);
}

gboolean
test_check_near (double actual, double expected, double tolerance, gboolean relative, const char *file, int line,
                 const char *text)
{
  double limit = relative ? tolerance * fabs (expected) : tolerance;
  double difference = fabs (actual - expected);

  /* The first comparison lets equal infinities pass; any NaN fails both. */
  return test_check (actual == expected || difference <= limit, file, line,
                     "%s is %.17g, expected %.17g: off by %.3g, allowed %.3g", text, actual, expected, difference,
                     limit);
}

gboolean
test_check_string (const char *actual, const char *expected, const char *file, int line, const char *text)
{
  return test_check (g_strcmp0 (actual, expected) == 0, file, line, "%s is \"%s\", expected \"%s\"", text,
                     actual != NULL ? actual : "(null)", expected != NULL ? expected : "(null)");
}

gboolean
test_check_no_error (GError **error, const char *file, int line)
{
  gboolean holds = *error == NULL;

  if (!holds)
    test_check (FALSE, file, line, "unexpected error: %s (%s, %d)", (*error)->message,
                g_quark_to_string ((*error)->domain), (*error)->code);
  g_clear_error (error);
  return holds;
}

gboolean
test_check_error (GError **error, int code, const char *text, const char *file, int line)
{
  g_autoptr (GError) given = g_steal_pointer (error);

  if (given == NULL)
    return test_check (FALSE, file, line, "no error, expected one with code %d about \"%s\"", code, text);
  return test_check (given->domain == CLEAVE_ERROR && given->code == code && strstr (given->message, text) != NULL,
                     file, line, "the error is \"%s\" (%s, %d), expected cleave-error code %d with the text \"%s\"",
                     given->message, g_quark_to_string (given->domain), given->code, code, text);
}

void
test_skip (const char *file, int line, const char *reason)
{
  shim_add_skip (file, line, reason);
}

void
test_expect_warning (const char *text)
{
  g_mutex_lock (&current.lock);
  g_ptr_array_add (current.expected_warnings, g_strdup (text));
  g_mutex_unlock (&current.lock);
}
