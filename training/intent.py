"""What a simulated user wants: all walls of a photo or one, and what they alone call wall.

People, and those who labelled photos, do not share our idea of a wall: a door, a cupboard front or
a curtain may be meant, half a wall may not. Nobody can guess such a preference, but once a click
has shown it, all of it should follow. Without preferences the network soon knows what our labels
call wall, and learns to follow them rather than the click.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from training.simulated_errors import LEAST_CELLS, BoolArray, Parts, draw_parts, random_extent

WITH_PREFERENCES: Final = 0.6  # share of users who may have some
_WANTED_OBJECTS: Final = 1.3  # mean number of objects that a user calls wall
_UNWANTED_WALLS: Final = 0.9  # mean number of wall parts that a user does not


@dataclass(frozen=True, slots=True, eq=False)
class Preference:
    """A part, bool 256 x 256, that a user labels otherwise. wanted: they call it wall."""

    part: BoolArray
    wanted: bool


@dataclass(frozen=True, slots=True, eq=False)
class Intent:
    """walls: what our labels say is meant, bool 256 x 256. preferences: where the user differs."""

    walls: BoolArray
    preferences: tuple[Preference, ...] = ()

    @property
    def wanted(self) -> BoolArray:
        """All that the user wants in the end, bool 256 x 256."""
        return _with_preferences(self.walls, self.preferences)

    def expected(
        self, clicked: Sequence[tuple[int, int]], walls: BoolArray
    ) -> tuple[BoolArray, BoolArray]:
        """What the mask after some clicks should be, and where nobody can know it yet.

        clicked: cells (column, row) of the 256 grid. walls: bool 256 x 256, what the clicks mean by
        our labels. A preference is known once a click lies in its part. Returns two arrays bool 256
        x 256.
        """
        known = [p for p in self.preferences if any(p.part[row, column] for column, row in clicked)]
        expected = _with_preferences(walls, known)
        return expected, expected != _with_preferences(walls, self.preferences)


def draw_preferences(parts: Parts, rng: np.random.Generator) -> tuple[Preference, ...]:
    """Some of a photo's parts (`simulated_errors.parts_of`) that a user labels otherwise."""
    found = []
    for some, mean, wanted in (
        (parts[0], _WANTED_OBJECTS, True),
        (parts[1], _UNWANTED_WALLS, False),
    ):
        for whole in draw_parts(some, int(rng.poisson(mean)), rng):
            # An object is meant as a whole, a wall also in part.
            part = whole if wanted else whole & random_extent(rng)
            if part.sum() >= LEAST_CELLS:
                found.append(Preference(part, wanted))
    return tuple(found)


def _with_preferences(walls: BoolArray, some: Sequence[Preference]) -> BoolArray:
    changed = walls.copy()
    for preference in some:
        changed[preference.part] = preference.wanted
    return changed
