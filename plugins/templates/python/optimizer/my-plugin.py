# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random search that keeps the candidate of the lowest value."""
from gi.repository import Cleave, GLib, GObject


class MyPlugin(GObject.Object, Cleave.Optimizer):
    samples = Cleave.parameter(int, "", 1, 1024, 2, "Candidates scored together, on the same minibatch")

    def do_start(self, variables):
        self.variables, self.best, self.value = variables, [0] * len(variables), float("inf")

    def do_ask(self, progress, random):  # an empty list ends the search
        return [Cleave.Candidate.new_random(self.variables, random) for i in range(self.samples if progress < 1 else 0)]

    def do_tell(self, trials, values):
        for candidate, value in zip(trials, values):
            if value < self.value:
                self.best, self.value = list(candidate), value

    def do_recommend(self):
        return self.best

    def do_save(self):  # all that a checkpoint keeps
        return GLib.Variant("(aud)", (self.best, self.value))

    def do_load(self, state):
        if state.get_type_string() != "(aud)":
            raise Cleave.error(Cleave.Error.DATA, "my-plugin: the state is not of type (aud)")
        self.best = list(Cleave.Candidate.new_from_variant(state.get_child_value(0), self.variables))
        self.value = state.unpack()[1]
