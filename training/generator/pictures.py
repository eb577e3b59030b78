"""Objects hung flat on a wall: pictures, mirrors, clocks, plates."""

from __future__ import annotations

import math

import numpy as np
from mathutils import Matrix

from training.generator.classes import FLAT
from training.generator.colours import Rng, any_colour, hsv
from training.generator.materials import art, finish, metal, plain
from training.generator.meshes import box, mesh, quad, tube


def frame(T: Matrix, rng: Rng, x: float, z: float, w: float, h: float) -> None:
    """Picture, mirror, poster or canvas on the wall."""
    k = rng.random()
    fm, fw = finish(rng) if rng.random() < 0.7 else metal(rng), rng.uniform(0.012, 0.07)
    x0, x1, z0, z1 = x - w / 2, x + w / 2, z - h / 2, z + h / 2
    if k < 0.15:  # frameless
        box(
            T,
            (x0, x1),
            (0.001, rng.uniform(0.003, 0.04)),
            (z0, z1),
            plain(any_colour(rng), 0.7),
            FLAT,
        )
        quad(T, (x0, x1), (z0, z1), 0.041, art(rng))
        return
    d = rng.uniform(0.015, 0.05)
    for a, b, c, e in (
        (x0, x1, z1 - fw, z1),
        (x0, x1, z0, z0 + fw),
        (x0, x0 + fw, z0, z1),
        (x1 - fw, x1, z0, z1),
    ):
        box(T, (a, b), (0.001, d), (c, e), fm, FLAT)
    if k < 0.32:
        quad(T, (x0, x1), (z0, z1), 0.008, plain(np.full(3, 0.93), 0.03, 1.0))
    else:
        quad(T, (x0, x1), (z0, z1), 0.006, plain(hsv(0.1, 0.05, rng.uniform(0.7, 0.97)), 0.8))
        p = fw + (rng.uniform(0.01, 0.22) * min(w, h) if rng.random() < 0.6 else 0)
        quad(T, (x0 + p, x1 - p), (z0 + p, z1 - p), 0.008, art(rng))


def round_object(T: Matrix, rng: Rng, x: float, z: float, r: float) -> None:
    """Clock, round mirror or plate."""
    n, k = 32, rng.random()
    a = np.arange(n) * 2 * math.pi / n
    m = (
        plain(np.full(3, 0.93), 0.03, 1.0)
        if k < 0.4
        else plain(any_colour(rng) if k < 0.6 else np.full(3, 0.9), 0.4)
    )
    v = [(x, 0.03, z)] + [(x + r * math.cos(t), 0.03, z + r * math.sin(t)) for t in a]
    mesh(v, [(0, 1 + i, 1 + (i + 1) % n) for i in range(n)], m, FLAT, T=T)
    fm = finish(rng)
    tube(
        T,
        [(x + r * math.cos(t), 0.02, z + r * math.sin(t)) for t in np.append(a, 0)],
        rng.uniform(0.01, 0.03),
        fm,
        8,
        FLAT,
    )
    if k >= 0.4 and rng.random() < 0.6:
        for t, reach in ((rng.uniform(0, 6.28), 0.5), (rng.uniform(0, 6.28), 0.8)):
            tube(
                T,
                [(x, 0.035, z), (x + r * reach * math.cos(t), 0.035, z + r * reach * math.sin(t))],
                0.006,
                plain(np.full(3, 0.05)),
                4,
                FLAT,
            )
