# SPDX-License-Identifier: LGPL-2.1-or-later
"""Numbers of this channel; what holds for every channel is left to cleave check-plugin."""
import importlib
import gi

gi.require_version("Cleave", "1.0")
channel = importlib.import_module("my-plugin").MyPlugin()
# 1000 elements of 32 bit at 8 Mbit/s are 4 ms, and the delay is 1 ms.
assert abs(channel.seconds(1000) - 5e-3) < 1e-12
