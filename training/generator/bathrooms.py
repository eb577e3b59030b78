"""What bathrooms have more of: glass screens, big mirrors, shower curtains, towel rails."""

from __future__ import annotations

import numpy as np
from mathutils import Matrix

from training.generator.classes import FLAT, OBJECT
from training.generator.colours import Rng
from training.generator.materials import cloth, finish, glass, metal, patterned, plain
from training.generator.meshes import box, quad, soft, tube
from training.generator.room import Room
from training.generator.small_objects import curtain
from training.generator.storage import fronts
from training.generator.wet_rooms import tub


def fit_bathroom(room: Room) -> None:
    """A vanity with a wide mirror, a shower or a bath with screen or curtain, a towel rail."""
    rng = room.extra
    for build, width, heights in (
        (vanity, (0.6, 1.8), (0.0, 2.1)),
        (shower if rng.random() < 0.6 else screened_bath, (0.9, 1.7), (0.0, 2.2)),
        (towel_rail, (0.4, 0.6), (0.5, 1.8)),
    ):
        for _ in range(5):
            w = int(rng.integers(len(room.walls)))
            a, d, _, L = room.walls[w]
            widest = min(width[1], L - 0.15)
            if widest < width[0] or room.zc(*(a + d * L / 2)) < heights[1]:
                continue
            wide = rng.uniform(width[0], widest)
            u = room.place(w, wide, *heights, rng=rng)
            if u is not None:
                room.focus.append(w)
                build(room.frame_at(w, u), rng, wide)
                break


def vanity(T: Matrix, rng: Rng, w: float) -> None:
    """A cabinet with one or two basins and a mirror over its whole width."""
    white, m, steel = plain(np.full(3, 0.93), 0.12), finish(rng), metal(rng)
    low = rng.uniform(0.0, 0.35)
    box(T, (-w / 2, w / 2), (0.003, 0.48), (low, 0.8), m)
    fronts(T, rng, (-w / 2, w / 2), (low + 0.01, 0.79), 0.48, m, max(1, round(w / 0.5)), 1, steel)
    box(T, (-w / 2, w / 2), (0.002, 0.5), (0.8, 0.84), white)
    n = 2 if w > 1.3 else 1
    for i in range(n):
        x = (i - (n - 1) / 2) * w / 2
        soft(T, (x, 0.26, 0.88), (0.46, 0.36, 0.12), white, 4, 0)
        tube(T, [(x, 0.05, 0.84), (x, 0.05, 1.06), (x, 0.18, 1.06)], 0.013, steel)
    top, edge = rng.uniform(1.7, 2.1), rng.uniform(0.0, 0.03)
    box(T, (-w / 2, w / 2), (0.001, 0.02), (1.0, top), plain(np.full(3, 0.6), 0.4), FLAT)
    inner = ((-w / 2 + edge, w / 2 - edge), (1.0 + edge, top - edge))
    quad(T, *inner, 0.022, plain(np.full(3, 0.93), 0.02, 1.0))
    if rng.random() < 0.4:
        lamp = plain(np.full(3, 0.95), 0.3)
        box(T, (-w / 3, w / 3), (0.02, 0.08), (top + 0.02, top + 0.07), lamp, OBJECT, bevel=0.01)


def _pane(T: Matrix, rng: Rng, x: tuple[float, float], y: float, top: float, low: float) -> None:
    """A pane of glass parallel to the wall with a thin frame."""
    steel = metal(rng)
    quad(T, x, (low, top), y, glass(rng), OBJECT)
    for a in x:
        box(T, (a - 0.008, a + 0.008), (y - 0.008, y + 0.008), (low, top), steel)
    box(T, x, (y - 0.008, y + 0.008), (top, top + 0.016), steel)


def shower(T: Matrix, rng: Rng, w: float) -> None:
    """A tray, a glass front and a glass side, the shower on the wall."""
    d, top, white = rng.uniform(0.75, 1.0), rng.uniform(1.85, 2.1), plain(np.full(3, 0.93), 0.15)
    box(T, (-w / 2, w / 2), (0.003, d), (0, rng.uniform(0.03, 0.12)), white)
    side = 1 if rng.random() < 0.5 else -1
    if rng.random() < 0.7:
        _pane(T, rng, (-w / 2, w / 2 * rng.uniform(0.0, 1.0)), d, top, 0.05)
        turned = T @ Matrix.Translation((side * w / 2, 0, 0)) @ Matrix.Rotation(np.pi / 2, 4, "Z")
        _pane(turned, rng, (0.02, d), 0.0, top, 0.05)
    else:
        m = plain(np.full(3, 0.9), 0.8) if rng.random() < 0.5 else patterned(rng)
        curtain(T, rng, -w / 2, w / 2 * rng.uniform(-0.2, 1.0), 0.1, top, d, m)
        tube(T, [(-w / 2, d, top), (w / 2, d, top)], 0.012, metal(rng))
    steel = metal(rng)
    tube(T, [(0, 0.04, 1.0), (0, 0.05, 2.05), (0, 0.3, 2.08)], 0.011, steel)
    box(T, (-0.1, 0.1), (0.2, 0.4), (2.04, 2.06), steel)


def screened_bath(T: Matrix, rng: Rng, w: float) -> None:
    """A bath with a pane of glass at one end."""
    tub(T, rng, w)
    if rng.random() < 0.6:
        _pane(T, rng, (-w / 2, -w / 2 + rng.uniform(0.6, 1.0)), 0.7, rng.uniform(1.8, 2.0), 0.56)


def towel_rail(T: Matrix, rng: Rng, w: float) -> None:
    """A ladder of thin tubes with a towel: wall shows between."""
    m = plain(np.full(3, rng.choice([0.95, 0.75, 0.08])), 0.3, float(rng.random() < 0.5))
    for x in (-w / 2, w / 2):
        tube(T, [(x, 0.06, 0.6), (x, 0.06, 1.7)], 0.016, m)
    for z in np.arange(0.65, 1.7, rng.uniform(0.05, 0.12)):
        tube(T, [(-w / 2, 0.06, z), (w / 2, 0.06, z)], 0.01, m)
    if rng.random() < 0.6:
        soft(
            T, (0, 0.08, 1.1), (w * 0.8, 0.07, rng.uniform(0.4, 0.8)), cloth(rng), 6, 0.01, rng=rng
        )
