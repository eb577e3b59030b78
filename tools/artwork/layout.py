"""Where motifs go: scattering that knows about wrap-around, gap finding, mirrored drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from tools.artwork.surface import OVERSAMPLE, Colour, Points, Surface, rgb


def scatter(
    rng: np.random.Generator,
    size: tuple[int, int],
    radii: list[float],
    *,
    gap: float,
    tries: int = 400,
) -> list[tuple[float, float, float]]:
    """Discs (x, y, radius), largest first, that keep `gap` apart on the wrapped sheet.

    A disc that finds no room in `tries` throws is left out.
    """
    kept: list[tuple[float, float, float]] = []
    for radius in sorted(radii, reverse=True):
        known = np.array(kept or [(-1e9, -1e9, 0.0)])
        for _ in range(tries):
            spot = rng.uniform((0, 0), size)
            away = np.abs(known[:, :2] - spot)
            away = np.minimum(away, np.abs(np.array(size) - away))
            if (np.hypot(away[:, 0], away[:, 1]) >= known[:, 2] + radius + gap).all():
                kept.append((float(spot[0]), float(spot[1]), radius))
                break
    return kept


def spread(
    discs: Sequence[tuple[float, float, float]], size: tuple[int, int], rounds: int = 300
) -> list[tuple[float, float, float]]:
    """Push discs (x, y, radius) apart on the wrapped sheet until their gaps are even.

    Each pair repels with a force that falls off exponentially with the gap between their rims;
    steps shrink, so the arrangement settles near where it was drawn.
    """
    spots = np.array([d[:2] for d in discs], np.float64)
    radii = np.array([d[2] for d in discs])
    sheet = np.array(size, np.float64)
    for round_ in range(rounds):
        away = spots[:, None] - spots[None]
        away -= sheet * np.round(away / sheet)
        distance = np.hypot(away[..., 0], away[..., 1]) + np.eye(len(discs)) * 1e9
        rim = distance - radii[:, None] - radii[None]
        force = np.exp(-rim / 60) / distance
        spots += 10 * (1 - round_ / rounds) * (away * force[..., None]).sum(1)
    spots %= sheet
    return [(float(x), float(y), float(r)) for (x, y), r in zip(spots, radii, strict=True)]


def roomiest(surface: Surface, ground: Colour) -> tuple[float, float, float]:
    """Centre and radius, in design pixels, of the largest disc of bare ground left."""
    bare = (np.abs(surface.rgb - rgb(ground)).max(axis=2) < 2).astype(np.uint8)[::8, ::8]
    rows, columns = bare.shape
    wrapped = np.pad(bare, ((rows // 2,) * 2, (columns // 2,) * 2), mode="wrap")
    free = cv2.distanceTransform(wrapped, cv2.DIST_L2, 5)
    free = free[rows // 2 : rows // 2 + rows, columns // 2 : columns // 2 + columns]
    y, x = np.unravel_index(int(free.argmax()), free.shape)
    scale = 8 / OVERSAMPLE
    return float(x) * scale, float(y) * scale, float(free[y, x]) * scale


class Mirrored:
    """Draws every shape twice: as given, and reflected in the sheet's vertical middle."""

    def __init__(self, surface: Surface) -> None:
        self.surface = surface

    def _reflect(self, points: Any) -> Points:
        p = np.asarray(points, np.float64)
        return p * (-1, 1) + (self.surface.width, 0)

    def polygon(self, points: Points, colour: Colour, **how: Any) -> None:
        """`Surface.polygon`, both sides."""
        self.surface.polygon(points, colour, **how)
        if "axis" in how:
            how["axis"] = tuple(self._reflect(how["axis"]))
        self.surface.polygon(self._reflect(points), colour, **how)

    def stroke(self, line: Points, width: float, colour: Colour, **how: Any) -> None:
        """`Surface.stroke`, both sides."""
        self.surface.stroke(line, width, colour, **how)
        self.surface.stroke(self._reflect(line), width, colour, **how)

    def disc(self, x: float, y: float, radius: float, colour: Colour, **how: float) -> None:
        """`Surface.disc`, both sides."""
        self.surface.disc(x, y, radius, colour, **how)
        self.surface.disc(self.surface.width - x, y, radius, colour, **how)
