/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

/* Parameters are GObject properties of one declaration each, from which config, inspect, docs and checks all read. The
 * property "bits-per-element" is the struct member bits_per_element; generic code reads and writes members by offset.
 */

/**
 * CleaveParameterType:
 * @CLEAVE_PARAMETER_TYPE_DOUBLE: a number, with a unit
 * @CLEAVE_PARAMETER_TYPE_UINT: a whole number ≥ 0, with a unit
 * @CLEAVE_PARAMETER_TYPE_BOOLEAN: true or false
 * @CLEAVE_PARAMETER_TYPE_STRING: any text
 * @CLEAVE_PARAMETER_TYPE_PATH: a file or folder; a relative one is looked up beside the config, then in
 *   `CLEAVE_DATA_DIR`, then in the current folder
 * @CLEAVE_PARAMETER_TYPE_CHOICE: one of a few words
 * @CLEAVE_PARAMETER_TYPE_NUMBERS: numbers with `;` between them
 * @CLEAVE_PARAMETER_TYPE_COMPONENT: a component, in a config the name of its plugin; the host makes it
 *
 * What kind of value a parameter takes.
 */
typedef enum
{
  CLEAVE_PARAMETER_TYPE_DOUBLE,
  CLEAVE_PARAMETER_TYPE_UINT,
  CLEAVE_PARAMETER_TYPE_BOOLEAN,
  CLEAVE_PARAMETER_TYPE_STRING,
  CLEAVE_PARAMETER_TYPE_PATH,
  CLEAVE_PARAMETER_TYPE_CHOICE,
  CLEAVE_PARAMETER_TYPE_NUMBERS,
  CLEAVE_PARAMETER_TYPE_COMPONENT,
} CleaveParameterType;

/**
 * CleaveParameter:
 * @type: kind of value
 * @name: as in a config, `bits-per-element`
 * @unit: unit of the number, "" for none
 * @minimum: smallest value (numbers)
 * @maximum: largest value (numbers)
 * @choices: (nullable): the words of a choice, with `|` between them
 * @interface: what a component implements, such as %CLEAVE_TYPE_OPTIMIZER
 * @default_text: the default as it would be written in a config
 * @help: one line
 * @offset: where the struct member lies
 *
 * A parameter's declaration.
 */
typedef struct
{
  CleaveParameterType type;
  const char *name;
  const char *unit;
  double minimum;
  double maximum;
  const char *choices;
  GType interface;
  const char *default_text;
  const char *help;
  gsize offset;
} CleaveParameter;

/* Makes klass read and write its parameters' members, set their defaults and free their strings. To be called first
 * in class_init of a type that declares parameters by hand; CLEAVE_PLUGIN_BEGIN does it. */
CLEAVE_EXPORT void cleave_parameter_class_init (GObjectClass *klass);
/* FINALIZE frees what else an instance holds. */
CLEAVE_EXPORT void cleave_parameter_class_set_finalize (GObjectClass *klass, void (*finalize) (gpointer self));
CLEAVE_EXPORT void cleave_parameter_install_number (GObjectClass *klass, CleaveParameterType type, const char *member,
                                                    gsize offset, const char *unit, double minimum, double maximum,
                                                    double default_value, const char *help);
CLEAVE_EXPORT void cleave_parameter_install_text (GObjectClass *klass, CleaveParameterType type, const char *member,
                                                  gsize offset, const char *choices, const char *default_value,
                                                  const char *help);
CLEAVE_EXPORT void cleave_parameter_install_numbers (GObjectClass *klass, const char *member, gsize offset,
                                                     double minimum, double maximum, const char *default_value,
                                                     const char *help);
CLEAVE_EXPORT void cleave_parameter_install_component (GObjectClass *klass, const char *member, gsize offset,
                                                       GType interface, const char *default_plugin, const char *help);

/* The declaration behind a property; NULL if it is no parameter. */
CLEAVE_EXPORT const CleaveParameter *cleave_parameter_get (GParamSpec *pspec);
/* All parameters of an object in order of declaration: GPtrArray of const CleaveParameter *, (transfer container). */
CLEAVE_EXPORT GPtrArray *cleave_parameter_list (GObject *object);
/* Sets a parameter from config text: unit, range and words are checked; the error names key, value and what was
 * expected, but not the section (the caller prefixes it). A COMPONENT has no text here: only the host knows plugins. */
CLEAVE_EXPORT gboolean cleave_parameter_set_text (GObject *object, const CleaveParameter *parameter, const char *text,
                                                  GError **error);
/* The present value as config text; setting it again gives the same value, bit for bit. */
CLEAVE_EXPORT char *cleave_parameter_get_text (GObject *object, const CleaveParameter *parameter);
/* The numbers of "0; 0.1; 0.2": GArray of double. */
CLEAVE_EXPORT GArray *cleave_parameter_parse_numbers (const char *text, double minimum, double maximum, GError **error);

/* Compile-time check that the member has the C type that the parameter needs. */
#define CLEAVE_PARAMETER_MEMBER(member, ctype)                                                                         \
  G_STRINGIFY (member), (sizeof (char[_Generic(((CleaveSelf *)0)->member, ctype : 1, default                           \
                                               : -1)])                                                                 \
                             * 0                                                                                       \
                         + G_STRUCT_OFFSET (CleaveSelf, member))
#define CLEAVE_PARAMETER_CTYPE_DOUBLE double
#define CLEAVE_PARAMETER_CTYPE_UINT guint
#define CLEAVE_PARAMETER_CTYPE_BOOLEAN gboolean

/**
 * CLEAVE_PARAMETER:
 * @member: the struct member; `-` takes the place of `_` in the parameter's name
 * @TYPE: DOUBLE, UINT or BOOLEAN, for a member of type double, guint, gboolean
 * @unit: the unit that the member is in, "" for none
 * @minimum: smallest value
 * @maximum: largest value
 * @default_value: the default
 * @help: one line, without a full stop
 *
 * Declares a parameter, between CLEAVE_PLUGIN_BEGIN and CLEAVE_PLUGIN_END.
 */
#define CLEAVE_PARAMETER(member, TYPE, unit, minimum, maximum, default_value, help)                                    \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_number (cleave_class, CLEAVE_PARAMETER_TYPE_##TYPE,                                       \
                                     CLEAVE_PARAMETER_MEMBER (member, CLEAVE_PARAMETER_CTYPE_##TYPE), unit, minimum,   \
                                     maximum, default_value, help);
/* A char * member; default_value may be NULL. */
#define CLEAVE_PARAMETER_STRING(member, default_value, help)                                                           \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_text (cleave_class, CLEAVE_PARAMETER_TYPE_STRING,                                         \
                                   CLEAVE_PARAMETER_MEMBER (member, char *), NULL, default_value, help);
/* A char * member that names a file or folder. */
#define CLEAVE_PARAMETER_PATH(member, default_value, help)                                                             \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_text (cleave_class, CLEAVE_PARAMETER_TYPE_PATH, CLEAVE_PARAMETER_MEMBER (member, char *), \
                                   NULL, default_value, help);
/* A char * member that holds one of the words in choices, "cifar|imagenet". */
#define CLEAVE_PARAMETER_CHOICE(member, choices, default_value, help)                                                  \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_text (cleave_class, CLEAVE_PARAMETER_TYPE_CHOICE,                                         \
                                   CLEAVE_PARAMETER_MEMBER (member, char *), choices, default_value, help);
/* A char * member that holds numbers, "0; 0.1; 0.2". */
#define CLEAVE_PARAMETER_NUMBERS(member, minimum, maximum, default_value, help)                                        \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_numbers (cleave_class, CLEAVE_PARAMETER_MEMBER (member, char *), minimum, maximum,        \
                                      default_value, help);
/* A member of type CleaveOptimizer * for the KIND OPTIMIZER, and so on: a component that the host has made, of the
 * plugin default_plugin unless a config names another. `search = NAME` in [optimizer] does, and what is in
 * [optimizer.search] are that component's own parameters. */
#define CLEAVE_PARAMETER_COMPONENT(member, KIND, default_plugin, help)                                                 \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_component (cleave_class, CLEAVE_PARAMETER_MEMBER (member, CLEAVE_COMPONENT_##KIND *),     \
                                        CLEAVE_TYPE_##KIND, default_plugin, help);

G_END_DECLS
