# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cleave for Python: parameters, checked methods, errors, and the conveniences of lists and bytes.

PyGObject loads this on top of what the typelib gives. It forwards only GLib.Error from a method that C calls; any other
exception, or a result of the wrong type, would be printed and become 0 or NULL. So every do_* method in the class of a
component is wrapped here."""
import array
import functools
import os
import pathlib
import re
import sys
import traceback

from gi.overrides import override
from gi.repository import GLib, GObject
from gi.types import GObjectMeta

from ..module import get_introspection_module

Cleave = get_introspection_module("Cleave")
__all__ = ["error", "parameter"]


def export(value):
    __all__.append(value.__name__)
    return override(value)


# --- Errors ---


def error(code, message):
    """The exception to raise where a method can say what is wrong: error(Cleave.Error.DATA, "t.csv: no such file")."""
    line = " ".join(str(message).split()).replace("\0", "\\0")
    # A file's name may hold what is not UTF-8.
    line = line.encode("utf-8", "backslashreplace").decode()
    return GLib.Error.new_literal(Cleave.error_quark(), line, int(code))


class Mistake(Exception):
    """A plugin's mistake that was found out here: the message says all."""


class WrongResult(Mistake):

    def __init__(self, name, value, expected):
        shown = repr(value)
        super().__init__(f"{name} gave {shown if len(shown) < 60 else shown[:60] + '…'}, expected {expected}")


def describe(exception):
    if isinstance(exception, Mistake):
        return str(exception)
    if isinstance(exception, SyntaxError) and exception.filename:
        place = f"{os.path.basename(exception.filename)}:{exception.lineno}"
        return f"{type(exception).__name__}: {exception.msg} ({place})"
    return "".join(traceback.format_exception_only(exception))


def as_error(exception, plugin, folder):
    """The exception as one of Cleave's errors, whatever it is: what else left a method would be printed and be 0."""
    try:
        return convert_exception(exception, plugin, folder)
    except BaseException:
        return error(Cleave.Error.PLUGIN, f"{plugin}: {type(exception).__name__}, which can't be told in words")


def convert_exception(exception, plugin, folder):
    """In one line, with the frames that lie in the plugin's folder."""
    if isinstance(exception, GLib.Error) and exception.domain == GLib.quark_to_string(Cleave.error_quark()):
        return exception
    frames = [
        f"{os.path.relpath(frame.filename, folder)}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(exception.__traceback__)
        if frame.filename.startswith(os.path.join(folder, "")) and frame.filename != __file__
    ]
    codes = {KeyboardInterrupt: Cleave.Error.CANCELLED, OSError: Cleave.Error.IO}
    code = next((codes[kind] for kind in codes if isinstance(exception, kind)), Cleave.Error.PLUGIN)
    return error(code, f"{plugin}: {describe(exception)}" + (f" ({', '.join(frames)})" if frames else ""))


# --- Results: of what the method NAME gave, what its interface takes ---


def to_type(kind, expected=None):
    def convert(name, value):
        if not isinstance(value, kind):
            raise WrongResult(name, value, expected or f"a Cleave.{kind.__name__}")
        return value

    return convert


def to_number(name, value):
    if isinstance(value, (str, bytes)) or not (hasattr(value, "__float__") or hasattr(value, "__index__")):
        raise WrongResult(name, value, "a number")
    return float(value)


def to_success(name, value):
    if value is False:
        raise WrongResult(name, value, "an exception where it fails")
    return True


def to_bytes(name, value):
    """Of anything with the buffer protocol, such as bytes or an array of them, or of a list of numbers."""
    if isinstance(value, GLib.Bytes):
        return value
    try:
        view = memoryview(bytes(value) if isinstance(value, (list, tuple)) else value)
    except (TypeError, ValueError):
        raise WrongResult(name, value, "bytes") from None
    if view.itemsize != 1:
        raise WrongResult(name, value, f"bytes, not items of {view.itemsize}")
    return GLib.Bytes.new(view.tobytes())


def to_variables(name, value):
    if isinstance(value, GLib.Variant):
        return value
    try:
        return GLib.Variant("a(sas)", value)
    except (TypeError, ValueError):
        raise WrongResult(name, value, "a list of (name, [category, …])") from None


def to_metrics(name, value):
    to_type(dict, "a dict of numbers")(name, value)
    return GLib.Variant("a{sd}", {str(key): to_number(f"{name}, {key},", number) for key, number in value.items()})


def to_candidate(name, value):
    if isinstance(value, (list, tuple)):
        return Candidate(value)
    return to_type(Candidate)(name, value)


def to_trials(name, value):
    if not isinstance(value, (list, tuple)):
        return to_type(Trials)(name, value)
    trials = Trials()
    for candidate in value:
        trials.add(to_candidate(name, candidate))
    return trials


def to_names(name, value):
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise WrongResult(name, value, "a list of names")
    return list(value)


# --- Parameters ---


class Parameter(GObject.Property):
    def __init__(self, form, property_type, default, text, help, **more):
        self.form, self.text = form, text
        self.unit, self.choices = more.get("unit", ""), more.get("choices")
        self.lowest, self.highest = more.get("limits", (0, 1))
        self.numbers = more.get("numbers", [])  # what must lie between the limits
        self.interface = more.get("interface", GObject.TYPE_NONE)
        super().__init__(type=property_type, default=default, blurb=help)
        self.default = default  # GObject.Property makes an empty string of None
        if property_type in (float, GObject.TYPE_UINT):
            self.minimum, self.maximum = self.lowest, self.highest

    def __get__(self, instance, owner):
        value = super().__get__(instance, owner)
        if self.form == Cleave.ParameterType.NUMBERS and instance is not None:
            return [float(number) for number in value.split(";")]
        return value

    def check(self, name):
        """Refuses a declaration as C does."""
        if not re.fullmatch("[a-z][a-z0-9_]*", name):
            raise ValueError(f"a parameter is called {name}, expected small letters a to z, digits and _")
        if name == "plugin":
            raise ValueError("a parameter is called plugin: that key of a config names the plugin itself")
        if self.choices and self.default not in self.choices.split("|"):
            raise ValueError(f"the default of {name}, {self.default}, is none of {self.choices}")
        for number in self.numbers:
            if not self.lowest <= number <= self.highest:
                raise ValueError(f"the default of {name}, {number:g}, is outside {self.lowest:g} to {self.highest:g}")

    def declare(self, owner):
        Cleave.parameter_declare(owner, self.name.replace("_", "-"), self.form, self.unit, self.lowest, self.highest,
                                 self.choices, self.interface, self.text)


def expect(value, kinds, what):
    if not isinstance(value, kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"{what} of a parameter is {value!r}, expected {expected}")
    return value


def parameter(kind, *declaration):
    """A parameter of a component, declared in one line of its class:

    parameter(float, unit, minimum, maximum, default, help)    likewise int
    parameter(bool, default, help)                             likewise str and pathlib.Path, whose default may be None
    parameter(("word", "other"), default, help)                one of these words
    parameter([float], minimum, maximum, [default, …], help)   a list of numbers
    parameter(Cleave.Optimizer, plugin, help)                  a component, of this plugin unless a config names another
    """
    types = Cleave.ParameterType

    def number(unit, minimum, maximum, default, help):
        for value in (minimum, maximum, default):
            if kind is int and not (int(value) == value and 0 <= value < 2**32):
                raise ValueError(f"{value} in a parameter of kind int, expected whole numbers from 0 to 2³² − 1")
        text = Cleave.quantity_format(default, unit)
        form, property_type = (types.DOUBLE, float) if kind is float else (types.UINT, GObject.TYPE_UINT)
        return Parameter(form, property_type, kind(default), text, help, unit=unit, numbers=[default],
                         limits=(kind(minimum), kind(maximum)))

    def numbers(minimum, maximum, default, help):
        text = "; ".join(Cleave.quantity_format(number, "") for number in default)
        return Parameter(types.NUMBERS, str, text, text, help, numbers=default, limits=(minimum, maximum))

    def word(default, help):
        expect(default, (str,), "the default")
        return Parameter(types.CHOICE, str, default, default, help, choices="|".join(kind))

    def switch(default, help):
        return Parameter(types.BOOLEAN, bool, default, "true" if default else "false", help)

    def text(default, help):
        default = os.fspath(default) if kind is pathlib.Path and default is not None else default
        expect(default, (str, type(None)), "the default")
        return Parameter(types.STRING if kind is str else types.PATH, str, default, default or "", help)

    def component(plugin, help):
        expect(plugin, (str,), "the plugin")
        return Parameter(types.COMPONENT, GObject.Object, None, plugin, help, interface=kind.__gtype__)

    expect(declaration[-1] if declaration else None, (str,), "the help")
    forms = {float: number, int: number, bool: switch, str: text, pathlib.Path: text}
    if isinstance(kind, tuple):
        return word(*declaration)
    if kind == [float]:
        return numbers(*declaration)
    if kind in METHODS:
        return component(*declaration)
    if kind in forms:
        return forms[kind](*declaration)
    raise TypeError(f"a parameter of kind {kind!r}; expected float, int, bool, str, pathlib.Path, [float], a tuple of "
                    "words or one of Cleave's interfaces")


# --- Components ---

METHODS = {}  # of each interface, by name: how many arguments a method takes, and what makes its result


def guard(name, method, n_arguments, convert):
    @functools.wraps(method)
    def guarded(self, *arguments):
        try:
            return convert(name, method(self, *arguments[:n_arguments]))
        except BaseException as exception:
            module = type(self).__module__
            folder = os.path.dirname(os.path.abspath(getattr(sys.modules[module], "__file__", "")))
            raise as_error(exception, module.removeprefix("cleave-"), folder) from None

    return guarded


def get_property(self, pspec):
    return getattr(type(self), pspec.name.replace("-", "_")).fget(self)


class ComponentMeta(GObjectMeta):
    """Makes a component of a class with one of Cleave's interfaces: its methods are wrapped before PyGObject hooks them
    up, its parameters declared when it has installed their properties."""

    def __new__(mcs, name, bases, namespace, **keywords):
        for interface in METHODS:
            for method, (n_arguments, convert) in METHODS[interface].items():
                written = namespace.get("do_" + method)
                if callable(written) and any(issubclass(base, interface) for base in bases):
                    namespace["do_" + method] = guard("do_" + method, written, n_arguments, convert)
        return super().__new__(mcs, name, bases, namespace, **keywords)

    def __init__(cls, name, bases, namespace, **keywords):
        if METHODS and not issubclass(cls, GObject.Object):
            raise TypeError(f"class {name} is no GObject.Object; expected class {name}(GObject.Object, …)")
        declared = {key: value for key, value in namespace.items() if isinstance(value, Parameter)}
        for key, value in declared.items():
            value.check(key)
        super().__init__(name, bases, namespace, **keywords)
        if declared:
            cls.do_get_property = get_property
        for value in declared.values():
            value.declare(cls)


@export
class Channel(Cleave.Channel, metaclass=ComponentMeta):
    pass


@export
class Dataset(Cleave.Dataset, metaclass=ComponentMeta):
    pass


@export
class Optimizer(Cleave.Optimizer, metaclass=ComponentMeta):
    def start(self, variables):
        return Cleave.Optimizer.start(self, to_variables("start", variables))


@export
class Oracle(Cleave.Oracle, metaclass=ComponentMeta):
    pass


@export
class Space(Cleave.Space, metaclass=ComponentMeta):
    pass


# --- Conveniences ---


@export
class Candidate(Cleave.Candidate):
    split = property(Cleave.Candidate.get_split)

    def __new__(cls, choices):
        return Cleave.Candidate.new(choices)

    def __len__(self):
        return self.get_length()

    def __getitem__(self, index):
        return self.get_choices()[index]

    def __eq__(self, other):
        return isinstance(other, Candidate) and self.equal(other)

    def __hash__(self):
        return hash(tuple(self))


@export
class Trials(Cleave.Trials):
    def add(self, candidate, placement=Cleave.Placement.SPLIT, fidelity=Cleave.Fidelity.MINIBATCH):
        Cleave.Trials.add(self, candidate, placement, fidelity)

    def __len__(self):
        return self.get_length()

    def __getitem__(self, index):
        return self.get_candidate(range(len(self))[index])


@export
class Network(Cleave.Network):
    ops = property(lambda self: [self.get_op(i) for i in range(self.get_n_ops())])
    blocks = property(lambda self: [self.get_block(i) for i in range(self.get_n_blocks())])
    cut = property(Cleave.Network.get_cut)


@export
class DatasetInfo(Cleave.DatasetInfo):
    def __new__(cls, n_classes, channels, height, width, mean, deviation):
        if not channels == len(mean) == len(deviation):
            raise ValueError(f"{channels} channels, {len(mean)} means, {len(deviation)} deviations; expected as many")
        return Cleave.DatasetInfo.new(n_classes, height, width, mean, deviation)

    def __init__(self, *arguments):
        pass  # Boxed.__init__ takes none


@export
class Images(Cleave.Images):
    def __new__(cls, pixels, labels):
        """Pixels: bytes, or an array of them, [n, channels, height, width]; labels: n whole numbers."""
        labels = array.array("H", labels)
        return Cleave.Images.new(len(labels), to_bytes("pixels", pixels), GLib.Bytes.new(labels.tobytes()))

    def __len__(self):
        return self.get_length()


# PyGObject passes the length of a list too, hence the numbers of arguments.
METHODS[Channel] = {"bits": (1, to_number), "seconds": (1, to_number), "drop_rate": (0, to_number),
                    "draw_losses": (3, to_bytes)}
METHODS[Dataset] = {"info": (0, to_type(DatasetInfo)), "class_names": (0, to_names), "load": (1, to_type(Images))}
METHODS[Optimizer] = {"start": (1, to_success), "ask": (2, to_trials), "tell": (2, to_success),
                      "recommend": (0, to_candidate), "save": (0, to_type(GLib.Variant, "a GLib.Variant")),
                      "load": (1, to_success), "metrics": (0, to_metrics)}
METHODS[Oracle] = {"estimate": (3, to_number)}
METHODS[Space] = {"variables": (0, to_variables), "build": (1, to_type(Network)), "set_dataset": (1, to_success)}
