/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parameters as config text. */

#include "cleave/cleave-error.h"
#include "cleave/cleave-parameter.h"
#include "cleave/cleave-quantity.h"

#include <math.h>

/* "1 bit/s to 1000 bit/s", "at least 1" */
static char *
describe_range (double minimum, double maximum, const char *unit)
{
  g_autofree char *low = cleave_quantity_format (minimum, unit);
  g_autofree char *high = cleave_quantity_format (maximum, unit);

  if (maximum >= G_MAXDOUBLE)
    return minimum <= -G_MAXDOUBLE ? g_strdup ("a number") : g_strdup_printf ("at least %s", low);
  return g_strdup_printf ("%s to %s", low, high);
}

static gboolean
parse_in_range (const char *text, const char *unit, double minimum, double maximum, double *value, GError **error)
{
  g_autofree char *range = NULL;

  if (!cleave_quantity_parse (text, unit, value, error))
    return FALSE;
  if (*value >= minimum && *value <= maximum)
    return TRUE;
  range = describe_range (minimum, maximum, unit);
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: expected %s", text, range);
  return FALSE;
}

static gboolean
parse_boolean (const char *text, gboolean *value, GError **error)
{
  *value = g_str_equal (text, "true");
  if (*value || g_str_equal (text, "false"))
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: expected true or false", text);
  return FALSE;
}

/* "a, b or c" of "a|b|c" */
static char *
describe_choices (const char *const *words)
{
  GString *text = g_string_new (words[0]);

  for (gsize i = 1; words[0] != NULL && words[i] != NULL; i++)
    g_string_append_printf (text, "%s%s", words[i + 1] == NULL ? " or " : ", ", words[i]);
  return g_string_free (text, FALSE);
}

static gboolean
check_choice (const CleaveParameter *parameter, const char *text, GError **error)
{
  g_auto (GStrv) words = g_strsplit (parameter->choices, "|", -1);
  g_autofree char *expected = NULL;

  if (g_strv_contains ((const char *const *)words, text))
    return TRUE;
  expected = describe_choices ((const char *const *)words);
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: expected %s", text, expected);
  return FALSE;
}

/* An empty text means NULL where that is the default, so that a resolved config gives the same object. */
static gboolean
is_unset_by_default (GObject *object, const CleaveParameter *parameter)
{
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (object), parameter->name);

  return g_value_get_string (g_param_spec_get_default_value (pspec)) == NULL;
}

static gboolean
set_text (GObject *object, const CleaveParameter *parameter, const char *text, GError **error)
{
  double number;
  gboolean flag;
  g_autoptr (GArray) numbers = NULL;

  switch (parameter->type)
    {
    case CLEAVE_PARAMETER_TYPE_DOUBLE:
    case CLEAVE_PARAMETER_TYPE_UINT:
      if (!parse_in_range (text, parameter->unit, parameter->minimum, parameter->maximum, &number, error))
        return FALSE;
      if (parameter->type == CLEAVE_PARAMETER_TYPE_DOUBLE)
        g_object_set (object, parameter->name, number, NULL);
      else if (number == floor (number))
        g_object_set (object, parameter->name, (guint)number, NULL);
      else
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: expected a whole number", text);
          return FALSE;
        }
      return TRUE;
    case CLEAVE_PARAMETER_TYPE_BOOLEAN:
      if (!parse_boolean (text, &flag, error))
        return FALSE;
      g_object_set (object, parameter->name, flag, NULL);
      return TRUE;
    case CLEAVE_PARAMETER_TYPE_CHOICE:
      if (!check_choice (parameter, text, error))
        return FALSE;
      break;
    case CLEAVE_PARAMETER_TYPE_NUMBERS:
      numbers = cleave_parameter_parse_numbers (text, parameter->minimum, parameter->maximum, error);
      if (numbers == NULL)
        return FALSE;
      break;
    default:
      break;
    }
  g_object_set (object, parameter->name, *text == '\0' && is_unset_by_default (object, parameter) ? NULL : text, NULL);
  return TRUE;
}

/**
 * cleave_parameter_set_text: (skip)
 * @object: a component
 * @parameter: one of its parameters, no component
 * @text: the value as a config gives it
 * @error: return location for an error
 *
 * Sets a parameter from text, after checking unit, range and words. Fails with %CLEAVE_ERROR_CONFIG, naming key, value
 * and what was expected, but not the section, which the caller knows; the object is unchanged then. A path is taken as
 * it is. A component has no text: only the host knows plugins.
 *
 * Returns: whether the parameter was set
 */
gboolean
cleave_parameter_set_text (GObject *object, const CleaveParameter *parameter, const char *text, GError **error)
{
  g_return_val_if_fail (G_IS_OBJECT (object) && parameter != NULL && text != NULL, FALSE);
  g_return_val_if_fail (parameter->type != CLEAVE_PARAMETER_TYPE_COMPONENT, FALSE);

  if (!set_text (object, parameter, text, error))
    {
      g_prefix_error (error, "%s = ", parameter->name);
      return FALSE;
    }
  return TRUE;
}

/**
 * cleave_parameter_get_text: (skip)
 * @object: a component
 * @parameter: one of its parameters, no component
 *
 * Writes a parameter's present value as config text; [func@Parameter.set_text] of it gives the same value, bit for
 * bit.
 *
 * Returns: (transfer full): the text, "" where a string is not set
 */
char *
cleave_parameter_get_text (GObject *object, const CleaveParameter *parameter)
{
  double number;
  guint whole;
  gboolean flag;
  char *text = NULL;

  g_return_val_if_fail (G_IS_OBJECT (object) && parameter != NULL, NULL);
  g_return_val_if_fail (parameter->type != CLEAVE_PARAMETER_TYPE_COMPONENT, NULL);

  switch (parameter->type)
    {
    case CLEAVE_PARAMETER_TYPE_DOUBLE:
      g_object_get (object, parameter->name, &number, NULL);
      return cleave_quantity_format (number, parameter->unit);
    case CLEAVE_PARAMETER_TYPE_UINT:
      g_object_get (object, parameter->name, &whole, NULL);
      return cleave_quantity_format (whole, parameter->unit);
    case CLEAVE_PARAMETER_TYPE_BOOLEAN:
      g_object_get (object, parameter->name, &flag, NULL);
      return g_strdup (flag ? "true" : "false");
    default:
      g_object_get (object, parameter->name, &text, NULL);
      return text != NULL ? text : g_strdup ("");
    }
}

/**
 * cleave_parameter_parse_numbers: (skip)
 * @text: numbers with `;` between them
 * @minimum: smallest value of each
 * @maximum: largest value of each
 * @error: return location for an error
 *
 * Reads the value of a NUMBERS parameter, such as `0; 0.1; 0.2`: one number or more.
 *
 * Returns: (transfer full) (element-type gdouble) (nullable): the numbers; %NULL with %CLEAVE_ERROR_CONFIG set
 */
GArray *
cleave_parameter_parse_numbers (const char *text, double minimum, double maximum, GError **error)
{
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (double));
  g_auto (GStrv) items = NULL;
  g_autoptr (GError) problem = NULL;

  g_return_val_if_fail (text != NULL, NULL);

  items = g_strsplit (text, ";", -1);
  for (gsize i = 0; items[i] != NULL; i++)
    {
      double number;

      if (!parse_in_range (g_strstrip (items[i]), "", minimum, maximum, &number, &problem))
        {
          g_autofree char *range = describe_range (minimum, maximum, "");

          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: expected numbers with ; between them, each %s",
                       text, range);
          return NULL;
        }
      g_array_append_val (numbers, number);
    }
  if (numbers->len > 0)
    return g_steal_pointer (&numbers);
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: expected numbers with ; between them", text);
  return NULL;
}
