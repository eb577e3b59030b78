"""How a wallpaper lies on its wall: scale, phase, rotation, drop, mirror, tile or mural."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from rendering.errors import PlacementError

Mode = Literal["tile", "fit-height", "fit-width", "cover"]
MODES: tuple[str, ...] = get_args(Mode)

# A repeat wider than any room, or finer than a grain of sand, is a slip of the keyboard (cm for m).
MIN_REPEAT_M = 0.005
MAX_REPEAT_M = 50.0
MAX_ORIGIN_M = 1000.0
ROLL_M = 0.53  # the usual European roll
MIN_STRIP_M, MAX_STRIP_M = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the wallpaper's picture lies on the wall. Metres, x right, y down.

    `repeat_width_m`  width of one repeat (the whole picture), 0.005..50; `tile` mode only
    `origin_m`        the picture's top-left corner, from the top-left corner of the plane's quad
    `rotation_deg`    turns the pattern clockwise about that corner
    `drop`            fraction of the repeat height by which every next column hangs lower
    `mirror`          flips the picture left to right
    `mode`            `tile`: repeats in both directions; the murals keep the aspect and take
                      their size from the quad: `fit-height` (repeats sideways only),
                      `fit-width` (repeats downwards only), `cover` (one picture, centred)
    `seams`           shows the joints between strips, from the picture's left edge on and turned
                      with it
    `strip_width_m`   width of a strip, that is of a roll, 0.1..5; of `seams` only

    Raises:
        PlacementError: a value makes no sense.
    """

    repeat_width_m: float
    origin_m: tuple[float, float] = (0.0, 0.0)
    rotation_deg: float = 0.0
    drop: float = 0.0
    mirror: bool = False
    mode: Mode = "tile"
    seams: bool = False
    strip_width_m: float = ROLL_M

    def __post_init__(self) -> None:
        self._check_width()
        if len(self.origin_m) != 2 or not all(
            _is_number(v) and abs(v) <= MAX_ORIGIN_M for v in self.origin_m
        ):
            raise PlacementError(
                "The origin must be two numbers in metres.", f"origin_m={self.origin_m!r}"
            )
        if not _is_number(self.rotation_deg):
            raise PlacementError("The rotation must be a number of degrees.")
        if not _is_number(self.drop) or not -1.0 <= self.drop <= 1.0:
            raise PlacementError(
                "The drop must be a fraction of the repeat between 0 and 1, such as 0.5.",
                f"drop={self.drop!r}",
            )
        if self.mode not in MODES:
            raise PlacementError(
                f"The mode must be one of {', '.join(MODES)}.", f"mode={self.mode!r}"
            )
        if not (
            _is_number(self.strip_width_m) and MIN_STRIP_M <= self.strip_width_m <= MAX_STRIP_M
        ):
            raise PlacementError(
                f"The strips must be {MIN_STRIP_M} to {MAX_STRIP_M:.0f} metres wide, "
                f"such as {ROLL_M}.",
                f"strip_width_m={self.strip_width_m!r}",
            )

    def _check_width(self) -> None:
        if not _is_number(self.repeat_width_m):
            raise PlacementError(
                "The repeat width must be a number of metres.",
                f"repeat_width_m={self.repeat_width_m!r}",
            )
        if not MIN_REPEAT_M <= self.repeat_width_m <= MAX_REPEAT_M:
            raise PlacementError(
                f"The repeat width must lie between {MIN_REPEAT_M} and {MAX_REPEAT_M:.0f} metres.",
                f"repeat_width_m={self.repeat_width_m!r}",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
