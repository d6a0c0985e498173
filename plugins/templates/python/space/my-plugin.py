# SPDX-License-Identifier: LGPL-2.1-or-later
"""A chain of convolutions of 3×3 or 5×5, cut after any of them."""
from gi.repository import Cleave, GObject

NAMES, KERNELS = ["first", "second", "third"], ["3x3", "5x5"]


class MyPlugin(GObject.Object, Cleave.Space):
    channels = Cleave.parameter(int, "", 1, 256, 16, "Channels behind the first convolution; each other doubles them")

    def do_variables(self):  # each with its categories; the last is the split point
        return [(name, KERNELS) for name in NAMES] + [("split", ["0", "1", "2"])]

    def do_set_dataset(self, info):
        self.shape = (info.channels, info.height, info.width) if info else (3, 32, 32)
        self.classes = info.n_classes if info else 10

    def do_build(self, candidate):
        builder = Cleave.NetworkBuilder.new(*self.shape)
        for i, name in enumerate(NAMES):
            builder.block(name, KERNELS[candidate[i]])
            builder.conv_norm_relu(self.channels << i, 3 + 2 * candidate[i], 2)
            if candidate.split == i:
                builder.cut()
        builder.block("pool", None)
        builder.pool()
        builder.block("fc", None)
        builder.linear(None, self.classes)
        return builder.build()
