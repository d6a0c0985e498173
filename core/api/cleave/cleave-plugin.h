/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-channel.h>
#include <cleave/cleave-dataset.h>
#include <cleave/cleave-optimizer.h>
#include <cleave/cleave-oracle.h>
#include <cleave/cleave-parameter.h>
#include <cleave/cleave-space.h>

G_BEGIN_DECLS

#ifndef __GI_SCANNER__ /* for the macros below, which other languages do not have */
typedef CleaveSpaceInterface CLEAVE_INTERFACE_SPACE;
typedef CleaveOracleInterface CLEAVE_INTERFACE_ORACLE;
typedef CleaveChannelInterface CLEAVE_INTERFACE_CHANNEL;
typedef CleaveOptimizerInterface CLEAVE_INTERFACE_OPTIMIZER;
typedef CleaveDatasetInterface CLEAVE_INTERFACE_DATASET;
typedef CleaveSpace CLEAVE_COMPONENT_SPACE;
typedef CleaveOracle CLEAVE_COMPONENT_ORACLE;
typedef CleaveChannel CLEAVE_COMPONENT_CHANNEL;
typedef CleaveOptimizer CLEAVE_COMPONENT_OPTIMIZER;
typedef CleaveDataset CLEAVE_COMPONENT_DATASET;

CLEAVE_EXPORT void cleave_plugin_register (GTypeModule *module, const char *type_name, GType interface_type,
                                           gsize instance_size, GClassInitFunc class_init,
                                           GInterfaceInitFunc interface_init);
/* Called by CLEAVE_STATE. */
CLEAVE_EXPORT void cleave_optimizer_install_state (CleaveOptimizerInterface *iface, gsize offset, const char *type);
#endif

/**
 * CLEAVE_PLUGIN_BEGIN:
 * @Type: the instance struct, whose first member is a GObject
 * @prefix: the same name in lower case with underscores
 * @KIND: SPACE, ORACLE, CHANNEL, OPTIMIZER or DATASET
 *
 * Begins the declaration of a plugin's component: parameters and methods follow, then CLEAVE_PLUGIN_END. Everything
 * else (type, properties, defaults, registration) comes from here. An instance begins with all its members zero but the
 * parameters, which have their defaults. The core calls a component's methods from one thread at a time. C only.
 */
#define CLEAVE_PLUGIN_BEGIN(Type, prefix, KIND)                                                                        \
  static void prefix##_define (GObjectClass *cleave_class, CLEAVE_INTERFACE_##KIND *cleave_interface);                 \
  static void prefix##_class_init (gpointer klass, gpointer data G_GNUC_UNUSED)                                        \
  {                                                                                                                    \
    cleave_parameter_class_init (klass);                                                                               \
    prefix##_define (klass, NULL);                                                                                     \
  }                                                                                                                    \
  static void prefix##_interface_init (gpointer iface, gpointer data G_GNUC_UNUSED) { prefix##_define (NULL, iface); } \
  CLEAVE_EXPORT void peas_register_types (GTypeModule *module);                                                        \
  void peas_register_types (GTypeModule *module)                                                                       \
  {                                                                                                                    \
    G_STATIC_ASSERT (G_STRUCT_OFFSET (Type, parent_instance) == 0);                                                    \
    cleave_plugin_register (module, #Type, CLEAVE_TYPE_##KIND, sizeof (Type), prefix##_class_init,                     \
                            prefix##_interface_init);                                                                  \
  }                                                                                                                    \
  static void prefix##_define (GObjectClass *cleave_class G_GNUC_UNUSED, CLEAVE_INTERFACE_##KIND *cleave_interface)    \
  {                                                                                                                    \
    typedef Type CleaveSelf G_GNUC_UNUSED;

/**
 * CLEAVE_METHOD:
 * @method: a member of the kind's interface struct, such as `draw_losses` of [iface@Channel]
 * @function: what implements it, of exactly the member's type
 *
 * Declares a method of the component, between CLEAVE_PLUGIN_BEGIN() and CLEAVE_PLUGIN_END.
 */
#define CLEAVE_METHOD(method, function)                                                                                \
  if (cleave_interface != NULL)                                                                                        \
    cleave_interface->method = function;

/**
 * CLEAVE_FINALIZE:
 * @function: `void function (gpointer self)`
 *
 * Declares what frees that which an instance holds besides its parameters, between CLEAVE_PLUGIN_BEGIN() and
 * CLEAVE_PLUGIN_END. Parameters still have their values when it is called; it must not chain up.
 */
#define CLEAVE_FINALIZE(function)                                                                                      \
  if (cleave_class != NULL)                                                                                            \
    cleave_parameter_class_set_finalize (cleave_class, function);

/**
 * CLEAVE_STATE:
 * @member: a struct member of type GVariant *
 * @type: its GVariant type
 *
 * Makes the methods save and load of an optimizer whose whole state this member is. Its start sets the member, its
 * CLEAVE_FINALIZE frees it. What load takes has the type, but may hold anything, so check it where it is used. C only.
 */
#define CLEAVE_STATE(member, type)                                                                                     \
  if (cleave_interface != NULL)                                                                                        \
    cleave_optimizer_install_state (cleave_interface,                                                                  \
                                    sizeof (char[_Generic(((CleaveSelf *)0)->member, GVariant * : 1, default           \
                                                          : -1)])                                                      \
                                            * 0                                                                        \
                                        + G_STRUCT_OFFSET (CleaveSelf, member),                                        \
                                    type);

/**
 * CLEAVE_PLUGIN_END:
 *
 * Ends what CLEAVE_PLUGIN_BEGIN() began.
 */
#define CLEAVE_PLUGIN_END }

G_END_DECLS
