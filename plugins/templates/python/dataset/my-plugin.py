# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images of dashes in one column of many: which column is the class."""
import math

from gi.repository import Cleave, GObject

SIDE = 32  # pixels


class MyPlugin(GObject.Object, Cleave.Dataset):
    classes = Cleave.parameter(int, "", 2, SIDE, 4, "Classes")
    images = Cleave.parameter(int, "", 1, 1000, 128, "Training images of each class; a fourth as many for the test")

    def do_info(self):  # mean and deviation are those of the training images, where 255 counts as 1
        bright = 0.5 / self.classes
        return Cleave.DatasetInfo(self.classes, 3, SIDE, SIDE, [bright] * 3, [math.sqrt(bright - bright**2)] * 3)

    def draw(self, image):  # every second row of column `label` of so many, beginning with row 0 or 1
        label, start = image % self.classes, image // self.classes % 2
        bright = bytes(255 * (column * self.classes // SIDE == label) for column in range(SIDE))
        return b"".join(bright if row % 2 == start else bytes(SIDE) for row in range(SIDE)) * 3

    def do_load(self, subset):  # pixels [image, channel, row, column]
        n = self.classes * (self.images if subset == Cleave.Subset.TRAIN else max(1, self.images // 4))
        return Cleave.Images(b"".join(self.draw(i) for i in range(n)), [i % self.classes for i in range(n)])
