"""What sets a room or a photo apart: drawn from streams of their own, so each has its own chance.

The rest of a room draws from another stream: a room with a trait is otherwise the room of its seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

_ROOM_STREAM: Final = 11
_VIEW_STREAM: Final = 13
FURNISHINGS: Final = ("as drawn", "fitted kitchen", "bathroom")
_FURNISHING_CHANCE: Final = (0.76, 0.15, 0.09)
_CEILINGS: Final = ("as drawn", "as walls", "dark", "attic", "attic as walls")
_CEILING_CHANCE: Final = (0.66, 0.16, 0.06, 0.06, 0.06)
_PAINTS: Final = ("as drawn", "a paint per wall", "two heights", "large pattern")
_PAINT_CHANCE: Final = (0.79, 0.08, 0.07, 0.06)


@dataclass(frozen=True, slots=True)
class RoomTraits:
    """How a room differs from the plain one. big: number of large objects."""

    furnishing: str = "as drawn"
    ceiling: str = "as drawn"
    paint: str = "as drawn"
    white: bool = False
    big: int = 0
    crowded: bool = False
    mixed_light: bool = False


@dataclass(frozen=True, slots=True)
class ViewTraits:
    """How a photo differs from the plain one.

    barrel: k of r_u = r_d (1 - k) / (1 - k r_d^2), r from 0 at the centre to 1 at the corners.
    tilt: roll in radians. exposure: in stops. noise: times the usual. vignette: light lost at the
    corners.
    """

    barrel: float = 0.0
    tilt: float = 0.0
    near: bool = False
    upward: bool = False
    flash: bool = False
    exposure: float = 0.0
    noise: float = 1.0
    vignette: float = 0.0


def draw_room_traits(seed: int) -> RoomTraits:
    """The traits of room `seed`."""
    rng = np.random.default_rng([seed, _ROOM_STREAM])
    furnishing = str(rng.choice(FURNISHINGS, p=_FURNISHING_CHANCE))
    ceiling = str(rng.choice(_CEILINGS, p=_CEILING_CHANCE))
    paint = str(rng.choice(_PAINTS, p=_PAINT_CHANCE))
    white = bool(rng.random() < 0.18)
    big = int(rng.integers(1, 4)) if rng.random() < 0.4 else 0
    crowded, mixed = rng.random(2) < (0.22, 0.15)
    return RoomTraits(furnishing, ceiling, paint, white, big, bool(crowded), bool(mixed))


def draw_view_traits(seed: int, view: int) -> ViewTraits:
    """The traits of photo `view` of room `seed`."""
    rng = np.random.default_rng([seed, _VIEW_STREAM, view])
    barrel = float(rng.uniform(0.03, 0.22)) if rng.random() < 0.25 else 0.0
    tilt = float(rng.normal(0, 0.12)) if rng.random() < 0.12 else 0.0
    near, upward, flash = (bool(x) for x in rng.random(3) < (0.1, 0.12, 0.1))
    mood = rng.random()
    exposure, noise = 0.0, 1.0
    if mood < 0.08:
        exposure, noise = float(rng.uniform(-2.6, -1.2)), float(rng.uniform(1.5, 3.0))
    elif mood < 0.17:
        exposure = float(rng.uniform(0.7, 1.5))
    vignette = float(rng.uniform(0.3, 0.75)) if rng.random() < 0.1 else 0.0
    return ViewTraits(barrel, tilt, near, upward, flash, exposure, noise, vignette)
