/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cleave/cleave-plugin.h>

#include <libpeas/peas.h>

/**
 * cleave_plugin_register: (skip)
 * @module: what the module's `peas_register_types` was given
 * @type_name: the component's type name
 * @interface_type: the interface that it implements
 * @instance_size: size of its instance struct, whose first member is a GObject
 * @class_init: installs its parameters
 * @interface_init: fills in its methods
 *
 * Registers the one component of a plugin module; CLEAVE_PLUGIN_BEGIN() calls it. A type name that something else in
 * the process has taken is refused with a warning, which the host turns into the error of whoever asked for the plugin.
 */
void
cleave_plugin_register (GTypeModule *module, const char *type_name, GType interface_type, gsize instance_size,
                        GClassInitFunc class_init, GInterfaceInitFunc interface_init)
{
  const GTypeInfo info
      = { .class_size = sizeof (GObjectClass), .class_init = class_init, .instance_size = (guint16)instance_size };
  const GInterfaceInfo interface = { .interface_init = interface_init };
  GType type = g_type_from_name (type_name);

  g_return_if_fail (PEAS_IS_OBJECT_MODULE (module));
  g_return_if_fail (instance_size >= sizeof (GObject) && instance_size <= G_MAXUINT16);

  if (type != 0 && g_type_get_plugin (type) != G_TYPE_PLUGIN (module))
    {
      g_warning ("the type name %s is taken by another plugin or library", type_name);
      return;
    }
  type = g_type_module_register_type (module, G_TYPE_OBJECT, type_name, &info, 0);
  g_type_module_add_interface (module, type, interface_type, &interface);
  peas_object_module_register_extension_type (PEAS_OBJECT_MODULE (module), interface_type, type);
}
