/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-types.h>

G_BEGIN_DECLS

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
 * @offset: where the struct member lies in an instance, in bytes; of no meaning where another language holds the value
 * @position: parameters declared before it
 *
 * A parameter's declaration: a GObject property of which config, `cleave inspect` and all checks read. The property
 * `bits-per-element` is the struct member `bits_per_element`, read and written by its offset. All of it is static.
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
  guint position;
} CleaveParameter;

CLEAVE_EXPORT void cleave_parameter_class_init (GObjectClass *klass);
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
CLEAVE_EXPORT void cleave_parameter_declare (GType object_type, const char *name, CleaveParameterType type,
                                             const char *unit, double minimum, double maximum, const char *choices,
                                             GType interface, const char *default_text);

CLEAVE_EXPORT const CleaveParameter *cleave_parameter_get (GParamSpec *pspec);
CLEAVE_EXPORT GPtrArray *cleave_parameter_list (GObject *object);
CLEAVE_EXPORT gboolean cleave_parameter_set_text (GObject *object, const CleaveParameter *parameter, const char *text,
                                                  GError **error);
CLEAVE_EXPORT char *cleave_parameter_get_text (GObject *object, const CleaveParameter *parameter);
CLEAVE_EXPORT GArray *cleave_parameter_parse_numbers (const char *text, double minimum, double maximum, GError **error);

/**
 * CLEAVE_PARAMETER_MEMBER:
 * @member: the struct member
 * @ctype: the C type that the parameter needs
 *
 * A member's name and offset, as the two arguments that the functions behind the macros here take; a member of another
 * type does not compile. For use by these macros alone.
 */
#define CLEAVE_PARAMETER_MEMBER(member, ctype)                                                                         \
  G_STRINGIFY (member), (sizeof (char[_Generic(((CleaveSelf *)0)->member, ctype : 1, default                           \
                                               : -1)])                                                                 \
                             * 0                                                                                       \
                         + G_STRUCT_OFFSET (CleaveSelf, member))
/* By the word that CLEAVE_PARAMETER() is given. */
#define CLEAVE_PARAMETER_CTYPE_DOUBLE double
#define CLEAVE_PARAMETER_CTYPE_UINT guint
#define CLEAVE_PARAMETER_CTYPE_BOOLEAN gboolean

/**
 * CLEAVE_PARAMETER:
 * @member: the struct member; `-` takes the place of `_` in the parameter's name
 * @TYPE: DOUBLE, UINT or BOOLEAN, for a member of type double, guint, gboolean
 * @unit: the unit that the member is in, "" for none
 * @minimum: smallest value, in @unit
 * @maximum: largest value, in @unit
 * @default_value: the default, in @unit
 * @help: one line, without a full stop
 *
 * Declares a number or a switch (whose range is 0 to 1), between CLEAVE_PLUGIN_BEGIN() and CLEAVE_PLUGIN_END.
 */
#define CLEAVE_PARAMETER(member, TYPE, unit, minimum, maximum, default_value, help)                                    \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_number (cleave_class, CLEAVE_PARAMETER_TYPE_##TYPE,                                       \
                                     CLEAVE_PARAMETER_MEMBER (member, CLEAVE_PARAMETER_CTYPE_##TYPE), unit, minimum,   \
                                     maximum, default_value, help);
/**
 * CLEAVE_PARAMETER_STRING:
 * @member: a `char *` member, which the class frees
 * @default_value: (nullable): the default
 * @help: one line, without a full stop
 *
 * Declares a text.
 */
#define CLEAVE_PARAMETER_STRING(member, default_value, help)                                                           \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_text (cleave_class, CLEAVE_PARAMETER_TYPE_STRING,                                         \
                                   CLEAVE_PARAMETER_MEMBER (member, char *), NULL, default_value, help);
/**
 * CLEAVE_PARAMETER_PATH:
 * @member: a `char *` member, which the class frees
 * @default_value: (nullable): the default
 * @help: one line, without a full stop
 *
 * Declares a file or folder. A relative path in a config is looked up beside the config, then in `CLEAVE_DATA_DIR`,
 * then in the current folder; the member holds what was found, or the path as it was given. Whether the file is there
 * is for the component to find out, once it needs it.
 */
#define CLEAVE_PARAMETER_PATH(member, default_value, help)                                                             \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_text (cleave_class, CLEAVE_PARAMETER_TYPE_PATH, CLEAVE_PARAMETER_MEMBER (member, char *), \
                                   NULL, default_value, help);
/**
 * CLEAVE_PARAMETER_CHOICE:
 * @member: a `char *` member, which the class frees
 * @choices: the words, with `|` between them, such as `"cifar|imagenet"`
 * @default_value: one of them
 * @help: one line, without a full stop
 *
 * Declares a choice among a few words.
 */
#define CLEAVE_PARAMETER_CHOICE(member, choices, default_value, help)                                                  \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_text (cleave_class, CLEAVE_PARAMETER_TYPE_CHOICE,                                         \
                                   CLEAVE_PARAMETER_MEMBER (member, char *), choices, default_value, help);
/**
 * CLEAVE_PARAMETER_NUMBERS:
 * @member: a `char *` member, which the class frees
 * @minimum: smallest value of a number
 * @maximum: largest value of a number
 * @default_value: the default, such as `"0; 0.1; 0.2"`
 * @help: one line, without a full stop
 *
 * Declares a list of numbers. The member holds the text; cleave_parameter_parse_numbers() gives the numbers.
 */
#define CLEAVE_PARAMETER_NUMBERS(member, minimum, maximum, default_value, help)                                        \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_numbers (cleave_class, CLEAVE_PARAMETER_MEMBER (member, char *), minimum, maximum,        \
                                      default_value, help);
/**
 * CLEAVE_PARAMETER_COMPONENT:
 * @member: a member of type `CleaveOptimizer *` for the kind OPTIMIZER, and so on
 * @KIND: SPACE, ORACLE, CHANNEL, OPTIMIZER or DATASET
 * @default_plugin: the plugin that it is made of unless a config names another
 * @help: one line, without a full stop
 *
 * Declares a component that the host makes and the class gives back. A config names its plugin by the parameter's key,
 * such as `search = NAME` in `[optimizer]`; what is in `[optimizer.search]` are that component's own parameters.
 */
#define CLEAVE_PARAMETER_COMPONENT(member, KIND, default_plugin, help)                                                 \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_install_component (cleave_class, CLEAVE_PARAMETER_MEMBER (member, CLEAVE_COMPONENT_##KIND *),     \
                                        CLEAVE_TYPE_##KIND, default_plugin, help);

G_END_DECLS
