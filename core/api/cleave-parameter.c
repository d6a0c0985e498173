/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave/cleave-parameter.h"

#include "cleave/cleave-error.h"
#include "cleave/cleave-quantity.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Written out: clang-format puts blanks around the hyphens of G_DEFINE_QUARK's name. */
static GQuark
parameter_quark (void)
{
  return g_quark_from_static_string ("cleave-parameter");
}

static GQuark
own_finalize_quark (void)
{
  return g_quark_from_static_string ("cleave-parameter-finalize");
}

static GQuark
parent_finalize_quark (void)
{
  return g_quark_from_static_string ("cleave-parameter-parent-finalize");
}

typedef void (*FinalizeFunc) (GObject *object);

/* A function kept as type data holds for the types derived from it too. */
static FinalizeFunc
type_function (GType type, GQuark quark)
{
  FinalizeFunc function = NULL;

  for (; type != 0 && function == NULL; type = g_type_parent (type))
    {
      gpointer data = g_type_get_qdata (type, quark);

      memcpy (&function, &data, sizeof function);
    }
  return function;
}

static void
type_set_function (GType type, GQuark quark, FinalizeFunc function)
{
  gpointer data;

  memcpy (&data, &function, sizeof data);
  g_type_set_qdata (type, quark, data);
}

static gboolean
is_text (const CleaveParameter *parameter)
{
  return parameter->type >= CLEAVE_PARAMETER_TYPE_STRING && parameter->type != CLEAVE_PARAMETER_TYPE_COMPONENT;
}

static gboolean
is_choice (const CleaveParameter *parameter, const char *text)
{
  g_auto (GStrv) words = g_strsplit (parameter->choices, "|", -1);

  return g_strv_contains ((const char *const *)words, text);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  const CleaveParameter *parameter = cleave_parameter_get (pspec);
  gpointer member;

  g_return_if_fail (parameter != NULL);

  member = G_STRUCT_MEMBER_P (object, parameter->offset);
  switch (parameter->type)
    {
    case CLEAVE_PARAMETER_TYPE_DOUBLE:
      *(double *)member = g_value_get_double (value);
      break;
    case CLEAVE_PARAMETER_TYPE_UINT:
      *(guint *)member = g_value_get_uint (value);
      break;
    case CLEAVE_PARAMETER_TYPE_BOOLEAN:
      *(gboolean *)member = g_value_get_boolean (value);
      break;
    case CLEAVE_PARAMETER_TYPE_COMPONENT:
      g_set_object ((GObject **)member, g_value_get_object (value));
      break;
    case CLEAVE_PARAMETER_TYPE_CHOICE:
      if (g_value_get_string (value) == NULL || !is_choice (parameter, g_value_get_string (value)))
        {
          g_warning ("%s = %s: expected %s", parameter->name, g_value_get_string (value), parameter->choices);
          break;
        }
      G_GNUC_FALLTHROUGH;
    default:
      g_free (*(char **)member);
      *(char **)member = g_value_dup_string (value);
    }
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const CleaveParameter *parameter = cleave_parameter_get (pspec);
  gpointer member;

  g_return_if_fail (parameter != NULL);

  member = G_STRUCT_MEMBER_P (object, parameter->offset);
  if (parameter->type == CLEAVE_PARAMETER_TYPE_DOUBLE)
    g_value_set_double (value, *(double *)member);
  else if (parameter->type == CLEAVE_PARAMETER_TYPE_UINT)
    g_value_set_uint (value, *(guint *)member);
  else if (parameter->type == CLEAVE_PARAMETER_TYPE_BOOLEAN)
    g_value_set_boolean (value, *(gboolean *)member);
  else if (parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT)
    g_value_set_object (value, *(GObject **)member);
  else
    g_value_set_string (value, *(char **)member);
}

static void
finalize (GObject *object)
{
  FinalizeFunc own = type_function (G_OBJECT_TYPE (object), own_finalize_quark ());
  FinalizeFunc parent = type_function (G_OBJECT_TYPE (object), parent_finalize_quark ());
  g_autoptr (GPtrArray) parameters = cleave_parameter_list (object);

  if (own != NULL)
    own (object);
  for (guint i = 0; i < parameters->len; i++)
    {
      const CleaveParameter *parameter = g_ptr_array_index (parameters, i);

      if (is_text (parameter))
        g_free (G_STRUCT_MEMBER (char *, object, parameter->offset));
      else if (parameter->type == CLEAVE_PARAMETER_TYPE_COMPONENT)
        g_clear_object (&G_STRUCT_MEMBER (GObject *, object, parameter->offset));
    }
  parent (object);
}

/**
 * cleave_parameter_class_init: (skip)
 * @klass: the class of a type that declares parameters
 *
 * Makes a class read and write its parameters' members, set their defaults when an instance is made, and free their
 * strings and components. To be called first in class_init of a type that declares parameters by hand;
 * CLEAVE_PLUGIN_BEGIN() does it.
 */
void
cleave_parameter_class_init (GObjectClass *klass)
{
  g_return_if_fail (G_IS_OBJECT_CLASS (klass));

  if (klass->finalize != finalize)
    type_set_function (G_OBJECT_CLASS_TYPE (klass), parent_finalize_quark (), klass->finalize);
  klass->set_property = set_property;
  klass->get_property = get_property;
  klass->finalize = finalize;
}

/**
 * cleave_parameter_class_set_finalize: (skip)
 * @klass: a class that cleave_parameter_class_init() has seen
 * @finalize: frees what an instance holds besides its parameters; it must not chain up
 *
 * Sets what is to be done before an instance's parameters are freed.
 */
void
cleave_parameter_class_set_finalize (GObjectClass *klass, void (*finalize) (gpointer self))
{
  FinalizeFunc function;

  g_return_if_fail (G_IS_OBJECT_CLASS (klass));

  memcpy (&function, &finalize, sizeof function);
  type_set_function (G_OBJECT_CLASS_TYPE (klass), own_finalize_quark (), function);
}

static CleaveParameter *
parameter_new (CleaveParameterType type, const char *member, gsize offset, const char *unit, const char *help)
{
  CleaveParameter *parameter = g_new0 (CleaveParameter, 1);
  g_autofree char *name = g_strdelimit (g_strdup (member), "_", '-');

  parameter->type = type;
  parameter->name = g_intern_string (name);
  parameter->unit = g_intern_string (unit);
  parameter->help = g_intern_string (help);
  parameter->offset = offset;
  return parameter;
}

static int
compare_positions (gconstpointer a, gconstpointer b)
{
  const CleaveParameter *first = *(const CleaveParameter *const *)a;
  const CleaveParameter *second = *(const CleaveParameter *const *)b;

  return first->position < second->position ? -1 : first->position > second->position;
}

static GPtrArray *
list_parameters (GObjectClass *klass)
{
  guint n_pspecs = 0;
  g_autofree GParamSpec **pspecs = g_object_class_list_properties (klass, &n_pspecs);
  GPtrArray *parameters = g_ptr_array_new ();

  for (guint i = 0; i < n_pspecs; i++)
    {
      const CleaveParameter *parameter = cleave_parameter_get (pspecs[i]);

      if (parameter != NULL)
        g_ptr_array_add (parameters, (gpointer)parameter);
    }
  g_ptr_array_sort (parameters, compare_positions);
  return parameters;
}

static void
attach (GObjectClass *klass, GParamSpec *pspec, CleaveParameter *parameter)
{
  g_autoptr (GPtrArray) before = list_parameters (klass);

  parameter->position = before->len;
  g_param_spec_set_qdata_full (pspec, parameter_quark (), parameter, g_free);
}

static void
install (GObjectClass *klass, GParamSpec *pspec, CleaveParameter *parameter)
{
  guint n_before = 0;

  if (g_str_equal (parameter->name, "plugin"))
    g_warning ("a parameter is called plugin: that key of a config names the plugin itself");
  g_free (g_object_class_list_properties (klass, &n_before));
  attach (klass, pspec, parameter);
  g_object_class_install_property (klass, n_before + 1, pspec);
}

/**
 * cleave_parameter_install_number: (skip)
 * @klass: the class
 * @type: DOUBLE, UINT or BOOLEAN
 * @member: the struct member's name
 * @offset: where it lies in the instance
 * @unit: the unit that the member is in, "" for none
 * @minimum: smallest value, in @unit
 * @maximum: largest value, in @unit
 * @default_value: the default, in @unit
 * @help: one line
 *
 * Declares a number or a switch; see CLEAVE_PARAMETER().
 */
void
cleave_parameter_install_number (GObjectClass *klass, CleaveParameterType type, const char *member, gsize offset,
                                 const char *unit, double minimum, double maximum, double default_value,
                                 const char *help)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT;
  CleaveParameter *parameter;
  GParamSpec *pspec;
  g_autofree char *text = NULL;

  g_return_if_fail (type <= CLEAVE_PARAMETER_TYPE_BOOLEAN);
  if (!(minimum <= default_value && default_value <= maximum))
    {
      g_warning ("the default of %s, %g, is outside %g to %g", member, default_value, minimum, maximum);
      return;
    }
  g_return_if_fail (type != CLEAVE_PARAMETER_TYPE_UINT || (minimum >= 0 && maximum <= G_MAXUINT));

  parameter = parameter_new (type, member, offset, unit, help);
  parameter->minimum = minimum;
  parameter->maximum = maximum;
  if (type == CLEAVE_PARAMETER_TYPE_BOOLEAN)
    {
      text = g_strdup (default_value != 0 ? "true" : "false");
      pspec = g_param_spec_boolean (parameter->name, NULL, help, default_value != 0, flags);
    }
  else
    {
      text = cleave_quantity_format (default_value, unit);
      if (type == CLEAVE_PARAMETER_TYPE_UINT)
        pspec = g_param_spec_uint (parameter->name, NULL, help, (guint)minimum, (guint)maximum, (guint)default_value,
                                   flags);
      else
        pspec = g_param_spec_double (parameter->name, NULL, help, minimum, maximum, default_value, flags);
    }
  parameter->default_text = g_intern_string (text);
  install (klass, pspec, parameter);
}

/**
 * cleave_parameter_install_text: (skip)
 * @klass: the class
 * @type: STRING, PATH or CHOICE
 * @member: the struct member's name
 * @offset: where it lies in the instance
 * @choices: (nullable): the words of a CHOICE, with `|` between them
 * @default_value: (nullable): the default
 * @help: one line
 *
 * Declares a text; see CLEAVE_PARAMETER_STRING(), CLEAVE_PARAMETER_PATH() and CLEAVE_PARAMETER_CHOICE().
 */
void
cleave_parameter_install_text (GObjectClass *klass, CleaveParameterType type, const char *member, gsize offset,
                               const char *choices, const char *default_value, const char *help)
{
  CleaveParameter *parameter;

  g_return_if_fail (type == CLEAVE_PARAMETER_TYPE_STRING || type == CLEAVE_PARAMETER_TYPE_PATH
                    || type == CLEAVE_PARAMETER_TYPE_CHOICE);
  g_return_if_fail (type != CLEAVE_PARAMETER_TYPE_CHOICE || (choices != NULL && default_value != NULL));

  parameter = parameter_new (type, member, offset, "", help);
  parameter->choices = g_intern_string (choices);
  parameter->default_text = g_intern_string (default_value != NULL ? default_value : "");
  install (klass,
           g_param_spec_string (parameter->name, NULL, help, default_value, G_PARAM_READWRITE | G_PARAM_CONSTRUCT),
           parameter);
}

/**
 * cleave_parameter_install_numbers: (skip)
 * @klass: the class
 * @member: the struct member's name
 * @offset: where it lies in the instance
 * @minimum: smallest value of a number
 * @maximum: largest value of a number
 * @default_value: the default, such as `0; 0.1; 0.2`
 * @help: one line
 *
 * Declares a list of numbers; see CLEAVE_PARAMETER_NUMBERS().
 */
void
cleave_parameter_install_numbers (GObjectClass *klass, const char *member, gsize offset, double minimum, double maximum,
                                  const char *default_value, const char *help)
{
  CleaveParameter *parameter = parameter_new (CLEAVE_PARAMETER_TYPE_NUMBERS, member, offset, "", help);
  g_autoptr (GError) problem = NULL;
  const char *text = default_value != NULL ? default_value : "";
  g_autoptr (GArray) numbers = cleave_parameter_parse_numbers (text, minimum, maximum, &problem);

  if (numbers == NULL)
    g_warning ("the default of %s, %s", parameter->name, problem->message);
  parameter->minimum = minimum;
  parameter->maximum = maximum;
  parameter->default_text = g_intern_string (text);
  install (klass, g_param_spec_string (parameter->name, NULL, help, text, G_PARAM_READWRITE | G_PARAM_CONSTRUCT),
           parameter);
}

/**
 * cleave_parameter_install_component: (skip)
 * @klass: the class
 * @member: the struct member's name
 * @offset: where it lies in the instance
 * @interface: what the component implements, such as %CLEAVE_TYPE_OPTIMIZER
 * @default_plugin: the plugin that it is made of unless a config names another
 * @help: one line
 *
 * Declares a component that the host makes; see CLEAVE_PARAMETER_COMPONENT(). It is %NULL until the host has set it.
 */
void
cleave_parameter_install_component (GObjectClass *klass, const char *member, gsize offset, GType interface,
                                    const char *default_plugin, const char *help)
{
  CleaveParameter *parameter;

  g_return_if_fail (default_plugin != NULL);

  parameter = parameter_new (CLEAVE_PARAMETER_TYPE_COMPONENT, member, offset, "", help);
  parameter->interface = interface;
  parameter->default_text = g_intern_string (default_plugin);
  install (klass, g_param_spec_object (parameter->name, NULL, help, interface, G_PARAM_READWRITE), parameter);
}

/**
 * cleave_parameter_declare:
 * @object_type: the type of a component
 * @name: a property that its class has already: double, uint or boolean, a string for STRING, PATH, CHOICE and NUMBERS,
 *   an object for COMPONENT
 * @type: kind of value
 * @unit: the unit that a number is in, "" for none
 * @minimum: smallest value of a number, in @unit
 * @maximum: largest value of a number, in @unit
 * @choices: (nullable): the words of a CHOICE, with `|` between them
 * @interface: what a COMPONENT implements, such as %CLEAVE_TYPE_OPTIMIZER
 * @default_text: the default as it would be written in a config, of a COMPONENT the plugin's name
 *
 * Makes a property a parameter, with the property's blurb as its help. For languages that install properties and hold
 * their values in their own way. In Python, `Cleave.parameter()` does it.
 */
void
cleave_parameter_declare (GType object_type, const char *name, CleaveParameterType type, const char *unit,
                          double minimum, double maximum, const char *choices, GType interface,
                          const char *default_text)
{
  g_return_if_fail (g_type_is_a (object_type, G_TYPE_OBJECT) && name != NULL);
  g_return_if_fail (unit != NULL && default_text != NULL);
  g_return_if_fail (type != CLEAVE_PARAMETER_TYPE_CHOICE || choices != NULL);

  GObjectClass *klass = g_type_class_ref (object_type);
  GParamSpec *pspec = g_object_class_find_property (klass, name);
  CleaveParameter *parameter;

  g_return_if_fail (pspec != NULL);

  parameter = parameter_new (type, name, 0, unit, g_param_spec_get_blurb (pspec));
  parameter->minimum = minimum;
  parameter->maximum = maximum;
  parameter->choices = g_intern_string (choices);
  parameter->interface = interface;
  parameter->default_text = g_intern_string (default_text);
  attach (klass, pspec, parameter);
  g_type_class_unref (klass);
}

/**
 * cleave_parameter_get: (skip)
 * @pspec: a property
 *
 * Gets the declaration behind a property.
 *
 * Returns: (nullable): the declaration, owned by @pspec; %NULL if the property is no parameter
 */
const CleaveParameter *
cleave_parameter_get (GParamSpec *pspec)
{
  return g_param_spec_get_qdata (pspec, parameter_quark ());
}

/**
 * cleave_parameter_list: (skip)
 * @object: any object
 *
 * Lists an object's parameters in order of declaration. Properties that were not declared as parameters are left out.
 *
 * Returns: (transfer container) (element-type CleaveParameter): the declarations, owned by the class
 */
GPtrArray *
cleave_parameter_list (GObject *object)
{
  g_return_val_if_fail (G_IS_OBJECT (object), g_ptr_array_new ());

  return list_parameters (G_OBJECT_GET_CLASS (object));
}
