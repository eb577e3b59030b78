"""Outlines that several designs share: curves, leaves, petals, a bird."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tools.artwork.surface import Points


def smooth(points: Points | list[tuple[float, float]], *, closed: bool, steps: int = 10) -> Points:
    """A centripetal-looking curve through the points (uniform Catmull-Rom), `steps` per span."""
    p = np.asarray(points, np.float64)
    ends = (p[-1:], p[:2]) if closed else (p[:1], p[-1:])
    q = np.concatenate([ends[0], p, ends[1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    spans = [
        0.5
        * (
            2 * b
            + (c - a) * t
            + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - a - 3 * c + d) * t**3
        )
        for a, b, c, d in zip(q[:-3], q[1:-2], q[2:-1], q[3:], strict=True)
    ]
    return np.concatenate(spans if closed else [*spans, p[-1:]])


def place(
    points: Points, x: float, y: float, scale: float, turn: float, *, flip: bool = False
) -> Points:
    """Scale, turn (radians, clockwise on screen) and move an outline; `flip` mirrors it first."""
    p = np.asarray(points, np.float64) * ((-1, 1) if flip else (1, 1)) * scale
    c, s = np.cos(turn), np.sin(turn)
    return np.asarray(p @ np.array([[c, s], [-s, c]]) + (x, y), np.float64)


def bent(points: Points, bend: float) -> Points:
    """Bend an outline lying along +x by `bend` radians over its unit length."""
    x, y = points[:, 0], points[:, 1]
    if abs(bend) < 1e-6:
        return points
    angle, radius = bend * x, 1 / bend
    return np.stack([(radius - y) * np.sin(angle), radius - (radius - y) * np.cos(angle)], 1)


def leaf(width: float, *, belly: float = 0.42, bend: float = 0.0, steps: int = 18) -> Points:
    """A pointed leaf from (0, 0) to (1, 0), widest at `belly`, `width` across."""
    t = np.linspace(0, 1, steps)
    power = np.log(0.5) / np.log(belly)
    half = width / 2 * np.sin(np.pi * t**power) ** 1.15
    outline = np.concatenate([np.stack([t, -half], 1), np.stack([t, half], 1)[::-1]])
    return bent(outline, bend)


def spine(bend: float, start: float = 0.0, end: float = 1.0, steps: int = 12) -> Points:
    """The middle line of a leaf made with the same bend."""
    t = np.linspace(start, end, steps)
    return bent(np.stack([t, np.zeros_like(t)], 1), bend)


def veins(width: float, bend: float, count: int, *, belly: float = 0.42) -> Iterator[Points]:
    """Side veins of such a leaf, as short curved lines from the spine towards the edge."""
    power = np.log(0.5) / np.log(belly)
    for at in np.linspace(0.14, 0.78, count):
        reach = min(at + 0.16, 0.97)
        half = width / 2 * np.sin(np.pi * reach**power) ** 1.15 * 0.82
        for side in (-1, 1):
            t = np.linspace(0, 1, 6)
            line = np.stack([at + (reach - at) * t, side * half * t**1.25], 1)
            yield bent(line, bend)


def petal(
    rng: np.random.Generator, width: float, *, notch: float = 0.06, ruffle: float = 0.02
) -> Points:
    """A rounded petal from (0, 0) to about (1, 0) with a slightly notched, ruffled rim."""
    t = np.linspace(-1, 1, 41)
    angle = t * np.pi / 2
    x = np.cos(angle) ** 0.75 - notch * np.exp(-((t / 0.16) ** 2))
    x = 0.34 + 0.66 * x
    y = width / 2 * np.sign(t) * np.abs(np.sin(angle)) ** 0.9
    waves = sum(rng.normal() * np.cos(k * np.pi * t + rng.uniform(0, 6.3)) for k in (2, 3, 5, 7))
    x = x + ruffle * waves * np.cos(angle)
    side = np.linspace(0, 1, 8)[1:-1]
    down = np.stack([0.34 * (1 - side), width / 2 * (1 - side) ** 0.7], 1)
    up = down[::-1] * (1, -1)
    return np.concatenate([np.stack([x, y], 1), down, [[0, 0]], up])


# A perched song-bird facing right, body about one unit long, y down.
BIRD_BODY = [
    (0.985, -0.285), (0.875, -0.375), (0.77, -0.43), (0.655, -0.405), (0.56, -0.31),
    (0.40, -0.205), (0.18, -0.07), (0.0, 0.03), (-0.22, 0.115), (-0.60, 0.25),
    (-0.635, 0.325), (-0.57, 0.335), (-0.22, 0.235), (0.02, 0.215), (0.20, 0.275),
    (0.42, 0.265), (0.62, 0.155), (0.75, -0.02), (0.825, -0.17), (0.875, -0.255),
]  # fmt: skip
BIRD_WING = [
    (0.56, -0.16), (0.44, -0.185), (0.26, -0.10), (0.02, 0.03), (-0.22, 0.13), (-0.40, 0.215),
    (-0.18, 0.20), (0.06, 0.185), (0.26, 0.165), (0.44, 0.095), (0.55, -0.02),
]  # fmt: skip
BIRD_BREAST = [
    (0.80, -0.20), (0.70, -0.16), (0.60, -0.02), (0.46, 0.13), (0.28, 0.20), (0.20, 0.265),
    (0.42, 0.258), (0.62, 0.15), (0.75, -0.02),
]  # fmt: skip
