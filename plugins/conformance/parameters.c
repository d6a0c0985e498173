/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds for the parameters of every component. */

#include "conformance-private.h"

typedef gboolean (*ParameterCheck) (Conformance *self, GObject *component, const CleaveParameter *parameter,
                                    GError **error);

/* Each parameter on a component of its own. */
static gboolean
check_each (Conformance *self, ParameterCheck check, GError **error)
{
  g_autoptr (GObject) sample = conformance_make (self, error);
  g_autoptr (GPtrArray) parameters = sample != NULL ? cleave_parameter_list (sample) : NULL;

  for (guint i = 0; parameters != NULL && i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);
      g_autoptr (GObject) component = conformance_make (self, error);

      if (component == NULL || !check (self, component, parameter, error))
        return FALSE;
    }
  return sample != NULL;
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

/* --- declared --- */

static gboolean
check_declaration (Conformance *self, GObject *component, const CleaveParameter *parameter, GError **error)
{
  if (parameter->help == NULL || *parameter->help == '\0')
    return conformance_fail (error, "%s has no help, expected a line that cleave inspect shows", parameter->name);
  if (g_str_has_suffix (parameter->help, "."))
    return conformance_fail (error, "the help of %s ends in a full stop, expected a line without", parameter->name);
  if (is_number (parameter))
    {
      double number = get_number (component, parameter);

      if (!(number >= parameter->minimum && number <= parameter->maximum))
        return conformance_fail (error, "%s is %g in a new component, expected %g to %g", parameter->name, number,
                                 parameter->minimum, parameter->maximum);
    }
  return TRUE;
}

static gboolean
check_declarations (Conformance *self, GError **error)
{
  return check_each (self, check_declaration, error);
}

/* --- as text, which is how a config and a resolved config hold them --- */

static gboolean
check_text (Conformance *self, GObject *component, const CleaveParameter *parameter, GError **error)
{
  if (parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT)
    return TRUE;

  g_autofree char *before = cleave_parameter_get_text (component, parameter);
  if (!cleave_parameter_set_text (component, parameter, before, error))
    return FALSE;
  g_autofree char *after = cleave_parameter_get_text (component, parameter);
  if (!g_str_equal (before, after))
    return conformance_fail (error, "%s was %s, and is %s when that is set", parameter->name, before, after);
  return TRUE;
}

static gboolean
check_texts (Conformance *self, GError **error)
{
  return check_each (self, check_text, error);
}

/* --- bounds and words: that nothing else is taken is the core's part --- */

static gboolean
set_number (GObject *component, const CleaveParameter *parameter, double number, GError **error)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  return cleave_parameter_set_text (component, parameter, g_ascii_dtostr (text, sizeof text, number), error);
}

static gboolean
check_bounds_of (Conformance *self, GObject *component, const CleaveParameter *parameter, GError **error)
{
  const double bounds[] = { parameter->minimum, parameter->maximum };

  if (!is_number (parameter))
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (bounds); i++)
    {
      if (!set_number (component, parameter, bounds[i], error))
        return FALSE;
      if (get_number (component, parameter) != bounds[i])
        return conformance_fail (error, "%s is %g after it was set to its bound %g", parameter->name,
                                 get_number (component, parameter), bounds[i]);
    }
  return TRUE;
}

static gboolean
check_words_of (Conformance *self, GObject *component, const CleaveParameter *parameter, GError **error)
{
  if (parameter->type != CLEAVE_PARAMETER_TYPE_CHOICE)
    return TRUE;

  g_auto (GStrv) words = g_strsplit (parameter->choices, "|", -1);
  for (char **word = words; *word != NULL; word++)
    {
      if (!cleave_parameter_set_text (component, parameter, *word, error))
        return FALSE;
      g_autofree char *text = cleave_parameter_get_text (component, parameter);
      if (!g_str_equal (text, *word))
        return conformance_fail (error, "%s is %s after it was set to %s", parameter->name, text, *word);
    }
  return TRUE;
}

static gboolean
check_bounds (Conformance *self, GError **error)
{
  return check_each (self, check_bounds_of, error) && check_each (self, check_words_of, error);
}

/* --- values in use --- */

/* Values at the edge of what a parameter takes. */
static GStrv
list_values (const CleaveParameter *parameter)
{
  char low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];
  g_autoptr (GStrvBuilder) values = g_strv_builder_new ();

  g_ascii_dtostr (low, sizeof low, parameter->minimum);
  g_ascii_dtostr (high, sizeof high, parameter->maximum);
  switch (parameter->type)
    {
    case CLEAVE_PARAMETER_TYPE_DOUBLE:
    case CLEAVE_PARAMETER_TYPE_UINT:
    case CLEAVE_PARAMETER_TYPE_NUMBERS:
      g_strv_builder_add_many (values, low, high, NULL);
      break;
    case CLEAVE_PARAMETER_TYPE_BOOLEAN:
      g_strv_builder_add_many (values, "false", "true", NULL);
      break;
    case CLEAVE_PARAMETER_TYPE_STRING:
    case CLEAVE_PARAMETER_TYPE_PATH:
      g_strv_builder_add_many (values, "", "/nowhere/at/all", NULL);
      break;
    case CLEAVE_PARAMETER_TYPE_CHOICE:
      {
        g_auto (GStrv) words = g_strsplit (parameter->choices, "|", -1);

        g_strv_builder_addv (values, (const char **)words);
        break;
      }
    case CLEAVE_PARAMETER_TYPE_COMPONENT:
      break;
    }
  return g_strv_builder_end (values);
}

/* With each of these values, the others as they are, a component does its work or says why it can't. */
static gboolean
check_values_of (Conformance *self, GObject *unused, const CleaveParameter *parameter, GError **error)
{
  const ConformanceKind *kind = conformance_get_kind (self);
  g_auto (GStrv) values = list_values (parameter);

  if (kind->is_sized_by_values && is_number (parameter))
    return TRUE;
  for (gsize i = 0; values[i] != NULL; i++)
    {
      g_autoptr (GObject) component = conformance_make (self, error);
      g_autoptr (GError) problem = NULL;

      conformance_go_on (self, "%s = %s", parameter->name, values[i]);
      if (component == NULL || !cleave_parameter_set_text (component, parameter, values[i], error))
        return FALSE;
      if (!kind->use (self, component, &problem) && !conformance_is_clean (problem))
        return conformance_fail (error, "%s = %s: %s", parameter->name, values[i], problem->message);
    }
  return TRUE;
}

static gboolean
check_values (Conformance *self, GError **error)
{
  return check_each (self, check_values_of, error);
}

const ConformanceCheck conformance_parameter_checks[] = {
  { "parameters: declared", check_declarations, TRUE },
  { "parameters: as text", check_texts, TRUE },
  { "parameters: bounds", check_bounds, TRUE },
  { "parameters: values in use", check_values, TRUE },
  { NULL, NULL, FALSE },
};
