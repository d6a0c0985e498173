# SPDX-License-Identifier: LGPL-2.1-or-later
"""Numbers of this oracle; what holds for every oracle is left to cleave check-plugin."""
import importlib
import gi

gi.require_version("Cleave", "1.0")
from gi.repository import Cleave

oracle = importlib.import_module("my-plugin").MyPlugin(speed=1e6, start=1e-3)
builder = Cleave.NetworkBuilder.new(3, 8, 8)
builder.block("stem", None)
builder.conv("conv", 4, 3, 1, 1, 1)
# 4·3·3·3 products at each of 8·8 places, a million a second, and 1 ms to begin.
assert abs(oracle.estimate(builder.build(), 0, 1) - 7.912e-3) < 1e-12
