"""Cabinets, wardrobes, bookcases, shelves, and the hearths and radiators beside them."""

from __future__ import annotations

from typing import TypeAlias

import bpy
import numpy as np
from mathutils import Matrix

from training.generator.classes import OBJECT
from training.generator.colours import Rng, hsv
from training.generator.materials import finish, metal, plain, screen
from training.generator.meshes import box, quad
from training.generator.seating import legs
from training.generator.small_objects import books, clutter, small_object

Material: TypeAlias = bpy.types.Material
Span = tuple[float, float]


def fronts(
    T: Matrix,
    rng: Rng,
    x: Span,
    z: Span,
    y: float,
    m: Material,
    nx: int,
    nz: int,
    handle: Material | None,
    inset: float = 0.006,
) -> None:
    """Doors or drawers on a cabinet front, with handles or knobs."""
    w, h = (x[1] - x[0]) / nx, (z[1] - z[0]) / nz
    for i in range(nx):
        for j in range(nz):
            a, b = x[0] + i * w + inset, x[0] + (i + 1) * w - inset
            c, d = z[0] + j * h + inset, z[0] + (j + 1) * h - inset
            box(T, (a, b), (y, y + 0.018), (c, d), m)
            if handle is not None:
                _handle(T, (a, b), (c, d), y, handle, left=i % 2 == 1)


def _handle(T: Matrix, x: Span, z: Span, y: float, surface: Material, *, left: bool) -> None:
    """A bar across a drawer, or upright near a door's edge."""
    out, mx, mz = (y + 0.018, y + 0.04), (x[0] + x[1]) / 2, (z[0] + z[1]) / 2
    if x[1] - x[0] > z[1] - z[0]:
        box(T, (mx - 0.05, mx + 0.05), out, (mz - 0.007, mz + 0.007), surface)
    else:
        q = x[0] + 0.04 if left else x[1] - 0.04
        box(T, (q - 0.007, q + 0.007), out, (mz - 0.06, mz + 0.06), surface)


def cabinet(T: Matrix, rng: Rng, w: float, h: float | None = None, d: float | None = None) -> None:
    """Sideboards, dressers, nightstands, wardrobes."""
    h = rng.uniform(0.45, 1.25) if h is None else h
    d = min(rng.uniform(0.35, 0.55), d or 1)
    m, lg = finish(rng, 0), rng.uniform(0, 0.18)
    box(T, (-w / 2, w / 2), (0.005, d), (lg, h), m, bevel=0.006)
    if lg > 0.03:
        legs(T, rng, w, 0.06, d - 0.05, lg, m)
    fm = m if rng.random() < 0.75 else finish(rng)
    nz = 1 if h > 1.4 else int(rng.integers(1, 1 + max(1, round(h / 0.22))))
    fronts(
        T,
        rng,
        (-w / 2 + 0.01, w / 2 - 0.01),
        (lg + 0.02, h - 0.03),
        d,
        fm,
        max(1, round(w / rng.uniform(0.4, 0.8))),
        nz,
        metal(rng) if rng.random() < 0.85 else None,
    )
    if h < 1.4:
        for _ in range(int(rng.integers(0, 5))):
            small_object(T, rng, (rng.uniform(-0.42, 0.42) * w, d / 2, h))


def wardrobe(T: Matrix, rng: Rng, w: float) -> None:
    """A cabinet as high as a door, perhaps with boxes on top."""
    cabinet(T, rng, w, rng.uniform(1.8, 2.35), 0.6)
    if rng.random() < 0.25:
        clutter(T @ Matrix.Translation((0, 0, 2.3)), rng, w * 0.7)


def bookcase(T: Matrix, rng: Rng, w: float) -> None:
    """Shelves of books and small objects, with or without a back."""
    h, d, t, m = rng.uniform(0.9, 2.4), rng.uniform(0.25, 0.4), 0.022, finish(rng)
    if rng.random() < 0.75:
        box(T, (-w / 2, w / 2), (0.004, 0.014), (0.03, h), m)
    bays, rows = (
        max(1, round(w / rng.uniform(0.4, 0.9))),
        max(2, round(h / rng.uniform(0.28, 0.42))),
    )
    for i in range(bays + 1):
        x = -w / 2 + i * (w - t) / bays
        box(T, (x, x + t), (0.01, d), (0, h), m)
    for r in range(rows + 1):
        z = 0.04 + r * (h - 0.07) / rows
        box(T, (-w / 2, w / 2), (0.01, d), (z, z + t), m)
        if r < rows:
            hm = (h - 0.07) / rows - t - 0.03
            for b in range(bays):
                x0, x1 = -w / 2 + b * w / bays + 0.03, -w / 2 + (b + 1) * w / bays - 0.03
                k = rng.random()
                if k < 0.6:
                    books(T, rng, x0, x0 + (x1 - x0) * rng.uniform(0.4, 1), z + t, 0.05, hm)
                elif k < 0.85:
                    small_object(T, rng, ((x0 + x1) / 2, d / 2, z + t), min(0.9, hm / 0.35))


def shelf(T: Matrix, rng: Rng, x: float, z: float, w: float) -> None:
    """One to three boards on the wall, with small objects."""
    m, d = finish(rng), rng.uniform(0.12, 0.28)
    for i in range(int(rng.integers(1, 4))):
        zz = z + i * rng.uniform(0.28, 0.4)
        box(T, (x - w / 2, x + w / 2), (0, d), (zz, zz + rng.uniform(0.015, 0.05)), m)
        q = x - w / 2 + 0.1
        while q < x + w / 2 - 0.08:
            if rng.random() < 0.4:
                e = min(x + w / 2, q + rng.uniform(0.1, 0.35))
                books(T, rng, q, e, zz + 0.03, 0.02, 0.24)
                q = e
            else:
                small_object(T, rng, (q, d / 2, zz + 0.03), 0.7)
            q += rng.uniform(0.12, 0.3)


def wall_cabinet(T: Matrix, rng: Rng, x: float, z: float, w: float) -> None:
    """A cabinet hung at the height z."""
    m = finish(rng)
    h, d = rng.uniform(0.4, 0.95), rng.uniform(0.25, 0.38)
    box(T, (x - w / 2, x + w / 2), (0.002, d), (z, z + h), m)
    fronts(
        T,
        rng,
        (x - w / 2, x + w / 2),
        (z, z + h),
        d,
        m,
        max(1, round(w / rng.uniform(0.35, 0.6))),
        1,
        metal(rng) if rng.random() < 0.7 else None,
    )


def tv(T: Matrix, rng: Rng, w: float) -> None:
    """A TV on a low cabinet, or hung on the wall."""
    k = rng.uniform(0.8, 1.5)
    z0 = rng.uniform(0.95, 1.25)
    if rng.random() < 0.7:
        h = rng.uniform(0.35, 0.6)
        cabinet(T, rng, w, h, 0.5)
        z0 = h + 0.05
    y = 0.05 if z0 > 0.9 else 0.22
    box(T, (-k / 2, k / 2), (y, y + 0.05), (z0, z0 + k * 0.57), plain(np.full(3, 0.02), 0.3))
    quad(
        T,
        (-k / 2 + 0.015, k / 2 - 0.015),
        (z0 + 0.015, z0 + k * 0.57 - 0.015),
        y + 0.0515,
        screen(rng),
        OBJECT,
    )


def fireplace(T: Matrix, rng: Rng, w: float) -> None:
    """A mantelpiece round a dark hearth."""
    m = finish(rng) if rng.random() < 0.5 else plain(hsv(0.1, 0.05, 0.9), 0.5)
    h, d = rng.uniform(0.95, 1.3), 0.25
    for sx in (-1, 1):
        box(
            T,
            (sx * w / 2 - (0.22 if sx > 0 else 0), sx * w / 2 + (0.22 if sx < 0 else 0)),
            (0, d),
            (0, h),
            m,
        )
    box(T, (-w / 2, w / 2), (0, d), (h - 0.25, h), m)
    box(T, (-w / 2 - 0.06, w / 2 + 0.06), (0, d + 0.08), (h, h + 0.05), m)
    box(T, (-w / 2 + 0.2, w / 2 - 0.2), (0.01, 0.05), (0, h - 0.2), plain(np.full(3, 0.04), 0.9))
    for _ in range(int(rng.integers(0, 5))):
        small_object(T, rng, (rng.uniform(-0.45, 0.45) * w, 0.15, h + 0.05))


def radiator(T: Matrix, rng: Rng, w: float) -> None:
    """A radiator of columns or a panel."""
    m, h = plain(hsv(0.1, 0.03, rng.uniform(0.7, 0.95)), 0.4), rng.uniform(0.35, 0.7)
    if rng.random() < 0.5:
        for i in range(int(w / 0.06)):
            x = -w / 2 + (i + 0.5) * 0.06
            box(T, (x - 0.022, x + 0.022), (0.04, 0.13), (0.12, 0.12 + h), m, bevel=0.01)
    else:
        box(T, (-w / 2, w / 2), (0.04, 0.1), (0.12, 0.12 + h), m, bevel=0.008)
        for i in range(int(w / 0.05)):
            x = -w / 2 + 0.03 + i * 0.05
            box(T, (x, x + 0.02), (0.1, 0.106), (0.16, 0.08 + h), m)
