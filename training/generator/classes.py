"""Class numbers of labels.png, in the order of `training.dataset.CLASSES`."""

from __future__ import annotations

OTHER, WALL, FLOOR, CEILING, DOOR, WINDOW, TRIM, OBJECT, CURTAIN, FLAT = range(10)
