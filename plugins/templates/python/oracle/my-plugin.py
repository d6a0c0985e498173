# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device of constant speed that takes a moment to begin each operation."""
from gi.repository import Cleave, GObject


class MyPlugin(GObject.Object, Cleave.Oracle):
    speed = Cleave.parameter(float, "FLOPS", 1e6, 1e15, 1e10, "Speed of the device; a multiply-accumulate counts one")
    start = Cleave.parameter(float, "s", 0, 1, 1e-5, "Time to begin an operation")

    def do_estimate(self, network, first_op, end_op):
        # Seconds for one image. What the oracle can't tell: raise Cleave.error(Cleave.Error.UNSUPPORTED, "why").
        return sum(self.start + op.flops / self.speed for op in network.ops[first_op:end_op])
