# SPDX-License-Identifier: LGPL-2.1-or-later
"""Numbers of this space; what holds for every space is left to cleave check-plugin."""
import importlib
import gi

gi.require_version("Cleave", "1.0")
from gi.repository import Cleave

space = importlib.import_module("my-plugin").MyPlugin()
space.set_dataset(None)
# After the second convolution: 32 channels of 8×8.
assert space.build(Cleave.Candidate([0, 1, 0, 1])).get_payload_elements() == 2048
