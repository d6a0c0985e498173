# SPDX-License-Identifier: LGPL-2.1-or-later
"""A link that takes a fixed time a transfer and loses each element independently."""
from gi.repository import Cleave, GObject


class MyPlugin(GObject.Object, Cleave.Channel):
    throughput = Cleave.parameter(float, "bit/s", 1, 1e12, 8e6, "Throughput, overheads included")
    delay = Cleave.parameter(float, "s", 0, 10, 1e-3, "Time before the first bit arrives")
    drop_rate = Cleave.parameter(float, "", 0, 0.99, 0.2, "Probability that an element is lost")

    def do_bits(self, n_elements):
        return 32 * n_elements

    def do_seconds(self, n_elements):
        return self.delay + self.do_bits(n_elements) / self.throughput

    def do_drop_rate(self):
        return self.drop_rate

    def do_draw_losses(self, n_elements, drop_rate, random):
        # A byte an element, 0 = lost, 1 = arrived. All that is random comes from random, so that the seed fixes a run.
        return random.flags(n_elements, 1 - drop_rate)
