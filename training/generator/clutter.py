"""Crowded rooms: full tables, plants, many small pictures, thin stems, bars and cables."""

from __future__ import annotations

import math

import numpy as np
from mathutils import Matrix

from training.generator.colours import Rng
from training.generator.lamps import shade
from training.generator.materials import finish, metal, plain
from training.generator.meshes import box, lathe, tube
from training.generator.people import seated, standing
from training.generator.pictures import frame, round_object
from training.generator.plans import edge_distance, inside
from training.generator.room import Room
from training.generator.small_objects import plant, small_object
from training.generator.storage import shelf


def crowd(room: Room) -> None:
    """Fill free stretches of wall with small objects, and the floor with what stands in front."""
    rng = room.extra
    for w in range(len(room.walls)):
        T, H = room.frame_at(w, 0), room.H if room.slope is None else 2.0
        for s, e in room.free_spans(w, 1.1, 2.1):
            if e - s > 0.7 and rng.random() < 0.6:
                _hang(rng, T, s + 0.05, e - 0.05, H)
        for s, e in room.free_spans(w, 0.0, 1.6):
            if e - s > 0.8 and rng.random() < 0.6:
                x = rng.uniform(s + 0.35, e - 0.35)
                stand = (_tall_plant, _thin_lamp, _full_table, _ladder_chair, _coat_stand)
                stand[int(rng.integers(len(stand)))](T @ Matrix.Translation((x, 0, 0)), rng)
        if rng.random() < 0.35:
            _cable(rng, T, room.walls[w][3])
    for _ in range(int(rng.integers(0, 3))):
        _stand_free(room)


def _hang(rng: Rng, T: Matrix, a: float, b: float, H: float) -> None:
    """A gallery of small pictures, a shelf or small round objects, in rough rows."""
    if rng.random() < 0.2 and b - a > 0.6:
        shelf(T, rng, (a + b) / 2, rng.uniform(1.25, 1.6), min(b - a, 1.6))
        return
    size, z = rng.uniform(0.1, 0.3), rng.uniform(1.1, 1.4)
    while z + size < min(H - 0.15, 2.2):
        x = a + rng.uniform(0, 0.15)
        while x + size < b:
            w, h = rng.uniform(0.6, 1.0, 2) * size
            if rng.random() < 0.85:
                frame(T, rng, x + w / 2, z + h / 2, w, h)
            else:
                round_object(T, rng, x + w / 2, z + w / 2, w / 2)
            x += size * rng.uniform(1.05, 1.8)
        z += size * rng.uniform(1.1, 1.5)


def _tall_plant(T: Matrix, rng: Rng) -> None:
    plant(T, rng, 0.6, rng.uniform(1.2, 2.0), (0, 0.35, 0))


def _thin_lamp(T: Matrix, rng: Rng) -> None:
    """A lamp whose stem is a thin bent tube."""
    m, h = metal(rng), rng.uniform(1.3, 1.9)
    lathe(T, (0, 0.3, 0), [(0.001, 0), (0.13, 0), (0.13, 0.015), (0.01, 0.02)], m)
    reach = rng.uniform(-0.5, 0.5)
    t = np.linspace(0, 1, 8)
    bend = [(reach * math.sin(math.pi / 2 * p), 0.3, h - 0.25 * (1 - math.cos(3 * p))) for p in t]
    tube(T, [(0, 0.3, 0), (0, 0.3, h - 0.01), *bend], rng.uniform(0.005, 0.01), m)
    shade(T, rng, (bend[-1][0], 0.3, bend[-1][2] - 0.15), 0.12, 0.15)


def _full_table(T: Matrix, rng: Rng) -> None:
    """A narrow table with a dozen small objects on it and boxes below."""
    m, w, h = finish(rng), rng.uniform(0.3, 0.6), rng.uniform(0.6, 0.85)
    box(T, (-w, w), (0.03, 0.48), (h - 0.03, h), m)
    for x in (-w + 0.03, w - 0.03):
        for y in (0.07, 0.44):
            box(T, (x - 0.015, x + 0.015), (y - 0.015, y + 0.015), (0, h), m)
    for _ in range(int(rng.integers(6, 14))):
        at = (rng.uniform(-w, w) * 0.9, rng.uniform(0.1, 0.42), h)
        small_object(T, rng, at, rng.uniform(0.4, 1.1))


def _ladder_chair(T: Matrix, rng: Rng) -> None:
    """A chair of bars, its back to the wall or turned; wall shows between the bars."""
    turned = T @ Matrix.Translation((0, 0.4, 0)) @ Matrix.Rotation(rng.uniform(0, 6.28), 4, "Z")
    m, h, upright = finish(rng, 2), rng.uniform(0.85, 1.1), rng.random() < 0.5
    for x in (-0.2, 0.2):
        tube(turned, [(x, -0.2, 0), (x, -0.22, h)], 0.014, m)
        tube(turned, [(x, 0.2, 0), (x, 0.2, 0.45)], 0.014, m)
    box(turned, (-0.22, 0.22), (-0.22, 0.22), (0.44, 0.47), m)
    box(turned, (-0.2, 0.2), (-0.235, -0.21), (h - 0.05, h), m)
    for t in np.linspace(0.15, 0.85, int(rng.integers(3, 7))):
        ends = ((-0.2, 0.2), (0.47 + t * (h - 0.5),) * 2) if not upright else None
        if ends is None:
            x = -0.2 + 0.4 * t
            tube(turned, [(x, -0.22, 0.47), (x, -0.22, h)], 0.007, m)
        else:
            tube(turned, [(x, -0.22, z) for x, z in zip(*ends, strict=True)], 0.008, m)


def _coat_stand(T: Matrix, rng: Rng) -> None:
    """A stem with arms."""
    m, h = finish(rng, 2), rng.uniform(1.5, 1.8)
    tube(T, [(0, 0.3, 0), (0, 0.3, h)], 0.016, m)
    for i in range(4):
        t = i * math.pi / 2 + 0.4
        foot = (0.25 * math.cos(t), 0.3 + 0.25 * math.sin(t), 0.02)
        tube(T, [(0, 0.3, 0.15), foot], 0.014, m)
        arm = (0.14 * math.cos(t), 0.3 + 0.14 * math.sin(t), h + 0.02)
        tube(T, [(0, 0.3, h - 0.12), arm], 0.009, m)


def _cable(rng: Rng, T: Matrix, L: float) -> None:
    """A cable down the wall or a string of lights along it."""
    m, x = plain(np.full(3, rng.choice([0.03, 0.9])), 0.5), rng.uniform(0.2, max(0.21, L - 0.2))
    if rng.random() < 0.5:
        points = [(x + 0.02 * math.sin(9 * z), 0.008, z) for z in np.linspace(0.1, 1.9, 12)]
    else:
        span = min(L - 0.1, x + rng.uniform(0.5, 2.0))
        t = np.linspace(0, 1, 12)
        sag, z = rng.uniform(0.05, 0.4), rng.uniform(1.7, 2.1)
        points = [(x + (span - x) * p, 0.012, z - sag * 4 * p * (1 - p)) for p in t]
    tube(T, points, rng.uniform(0.003, 0.006), m, 4)


def _stand_free(room: Room) -> None:
    """A person, a plant or a chair somewhere in the room."""
    rng = room.extra
    x, y = room.lo + (room.hi - room.lo) * rng.uniform(0.15, 0.85, 2)
    if not inside(room.poly, x, y) or edge_distance(room.poly, x, y) < 0.45:
        return
    T = Matrix.Translation((x, y, 0)) @ Matrix.Rotation(rng.uniform(0, 6.28), 4, "Z")
    build = (standing, standing, seated, _ladder_chair, _tall_plant)[int(rng.integers(5))]
    build(T, rng)
