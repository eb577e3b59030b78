"""Small objects: on shelves and tables, on the walls, on the floor, under the ceiling."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np
import numpy.typing as npt
from mathutils import Matrix

from training.generator.classes import CURTAIN, OBJECT
from training.generator.colours import Rng, any_colour, hsv
from training.generator.lamps import table_lamp
from training.generator.materials import art, cloth, finish, metal, patterned, plain
from training.generator.meshes import box, grid, lathe, leaf, mesh, quad, soft, tube

Floats = npt.NDArray[np.float64]
Point = tuple[float, float, float]

# Half profiles (radius, height) of small turned objects, in metres.
_VASE = [(0.001, 0), (0.05, 0), (0.09, 0.1), (0.03, 0.24), (0.04, 0.28)]
_BOWL = [(0.06, 0), (0.14, 0.08), (0.13, 0.08)]
_BOTTLE = [(0.001, 0), (0.035, 0), (0.035, 0.17), (0.012, 0.22), (0.012, 0.28), (0.001, 0.28)]


def small_object(T: Matrix, rng: Rng, c: Point, s: float = 1.0) -> None:
    """A small object standing at c: vase, box, bowl, frame, lamp, plant, toy; s: its size."""
    k, m = int(rng.integers(8)), plain(any_colour(rng), rng.uniform(0.1, 0.8))
    if k in (0, 2, 3):
        bowl = [(0.001, 0.01), *[(r * s, z * s) for r, z in _BOWL], (0.05 * s, 0.02)]
        turned = [(r * s if r > 0.001 else r, z * s) for r, z in (_VASE if k == 0 else _BOTTLE)]
        lathe(T, c, bowl if k == 2 else turned, m)
    elif k == 1:
        a, b = rng.uniform(0.05, 0.2) * s, rng.uniform(0.05, 0.3) * s
        x, y = (c[0] - a, c[0] + a), (c[1] - 0.06, c[1] + 0.06)
        box(T, x, y, (c[2], c[2] + b), m, rot=(0, 0, rng.uniform(-0.3, 0.3)))
    elif k == 4:
        w, h = rng.uniform(0.08, 0.2) * s, rng.uniform(0.1, 0.3) * s
        x = (c[0] - w / 2, c[0] + w / 2)
        box(T, x, (c[1] - 0.01, c[1] + 0.01), (c[2], c[2] + h), m)
        inner = ((x[0] + 0.012, x[1] - 0.012), (c[2] + 0.012, c[2] + h - 0.012))
        quad(T, *inner, c[1] + 0.0115, art(rng), OBJECT)
    elif k == 5:
        table_lamp(T, rng, c, s)
    elif k == 6:
        plant(T, rng, 0.3, s=0.35 * s, c=c)
    else:
        soft(T, (c[0], c[1], c[2] + 0.08 * s), (0.2 * s, 0.14 * s, 0.16 * s), m, 2.5, 0.01, rng=rng)


def plant(T: Matrix, rng: Rng, w: float, s: float | None = None, c: Point = (0, 0.3, 0)) -> None:
    """A potted plant of about s metres at c: arching leaves, a crown on a stem, or blades."""
    s = rng.uniform(0.5, 1.7) if s is None else s
    r = 0.14 * min(1, s + 0.2)
    foot = r * rng.uniform(0.6, 1)
    pot = [(0.001, 0), (foot, 0), (r, 0.26 * s), (r * 0.9, 0.26 * s), (0.001, 0.24 * s)]
    lathe(T, c, pot, plain(any_colour(rng), 0.6))
    kind = int(rng.integers(3))
    green = hsv(rng.uniform(0.2, 0.38), rng.uniform(0.35, 0.75), rng.uniform(0.2, 0.6))
    base = np.array(c) + np.array([0, 0, 0.25 * s])
    v: list[Floats] = []
    faces: list[tuple[int, ...]] = []
    if kind == 1:
        bark = plain(np.array([0.3, 0.22, 0.15]), 0.9)
        tube(T, [tuple(base), tuple(base + np.array([0.03 * s, 0, 0.5 * s]))], 0.015 * s, bark)
    (_arching, _crown, _blades)[kind](v, faces, rng, base, s)
    points = np.array(v)
    # No leaf goes through the wall behind.
    points[:, 1] = np.maximum(points[:, 1], 0.015)
    mesh(points, faces, plain(green, 0.4), smooth=True, T=T)


def _arching(v: list[Floats], f: list[tuple[int, ...]], rng: Rng, base: Floats, s: float) -> None:
    for _ in range(int(rng.integers(12, 40))):
        at, turn, up = base + rng.normal(0, 0.02, 3), rng.uniform(0, 6.28), rng.uniform(0.5, 1.5)
        leaf(v, f, at, turn, up, s * rng.uniform(0.5, 0.9), 0.06 * s, rng.uniform(0, 0.6))


def _crown(v: list[Floats], f: list[tuple[int, ...]], rng: Rng, base: Floats, s: float) -> None:
    for _ in range(int(rng.integers(90, 240))):
        q = rng.normal(0, 1, 3)
        q = base + [0, 0, 0.62 * s] + q / np.linalg.norm(q) * rng.uniform(0.05, 0.3) * s
        leaf(v, f, q, rng.uniform(0, 6.28), rng.uniform(-0.6, 0.6), 0.12 * s, 0.06 * s, 0.3)


def _blades(v: list[Floats], f: list[tuple[int, ...]], rng: Rng, base: Floats, s: float) -> None:
    for _ in range(int(rng.integers(8, 20))):
        at = base + rng.normal(0, 0.04 * s, 3) * [1, 1, 0]
        turn, up = rng.uniform(0, 6.28), rng.uniform(1.1, 1.5)
        leaf(v, f, at, turn, up, s * rng.uniform(0.4, 0.8), 0.08 * s, 0.05)


def books(T: Matrix, rng: Rng, x0: float, x1: float, z: float, y0: float, hmax: float) -> None:
    """A row of books."""
    x = x0
    while x < x1 - 0.02:
        t = rng.uniform(0.015, 0.05)
        box(
            T,
            (x, min(x1, x + t - 0.001)),
            (y0, y0 + rng.uniform(0.13, 0.2)),
            (z, z + hmax * rng.uniform(0.6, 1)),
            plain(any_colour(rng), 0.6),
        )
        x += t if rng.random() > 0.05 else t + 0.08


def clutter(T: Matrix, rng: Rng, w: float) -> None:
    """Boxes, bags, baskets and toys on the floor."""
    for _ in range(int(rng.integers(1, 6))):
        x, y, s = rng.uniform(-0.5, 0.5) * w, rng.uniform(0.1, 0.5), rng.uniform(0.15, 0.5)
        m = plain(any_colour(rng), 0.7) if rng.random() < 0.5 else cloth(rng)
        if rng.random() < 0.5:
            box(
                T,
                (x - s / 2, x + s / 2),
                (y, y + s * 0.8),
                (0, s * rng.uniform(0.4, 1)),
                m,
                rot=(0, 0, rng.uniform(-0.5, 0.5)),
            )
        else:
            soft(T, (x, y + s / 2, s * 0.3), (s, s, s * 0.6), m, 2.6, 0.03, rng=rng)


def person(T: Matrix, rng: Rng, w: float) -> None:
    """A rough standing figure."""
    h = rng.uniform(1.5, 1.85)
    sh, tr, sk = (
        cloth(rng),
        cloth(rng),
        plain(hsv(0.06, rng.uniform(0.25, 0.6), rng.uniform(0.3, 0.9)), 0.6),
    )
    for sx in (-1, 1):
        tube(
            T,
            [
                (sx * 0.1, 0.5, 0.05),
                (sx * 0.11, 0.5 + rng.uniform(-0.1, 0.1), 0.27 * h),
                (sx * 0.09, 0.5, 0.5 * h),
            ],
            0.075,
            tr,
            12,
        )
        e = (sx * 0.3, 0.5 + rng.uniform(-0.05, 0.3), h * rng.uniform(0.5, 0.7))
        tube(T, [(sx * 0.19, 0.5, 0.8 * h), (sx * 0.27, 0.5, 0.64 * h), e], 0.045, sh, 12)
        soft(T, e, (0.08, 0.08, 0.1), sk, 2.2, 0)
    soft(T, (0, 0.5, 0.66 * h), (0.42, 0.25, 0.36 * h), sh, 3.2, 0.02, rng=rng)
    soft(T, (0, 0.5, 0.93 * h), (0.17, 0.2, 0.24), sk, 2.2, 0)
    soft(
        T,
        (0, 0.48, 0.96 * h),
        (0.19, 0.21, 0.2),
        plain(hsv(0.07, 0.6, rng.uniform(0.03, 0.6)), 0.8),
        2.2,
        0.02,
        rng=rng,
    )


def curtain(
    T: Matrix,
    rng: Rng,
    x0: float,
    x1: float,
    z0: float,
    z1: float,
    y: float = 0.1,
    mat: bpy.types.Material | None = None,
) -> None:
    """A curtain in folds."""
    mat = mat or (cloth(rng) if rng.random() < 0.65 else patterned(rng))
    folds, amp = max(2, int((x1 - x0) / rng.uniform(0.07, 0.2))), rng.uniform(0.015, 0.05)
    nx, nz, ph = folds * 8, 8, rng.uniform(0, 6.28, 3)
    u, w = np.meshgrid(np.linspace(0, 1, nx), np.linspace(0, 1, nz))
    s = u * folds * 2 * math.pi
    x = x0 + (x1 - x0) * (u + 0.012 * np.sin(2.1 * s / folds + ph[0] + 1.5 * w))
    yy = y + amp * (0.65 + 0.35 * (1 - w)) * np.sin(
        s + 0.4 * np.sin(0.6 * s + ph[2]) + 0.3 * (1 - w)
    )
    mesh(
        np.stack([x, yy, z0 + (z1 - z0) * w], -1).reshape(-1, 3),
        grid(nx, nz),
        mat,
        CURTAIN,
        smooth=True,
        uvs=np.stack([x, z0 + (z1 - z0) * w], -1).reshape(-1, 2),
        T=T,
    )


def switch(T: Matrix, rng: Rng, x: float, z: float) -> None:
    """A switch or a socket."""
    m = plain(hsv(0.1, 0.05, rng.uniform(0.6, 0.97)), 0.4)
    w = rng.uniform(0.035, 0.09)
    box(T, (x - w, x + w), (0, 0.012), (z - 0.045, z + 0.045), m)


def hooks(T: Matrix, rng: Rng, x: float, z: float, w: float) -> None:
    """Coats, towels or bags on hooks."""
    box(T, (x - w / 2, x + w / 2), (0, 0.02), (z, z + 0.06), finish(rng))
    for _ in range(int(rng.integers(1, 5))):
        q, h = x + rng.uniform(-0.45, 0.45) * w, rng.uniform(0.3, 0.95)
        soft(
            T,
            (q, 0.1, z - h / 2),
            (rng.uniform(0.15, 0.4), 0.14, h),
            cloth(rng),
            3.5,
            0.03,
            rng=rng,
        )


def aircon(T: Matrix, rng: Rng, x: float, z: float) -> None:
    """The indoor unit of an air conditioner."""
    box(T, (x - 0.42, x + 0.42), (0, 0.2), (z, z + 0.28), plain(np.full(3, 0.93), 0.4), bevel=0.03)


def fan(rng: Rng, at: Sequence[float], top: float) -> None:
    """Ceiling fan."""
    m, b = metal(rng), finish(rng)
    M = Matrix.Translation((at[0], at[1], 0))
    z = top - rng.uniform(0.25, 0.5)
    tube(M, [(0, 0, z), (0, 0, top)], 0.015, m)
    lathe(M, (0, 0, z - 0.06), [(0.001, 0), (0.09, 0.02), (0.1, 0.1), (0.02, 0.14)], m)
    n, a0, L = int(rng.integers(3, 6)), rng.uniform(0, 6.28), rng.uniform(0.45, 0.65)
    for i in range(n):
        box(
            M @ Matrix.Rotation(a0 + 2 * math.pi * i / n, 4, "Z"),
            (0.1, L),
            (-0.07, 0.07),
            (z, z + 0.01),
            b,
            rot=(0.2, 0, 0),
        )
