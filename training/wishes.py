"""What a simulated person wants of a room: all walls, one of them, and at times what only they call wall.

People, and those who labelled photos, do not share our idea of a wall: a door, a cupboard front or a
curtain may be meant, half a wall may not. Nobody can guess it; but once a click has said it the whole
thing should follow. On our rooms a network soon knows by itself what we call wall, and would learn
to hear that rather than the click.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from training.errors import LEAST_CELLS, BoolArray, Parts, bound, drawn

WITH_WHIMS: Final = 0.6  # share of people who may have some
_WANTED_TOO: Final = 1.3  # mean number of other things that they call wall
_UNWANTED: Final = 0.9  # mean number of wall parts that they do not


@dataclass(frozen=True, slots=True, eq=False)
class Whim:
    """A part, bool 256 x 256, that a person sees otherwise than we do. wanted: they call it wall."""

    part: BoolArray
    wanted: bool


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """walls: what our labels say is meant, bool 256 x 256. whims: see `Whim`."""

    walls: BoolArray
    whims: tuple[Whim, ...] = ()

    @property
    def wanted(self) -> BoolArray:
        """All that the person wants in the end."""
        return _changed(self.walls, self.whims)

    def expected(
        self, clicked: Sequence[tuple[int, int]], walls: BoolArray
    ) -> tuple[BoolArray, BoolArray]:
        """What an answer to clicks at (column, row) should mark of `walls`, and where nobody can know it.

        A whim is known when a click lies in it; what the others would change is not.
        """
        known = [w for w in self.whims if any(w.part[row, column] for column, row in clicked)]
        expected = _changed(walls, known)
        return expected, expected != _changed(walls, self.whims)


def whims(parts: Parts, rng: np.random.Generator) -> tuple[Whim, ...]:
    """Some of a room's things and wall parts (`errors.parts_of`) that a person sees otherwise."""
    found = []
    for some, mean, wanted in ((parts[0], _WANTED_TOO, True), (parts[1], _UNWANTED, False)):
        for whole in drawn(some, int(rng.poisson(mean)), rng):
            # A thing is meant as a whole, of a wall also some part.
            part = whole if wanted else whole & bound(rng)
            if part.sum() >= LEAST_CELLS:
                found.append(Whim(part, wanted))
    return tuple(found)


def _changed(walls: BoolArray, some: Sequence[Whim]) -> BoolArray:
    changed = walls.copy()
    for whim in some:
        changed[whim.part] = whim.wanted
    return changed
