"""Ceilings that are not plain white: dark ones, and the slopes of an attic with their windows."""

from __future__ import annotations

import bpy
import numpy as np

from training.generator.classes import TRIM, WINDOW
from training.generator.colours import hsv
from training.generator.materials import plain, wood
from training.generator.meshes import mesh
from training.generator.room import Room


def darken_ceiling(room: Room) -> None:
    """Dark paint or wood in place of what was hung."""
    rng = room.extra
    if rng.random() < 0.4:
        surface = wood(rng)
    else:
        surface = plain(hsv(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.04, 0.4)), 0.8)
    if room.ceiling is not None:
        room.ceiling.data.materials[0] = surface


def fit_skylights(room: Room, sky: bpy.types.Material) -> None:
    """Up to three windows in an attic's slopes, each in a frame that stands out a little."""
    rng, axis, ridge = room.extra, room.sloped().axis, room.ridge()
    frame = plain(np.full(3, 0.93), 0.4) if rng.random() < 0.6 else wood(rng)
    taken: list[tuple[int, float]] = []
    for _ in range(int(rng.integers(0, 4))):
        side = 1 if rng.random() < 0.5 else -1
        edge = room.hi[axis] if side > 0 else room.lo[axis]
        reach = min(abs(edge - ridge), room.reach())
        if reach < 1.3:
            continue
        near = rng.uniform(0.25, reach - 1.0)
        across = 1 - axis
        lo, hi = room.lo[across] + 0.3, room.hi[across] - 1.1
        start = rng.uniform(lo, max(lo + 0.01, hi))
        if any(side == s and abs(start - t) < 1.0 for s, t in taken):
            continue
        taken.append((side, start))
        size = (rng.uniform(0.5, 0.8), rng.uniform(0.5, 0.9))
        far = ridge + side * (near + size[1])
        rect = (ridge + side * near, far, start, start + size[0])
        _pane(room, axis, rect, 0.07, 0.012, frame, TRIM)
        _pane(room, axis, rect, 0.0, 0.022, sky, WINDOW)


def _pane(
    room: Room,
    axis: int,
    rect: tuple[float, float, float, float],
    margin: float,
    below: float,
    surface: bpy.types.Material,
    label: int,
) -> None:
    """A rectangle parallel to the slope, `below` metres under it."""
    p0, p1, q0, q1 = rect
    grow = margin if p1 > p0 else -margin
    corners = []
    for p, q in (
        (p0 - grow, q0 - margin),
        (p1 + grow, q0 - margin),
        (p1 + grow, q1 + margin),
        (p0 - grow, q1 + margin),
    ):
        x, y = (p, q) if axis == 0 else (q, p)
        corners.append((x, y, room.zc(x, y) - below))
    mesh(corners, [(0, 1, 2, 3)], surface, label, uvs=[(0, 0), (1, 0), (1, 1), (0, 1)])
