"""Sofas, beds, chairs and tables."""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Matrix

from training.generator.classes import OBJECT
from training.generator.colours import Rng, any_colour, hsv
from training.generator.materials import cloth, finish, metal, patterned, plain, screen
from training.generator.meshes import box, grid, lathe, mesh, quad, soft
from training.generator.small_objects import small_object


def legs(
    T: Matrix, rng: Rng, w: float, y0: float, y1: float, h: float, m: bpy.types.Material
) -> None:
    """Four legs of height h."""
    for sx in (-1, 1):
        for y in (y0, y1):
            box(
                T,
                (sx * (w / 2 - 0.05) - 0.02, sx * (w / 2 - 0.05) + 0.02),
                (y - 0.02, y + 0.02),
                (0, h),
                m,
            )


def sofa(T: Matrix, rng: Rng, w: float) -> None:
    """A sofa with arms, seat and back cushions, and pillows of its own colours."""
    if rng.random() < 0.7:
        f = cloth(rng)
    else:
        f = plain(any_colour(rng), 0.4) if rng.random() < 0.6 else patterned(rng, kind="Object")
    k, d, h, arm = (rng.uniform(*r) for r in ((4, 12), (0.8, 1.0), (0.7, 0.98), (0.1, 0.24)))
    ah, y0 = rng.uniform(0.5, 0.68), 0.04
    legs(T, rng, w, y0 + 0.1, y0 + d - 0.1, 0.14, finish(rng))
    for side in (-1, 1):
        at = (side * (w / 2 - arm / 2), y0 + d / 2, ah / 2 + 0.06)
        soft(T, at, (arm, d, ah - 0.1), f, k, 0.01, rng=rng)
    soft(T, (0, y0 + d / 2, 0.22), (w - 0.04, d - 0.04, 0.22), f, 10)
    soft(T, (0, y0 + 0.12, h / 2 + 0.08), (w - 0.04, 0.24, h - 0.14), f, k, 0.01, rng=rng)
    n = max(1, round((w - 2 * arm) / 0.7))
    cw = (w - 2 * arm) / n
    for i in range(n):
        x = -w / 2 + arm + cw * (i + 0.5)
        soft(T, (x, y0 + 0.56, 0.41), (cw - 0.01, d - 0.22, 0.18), f, 6, 0.012, rng=rng)
        soft(T, (x, y0 + 0.28, h - 0.24), (cw - 0.02, 0.2, 0.42), f, 5, 0.016, (0.2, 0, 0), rng=rng)
    for _ in range(int(rng.integers(0, 5))):
        c = cloth(rng) if rng.random() < 0.6 else patterned(rng, 0.3, kind="Object")
        at = (rng.uniform(-0.5, 0.5) * (w - 2 * arm - 0.3), y0 + 0.48, 0.66)
        turn = (1.2, rng.uniform(-0.3, 0.3), rng.uniform(-0.4, 0.4))
        soft(T, at, (0.42, 0.42, 0.16), c, 2.6, 0.01, turn, rng=rng)


def bed(T: Matrix, rng: Rng, w: float) -> None:
    """A bed, head at the wall: headboard, mattress, draped cover, pillows."""
    d, hb, top = rng.uniform(1.9, 2.1), rng.uniform(0.7, 1.4), rng.uniform(0.42, 0.68)
    m = finish(rng) if rng.random() < 0.5 else cloth(rng)
    k = rng.random()
    if k < 0.5:
        soft(T, (0, 0.06, hb / 2), (w + 0.1, 0.1, hb), m, 14, 0)
    elif k < 0.8:
        box(T, (-w / 2 - 0.05, w / 2 + 0.05), (0.01, 0.06), (hb - 0.08, hb), m)
        for i in range(12):
            x = -w / 2 + (i + 0.5) * w / 12
            box(T, (x - 0.012, x + 0.012), (0.02, 0.045), (0.2, hb), m)
    box(T, (-w / 2, w / 2), (0.08, d), (0.1, top - 0.2), m)
    sheet = plain(hsv(0.1, 0.03, 0.92), 0.9)
    soft(T, (0, d / 2 + 0.05, top - 0.13), (w - 0.02, d - 0.05, 0.24), sheet, 10)
    _drape(T, rng, w, d, top)
    if rng.random() < 0.4:
        at = (rng.uniform(-0.2, 0.2), d - 0.4, top + 0.04)
        soft(T, at, (w + 0.05, 0.5, 0.07), cloth(rng), 8, 0.02, rng=rng)
    _pillows(T, rng, w, top)


def _drape(T: Matrix, rng: Rng, w: float, d: float, top: float) -> None:
    """A cover with folds, hanging over the sides of a mattress."""
    m = cloth(rng) if rng.random() < 0.55 else patterned(rng)
    nx, ny, over_edge = 34, 36, rng.uniform(0.12, 0.4)
    u, v = np.meshgrid(np.linspace(-1, 1, nx), np.linspace(0, 1, ny))
    x, y = u * (w / 2 + over_edge), rng.uniform(0.35, 0.9) + v * (d - 0.5)
    over = np.maximum(0, np.abs(x) - w / 2 - 0.01)
    z = top + 0.02 - over * 1.2
    fr, ph = rng.uniform(2, 10, (6, 2)), rng.uniform(0, 6.28, 6)
    folds = sum(np.sin(fr[i, 0] * x + fr[i, 1] * y + ph[i]) for i in range(6))
    z = z + rng.uniform(0.01, 0.06) * folds / 6
    xx = np.sign(x) * np.minimum(np.abs(x), w / 2 + 0.03 + over * 0.1 + 0.015 * np.sin(9 * y))
    points = np.stack([xx, np.minimum(y, d + 0.03), np.maximum(z, 0.03)], -1).reshape(-1, 3)
    uv = np.stack([x, y], -1).reshape(-1, 2)
    mesh(points, grid(nx, ny), m, smooth=True, uvs=uv, T=T)


def _pillows(T: Matrix, rng: Rng, w: float, top: float) -> None:
    colour, white = cloth(rng), plain(hsv(0.1, 0.03, 0.9), 0.9)
    for i in range(2 if w > 1.2 else 1):
        x = (i - 0.5) * w / 2 if w > 1.2 else 0
        for q in range(int(rng.integers(1, 3))):
            at, size = (x, 0.3 + 0.16 * q, top + 0.1 - 0.02 * q), (0.62 - 0.1 * q, 0.42, 0.17)
            turn = (rng.uniform(0.3, 1.0), 0, rng.uniform(-0.1, 0.1))
            soft(T, at, size, white if q == 0 else colour, 2.8, 0.01, turn, rng=rng)


def table(
    T: Matrix, rng: Rng, w: float, d: float | None = None, h: float | None = None, y0: float = 0.02
) -> None:
    """A round or a rectangular table with small objects on it."""
    d, h, m = d or rng.uniform(0.5, 1.0), h or rng.uniform(0.7, 0.78), finish(rng)
    if rng.random() < 0.25:
        r = min(w, d) / 2
        lathe(T, (0, y0 + r, 0), [(0.001, h - 0.03), (r, h - 0.03), (r, h), (0.001, h)], m, 32)
        lathe(T, (0, y0 + r, 0), [(r * 0.5, 0), (r * 0.5, 0.03), (0.05, 0.06), (0.05, h - 0.03)], m)
    else:
        box(T, (-w / 2, w / 2), (y0, y0 + d), (h - rng.uniform(0.02, 0.06), h), m, bevel=0.005)
        legs(T, rng, w, y0 + 0.05, y0 + d - 0.05, h - 0.02, m if rng.random() < 0.6 else metal(rng))
    for _ in range(int(rng.integers(0, 5))):
        small_object(T, rng, (rng.uniform(-0.4, 0.4) * w, y0 + d * rng.uniform(0.3, 0.7), h), 0.8)


def desk(T: Matrix, rng: Rng, w: float) -> None:
    """A table with a screen and a chair."""
    table(T, rng, w, 0.65, 0.74)
    k, blk = rng.uniform(0.4, 0.75), plain(np.full(3, rng.uniform(0.02, 0.1)), 0.3)
    x = rng.uniform(-0.2, 0.2) * w
    box(T, (x - k / 2, x + k / 2), (0.2, 0.23), (0.86, 0.86 + k * 0.6), blk)
    quad(
        T, (x - k / 2 + 0.01, x + k / 2 - 0.01), (0.87, 0.85 + k * 0.6), 0.2315, screen(rng), OBJECT
    )
    box(T, (x - 0.03, x + 0.03), (0.18, 0.2), (0.74, 0.95), blk)
    box(
        T,
        (x - 0.2, x + 0.2),
        (0.42, 0.55),
        (0.74, 0.76),
        plain(np.full(3, rng.uniform(0.05, 0.9)), 0.5),
    )
    chair(
        T
        @ Matrix.Translation((x, 1.15, 0))
        @ Matrix.Rotation(math.pi + rng.uniform(-0.6, 0.6), 4, "Z"),
        rng,
        0.5,
    )


def chair(T: Matrix, rng: Rng, w: float) -> None:
    """A chair with a padded back or one of bars."""
    m, h, y0 = finish(rng, 2), rng.uniform(0.75, 1.1), 0.05
    seat = cloth(rng) if rng.random() < 0.6 else m
    for sx in (-1, 1):
        for y in (y0 + 0.02, y0 + 0.42):
            box(
                T,
                (sx * 0.19 - 0.017, sx * 0.19 + 0.017),
                (y - 0.017, y + 0.017),
                (0, h if y < 0.2 else 0.45),
                m,
            )
    soft(T, (0, y0 + 0.22, 0.46), (0.44, 0.44, 0.06), seat, 7, 0)
    if rng.random() < 0.5:
        soft(T, (0, y0 + 0.02, h * 0.5 + 0.24), (0.4, 0.05, h - 0.52), seat, 9, 0)
    else:
        for i in range(int(rng.integers(2, 6))):
            z = 0.55 + (h - 0.6) * i / 5
            box(T, (-0.18, 0.18), (y0, y0 + 0.02), (z, z + 0.05), m)


def armchair(T: Matrix, rng: Rng, w: float) -> None:
    """A sofa for one."""
    sofa(T, rng, 0.85)


def stool(T: Matrix, rng: Rng, w: float) -> None:
    """A turned stool or drum table."""
    h, r, m = rng.uniform(0.35, 0.75), rng.uniform(0.16, 0.3), finish(rng)
    lathe(
        T,
        (0, 0.35, 0),
        [
            (r * 0.8, 0),
            (r, 0.03),
            (r * rng.uniform(0.3, 1), h * 0.5),
            (r, h - 0.05),
            (r, h),
            (0.001, h),
        ],
        m,
    )
