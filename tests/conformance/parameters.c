/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What holds for the parameters of every plugin that is found. */
#include "cleave-host.h"
#include "test.h"

typedef void (*ParameterCheck) (GObject *component, const CleaveParameter *parameter);

static void
for_every_parameter (ParameterCheck check)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (GPtrArray) plugins = cleave_host_list (host);
  EXPECT_TRUE (plugins->len > 0);

  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = g_ptr_array_index (plugins, i);
      g_autoptr (GObject) component = cleave_host_create (host, plugin->kind, plugin->name, &error);
      REQUIRE_NO_ERROR (error);
      g_autoptr (GPtrArray) parameters = cleave_parameter_list (component);
      for (guint j = 0; j < parameters->len; j++)
        check (component, g_ptr_array_index (parameters, j));
    }
}

static gboolean
is_number (const CleaveParameter *parameter)
{
  return parameter->type == CLEAVE_PARAMETER_TYPE_DOUBLE || parameter->type == CLEAVE_PARAMETER_TYPE_UINT;
}

static double
get_number (GObject *component, const CleaveParameter *parameter)
{
  double number;
  guint whole;

  if (parameter->type == CLEAVE_PARAMETER_TYPE_DOUBLE)
    {
      g_object_get (component, parameter->name, &number, NULL);
      return number;
    }
  g_object_get (component, parameter->name, &whole, NULL);
  return whole;
}

static void
check_text_round_trip (GObject *component, const CleaveParameter *parameter)
{
  g_autoptr (GError) error = NULL;

  /* A file has no default, and nothing is no file. A component has no text. */
  if (parameter->type == CLEAVE_PARAMETER_TYPE_PATH || parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT)
    return;
  g_autofree char *before = cleave_parameter_get_text (component, parameter);
  cleave_parameter_set_text (component, parameter, before, &error);
  REQUIRE_NO_ERROR (error);
  g_autofree char *after = cleave_parameter_get_text (component, parameter);
  test_check_string (after, before, __FILE__, __LINE__, parameter->name);
}

TEST (ConformanceParameters, TextRoundTrip) { for_every_parameter (check_text_round_trip); }

static void
check_described (GObject *component, const CleaveParameter *parameter)
{
  test_check (parameter->help != NULL && parameter->help[0] != '\0' && !g_str_has_suffix (parameter->help, "."),
              __FILE__, __LINE__, "%s of %s: help should be a line without a full stop", parameter->name,
              G_OBJECT_TYPE_NAME (component));
  if (!is_number (parameter))
    return;
  double number = get_number (component, parameter);
  test_check (number >= parameter->minimum && number <= parameter->maximum, __FILE__, __LINE__,
              "%s of %s: the default %g lies outside %g to %g", parameter->name, G_OBJECT_TYPE_NAME (component), number,
              parameter->minimum, parameter->maximum);
}

TEST (ConformanceParameters, DescribedAndDefaultsWithinBounds) { for_every_parameter (check_described); }

static void
check_bounds (GObject *component, const CleaveParameter *parameter)
{
  const double bounds[] = { parameter->minimum, parameter->maximum };
  GError *error = NULL;

  if (!is_number (parameter))
    return;
  for (guint i = 0; i < 2; i++)
    {
      char text[G_ASCII_DTOSTR_BUF_SIZE];
      g_ascii_dtostr (text, sizeof text, bounds[i]);
      cleave_parameter_set_text (component, parameter, text, &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_RELATIVE (get_number (component, parameter), bounds[i], 0);
      g_autofree char *written = cleave_parameter_get_text (component, parameter);
      cleave_parameter_set_text (component, parameter, written, &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_RELATIVE (get_number (component, parameter), bounds[i], 0);
    }
  if (parameter->maximum > G_MAXDOUBLE / 4)
    return;
  char beyond[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_dtostr (beyond, sizeof beyond, parameter->maximum * 2 + 1);
  EXPECT_TRUE (!cleave_parameter_set_text (component, parameter, beyond, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, parameter->name);
  EXPECT_RELATIVE (get_number (component, parameter), bounds[1], 0);
}

TEST (ConformanceParameters, BoundsAreAcceptedAndNoMore) { for_every_parameter (check_bounds); }

static void
check_words (GObject *component, const CleaveParameter *parameter)
{
  GError *error = NULL;

  if (parameter->type != CLEAVE_PARAMETER_TYPE_CHOICE)
    return;
  g_auto (GStrv) words = g_strsplit (parameter->choices, "|", -1);
  for (char **word = words; *word != NULL; word++)
    {
      cleave_parameter_set_text (component, parameter, *word, &error);
      REQUIRE_NO_ERROR (error);
      g_autofree char *text = cleave_parameter_get_text (component, parameter);
      EXPECT_STRING (text, *word);
    }
  EXPECT_TRUE (!cleave_parameter_set_text (component, parameter, "no such word", &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "no such word");
}

TEST (ConformanceParameters, ChoicesAreAcceptedAndNoMore) { for_every_parameter (check_words); }
