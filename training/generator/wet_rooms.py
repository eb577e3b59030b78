"""Kitchen and bathroom pieces."""

from __future__ import annotations

import math

import numpy as np
from mathutils import Matrix

from training.generator.classes import OBJECT
from training.generator.colours import Rng
from training.generator.materials import art, finish, metal, plain
from training.generator.meshes import box, lathe, mesh, quad, soft, tube
from training.generator.pictures import frame
from training.generator.small_objects import curtain, small_object
from training.generator.storage import cabinet, fronts
from training.generator.surfaces import wall_surface


def kitchen(T: Matrix, rng: Rng, w: float) -> None:
    """Base units with worktop, oven or sink, wall units, hood, fridge beside."""
    m, top, hd = finish(rng), finish(rng), metal(rng) if rng.random() < 0.8 else None
    box(T, (-w / 2, w / 2), (0.005, 0.58), (0.1, 0.86), m)
    box(T, (-w / 2, w / 2), (0.02, 0.52), (0, 0.1), plain(np.full(3, 0.1)))
    n = max(1, round(w / 0.6))
    fronts(T, rng, (-w / 2, w / 2), (0.11, 0.85), 0.58, m, n, int(rng.integers(1, 3)), hd)
    box(T, (-w / 2, w / 2), (0.005, 0.62), (0.86, 0.9), top)
    x = rng.uniform(-0.3, 0.3) * w
    box(
        T,
        (x - 0.3, x + 0.3),
        (0.58, 0.61),
        (0.15, 0.84),
        plain(np.full(3, rng.uniform(0.02, 0.9)), 0.2),
    )
    for _ in range(int(rng.integers(2, 9))):
        small_object(T, rng, (rng.uniform(-0.46, 0.46) * w, rng.uniform(0.12, 0.45), 0.9))
    z, h, a = rng.uniform(1.35, 1.5), rng.uniform(0.5, 0.95), -w / 2
    while a < w / 2 - 0.35:
        b = min(w / 2, a + rng.uniform(0.4, 1.2))
        if rng.random() < 0.75:
            box(T, (a, b), (0.002, 0.33), (z, z + h), m)
            fronts(T, rng, (a, b), (z, z + h), 0.33, m, max(1, round((b - a) / 0.45)), 1, hd)
        elif rng.random() < 0.5:
            c = (a + b) / 2
            lathe(
                T,
                (c, 0.25, z + 0.1),
                [(0.3, 0), (0.3, 0.05), (0.1, 0.25), (0.1, 0.9)],
                metal(rng),
                4,
            )
        a = b


def fridge(T: Matrix, rng: Rng, w: float) -> None:
    """A fridge with two doors, some with notes on them."""
    h, m = (
        rng.uniform(1.4, 1.9),
        plain(np.full(3, rng.choice([0.9, 0.6, 0.06])), 0.3, float(rng.choice([0, 0, 0.9]))),
    )
    box(T, (-w / 2, w / 2), (0.03, 0.62), (0.02, h), m, bevel=0.01)
    fronts(T, rng, (-w / 2, w / 2), (0.03, h), 0.62, m, 1, 2, metal(rng))
    if rng.random() < 0.3:
        for _ in range(6):
            x, z = rng.uniform(-0.35, 0.35) * w, rng.uniform(0.8, h - 0.15)
            quad(T, (x, x + 0.1), (z, z + 0.12), 0.66, art(rng), OBJECT)


def toilet(T: Matrix, rng: Rng, w: float) -> None:
    """A toilet with its cistern."""
    m = plain(np.full(3, 0.93), 0.12)
    soft(T, (0, 0.12, 0.62), (0.42, 0.2, 0.42), m, 9, 0)
    lathe(T, (0, 0.45, 0), [(0.12, 0), (0.1, 0.2), (0.2, 0.36), (0.21, 0.41), (0.001, 0.42)], m)
    soft(T, (0, 0.42, 0.43), (0.38, 0.46, 0.03), m, 3, 0)


def basin(T: Matrix, rng: Rng, w: float) -> None:
    """A basin on a cabinet or a foot, often with a mirror."""
    m = plain(np.full(3, 0.93), 0.12)
    if rng.random() < 0.6:
        cabinet(T, rng, w, 0.8, 0.48)
        soft(T, (0, 0.26, 0.84), (min(w, 0.6), 0.42, 0.14), m, 5, 0)
    else:
        lathe(
            T,
            (0, 0.26, 0),
            [
                (0.1, 0),
                (0.07, 0.6),
                (0.24, 0.75),
                (0.26, 0.85),
                (0.22, 0.85),
                (0.1, 0.78),
                (0.001, 0.77),
            ],
            m,
        )
    tube(
        T,
        [(0, 0.06, 0.85), (0, 0.06, 1.0), (0, 0.2, 1.0)],
        0.014,
        plain(np.full(3, 0.8), 0.15, 1.0),
    )
    if rng.random() < 0.8:
        frame(T, rng, 0, 1.55, min(w, 0.7), 0.8)


def tub(T: Matrix, rng: Rng, w: float) -> None:
    """A bath, half of them with a curtain."""
    m = plain(np.full(3, 0.93), 0.12)
    h = 0.56
    box(
        T,
        (-w / 2, w / 2),
        (0.005, 0.72),
        (0, h - 0.02),
        m if rng.random() < 0.7 else wall_surface(rng, "tiles")[1],
    )
    for a, b, c, d in (
        (-w / 2, w / 2, 0.005, 0.09),
        (-w / 2, w / 2, 0.65, 0.74),
        (-w / 2, -w / 2 + 0.1, 0.005, 0.74),
        (w / 2 - 0.1, w / 2, 0.005, 0.74),
    ):
        box(T, (a, b), (c, d), (h - 0.03, h), m, bevel=0.012)
    if rng.random() < 0.5:
        a = rng.uniform(0.3, 0.9) * w
        curtain(T, rng, -w / 2, -w / 2 + a, 0.1, 2.0, y=0.78)
        tube(T, [(-w / 2, 0.78, 2.02), (w / 2, 0.78, 2.02)], 0.012, metal(rng))


def washer(T: Matrix, rng: Rng, w: float) -> None:
    """A washing machine."""
    m = plain(np.full(3, 0.92), 0.3)
    box(T, (-0.3, 0.3), (0.02, 0.6), (0.02, 0.86), m, bevel=0.01)
    n = 24
    mesh(
        [(0, 0.605, 0.45)]
        + [
            (0.18 * math.cos(6.283 * i / n), 0.605, 0.45 + 0.18 * math.sin(6.283 * i / n))
            for i in range(n)
        ],
        [(0, 1 + i, 1 + (i + 1) % n) for i in range(n)],
        plain(np.full(3, 0.08), 0.1),
        T=T,
    )
