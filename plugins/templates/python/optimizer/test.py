# SPDX-License-Identifier: LGPL-2.1-or-later
"""Numbers of this optimizer; what holds for every optimizer is left to cleave check-plugin."""
import importlib
import gi

gi.require_version("Cleave", "1.0")
from gi.repository import Cleave

optimizer = importlib.import_module("my-plugin").MyPlugin(samples=3)
optimizer.start([("a", ["x", "y"]), ("split", ["0"])])
trials = optimizer.ask(0, Cleave.Random.new(1, 0, 0, 0))
optimizer.tell(trials, [3, 1, 2])
assert optimizer.recommend() == trials[1]
