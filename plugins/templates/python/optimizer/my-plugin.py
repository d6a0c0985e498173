# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random search that keeps the candidate of the lowest value."""
from gi.repository import Cleave, GLib, GObject


class MyPlugin(GObject.Object, Cleave.Optimizer):
    samples = Cleave.parameter(int, "", 1, 1024, 2, "Candidates scored together, on the same minibatch")

    def do_start(self, variables):
        self.variables, self.best, self.value = variables, [0] * len(variables), float("inf")

    def do_ask(self, progress, random):  # an empty list ends the search
        n = self.samples if progress < 1 else 0
        return [Cleave.Candidate.new_random(self.variables, random) for i in range(n)]

    def do_tell(self, trials, values):
        for candidate, value in zip(trials, values):
            if value < self.value:
                self.best, self.value = list(candidate), value

    def do_recommend(self):
        return self.best

    def do_save(self):  # all that a checkpoint keeps
        return GLib.Variant("(aud)", (self.best, self.value))

    def do_load(self, state):
        self.best, self.value = state.unpack()
