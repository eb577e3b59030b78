"""Colours as people use them, sRGB 0..1 (h, s, v likewise)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rng = np.random.Generator
Colour = npt.NDArray[np.float64]


class Palette:
    """How white the room being built is: 0 as drawn, 1 nearly everything. Set once a room."""

    white: float = 0.0


def whiten(c: Colour) -> Colour:
    """The colour, or in a white room most often a near-white of its hue; draws no random number."""
    lot = float(np.dot(c, (311.7, 173.3, 257.9))) % 1.0
    if lot >= Palette.white:
        return c
    return 0.84 + 0.1 * c + 0.05 * (c - c.mean())


def linear(c: Colour) -> Colour:
    """sRGB 0..1 to linear."""
    c = np.asarray(c, float)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def hsv(h: float, s: float, v: float) -> Colour:
    """A colour of this hue, saturation and value."""
    i = int(h * 6) % 6
    f = h * 6 - int(h * 6)
    p, q, t = v * (1 - s), v * (1 - f * s), v * (1 - (1 - f) * s)
    return np.array([(v, t, p), (q, v, p), (p, v, t), (p, q, v), (t, p, v), (v, p, q)][i])


def wall_colour(rng: Rng) -> Colour:
    """Paints as people use them: mostly whites, creams and greys, some colours, a few dark ones."""
    return whiten(_wall_colour(rng))


def _wall_colour(rng: Rng) -> Colour:
    k = rng.random()
    if k < 0.36:
        return hsv(rng.uniform(0.06, 0.16), rng.uniform(0, 0.16), rng.uniform(0.78, 0.97))
    if k < 0.52:
        return hsv(rng.uniform(0, 1), rng.uniform(0, 0.08), rng.uniform(0.45, 0.92))
    if k < 0.72:
        return hsv(rng.uniform(0.02, 0.17), rng.uniform(0.15, 0.6), rng.uniform(0.5, 0.95))
    if k < 0.92:
        return hsv(rng.uniform(0, 1), rng.uniform(0.12, 0.6), rng.uniform(0.35, 0.9))
    return hsv(rng.uniform(0, 1), rng.uniform(0.1, 0.9), rng.uniform(0.08, 0.5))


def any_colour(rng: Rng) -> Colour:
    """Furniture and small objects: neutral, woody or bright."""
    return whiten(_any_colour(rng))


def _any_colour(rng: Rng) -> Colour:
    k = rng.random()
    if k < 0.3:
        return hsv(rng.uniform(0, 1), rng.uniform(0, 0.08), rng.uniform(0.03, 0.95))
    if k < 0.55:
        return hsv(rng.uniform(0.04, 0.11), rng.uniform(0.25, 0.75), rng.uniform(0.15, 0.85))
    return hsv(rng.uniform(0, 1), rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9))
