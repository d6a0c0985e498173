# SPDX-License-Identifier: LGPL-2.1-or-later
"""Numbers of this data set; what holds for every data set is left to cleave check-plugin."""
import importlib
import gi

gi.require_version("Cleave", "1.0")
from gi.repository import Cleave

dataset = importlib.import_module("my-plugin").MyPlugin(images=8)
assert len(dataset.load(Cleave.Subset.TEST)) == 8
# Label 1 of 4: columns 8 to 15.
assert dataset.draw(1)[8] == 255 and dataset.draw(1)[16] == 0
