# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the host has done in Python: to import a plugin and make its component, or say in one line what is wrong.

libpeas's own loader imports plugins too, but as top-level modules, so that one called random would take the place of
Python's; and an exception in __init__ it can only print."""
import importlib.util
import os
import sys

import gi

gi.require_version("Cleave", "1.0")

from gi.repository import Cleave, Gio, GLib, GObject
from gi.overrides.Cleave import Mistake, as_error

# The process's output is the command's: what a plugin prints is for people.
sys.stdout = sys.stderr


def take_environment():
    """Gives os.environ the user's variables that the host changed while Python started."""
    for name in ("PATH", "PYTHONHOME", "PYTHONPATH", "GI_TYPELIB_PATH"):
        value = GLib.getenv(name)
        if value is not None:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)


def import_plugin(folder, plugin):
    path = os.path.join(folder, plugin + ".py")
    if not os.path.exists(path):
        path = os.path.join(folder, plugin, "__init__.py")
    if not os.path.exists(path):
        raise Mistake(f"there is no {plugin}.py beside its manifest in {folder}")
    name = "cleave-" + plugin
    present = sys.modules.get(name)
    if present is not None and present.__file__ == path:
        return present
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def make_component(module, interface):
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, interface) and value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        names = ", ".join(value.__name__ for value in classes) or "none"
        raise Mistake(f"expected one class with Cleave.{interface.__name__} in its module, found {names}")
    component = classes[0]()
    try:
        component.__grefcount__
    except TypeError:
        raise Mistake(f"{classes[0].__name__}.__init__ does not call super().__init__()") from None
    return component


class Importer(GObject.Object, Gio.Initable):
    folder = GObject.Property(type=str)
    plugin = GObject.Property(type=str)
    kind = GObject.Property(type=str)
    component = GObject.Property(type=GObject.Object)

    def do_init(self, cancellable):
        take_environment()
        try:
            module = import_plugin(self.folder, self.plugin)
            self.component = make_component(module, getattr(Cleave, self.kind.capitalize()))
        except BaseException as exception:
            raise as_error(exception, self.plugin, self.folder) from None
        return True
