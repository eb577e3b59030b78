"""Lights and the lamps that carry them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import ArrayLike

from training.generator.colours import Rng, any_colour, hsv
from training.generator.materials import Mat, metal, plain
from training.generator.meshes import lathe, tube

Span = tuple[float, float]
Point = tuple[float, float, float]

# Whether lamps of the room being built are lit; set once a room.
LAMPS_ON = [True]


def shade(T: Matrix, rng: Rng, c: Point, r: float, h: float) -> None:
    """A lampshade with its lower edge at c; lit or not."""
    on = LAMPS_ON[0] and rng.random() < 0.7
    col = np.array([1.0, rng.uniform(0.6, 0.9), rng.uniform(0.3, 0.75)])
    m = Mat(hsv(rng.uniform(0.05, 0.15), rng.uniform(0, 0.4), rng.uniform(0.5, 0.95)), 0.9)
    if on:
        m.emit(col, rng.uniform(1.0, 5.0))
    r1 = r * rng.uniform(0.5, 1.0)
    lathe(T, c, [(r, 0), (r1, h), (r1 - 0.004, h), (r - 0.004, 0)], m.m)
    if on:
        light(T @ Vector((c[0], c[1], c[2] + h * 0.5)), rng.uniform(6, 40), col, 0.05)


def light(at: Vector, watt: float, colour: ArrayLike, r: float = 0.05) -> bpy.types.Object:
    """A ball of light of radius r, unseen by the camera."""
    li = bpy.data.lights.new("p", "POINT")
    li.energy, li.color, li.shadow_soft_size = watt, np.asarray(colour, float).tolist(), r
    o = bpy.data.objects.new("p", li)
    o.location = at
    o.visible_camera = False
    bpy.context.collection.objects.link(o)
    return o


def area(
    at: Sequence[float],
    direction: Sequence[float],
    size: Span,
    watt: float,
    colour: Sequence[float],
) -> bpy.types.Object:
    """A glowing rectangle that shines along `direction`, itself unseen."""
    li = bpy.data.lights.new("a", "AREA")
    li.shape, li.size, li.size_y, li.energy, li.color = "RECTANGLE", size[0], size[1], watt, colour
    o = bpy.data.objects.new("a", li)
    o.location = at
    o.rotation_euler = Vector(direction).to_track_quat("-Z", "Z").to_euler()
    o.visible_camera = o.visible_glossy = False
    bpy.context.collection.objects.link(o)
    return o


def table_lamp(T: Matrix, rng: Rng, c: Point, s: float = 1.0) -> None:
    """A turned foot with a shade, standing at c."""
    h = rng.uniform(0.25, 0.4) * s
    lathe(
        T,
        c,
        [
            (0.001, 0),
            (0.07 * s, 0),
            (0.02 * s, 0.03 * s),
            (rng.uniform(0.02, 0.08) * s, h * 0.5),
            (0.012 * s, h),
        ],
        plain(any_colour(rng), 0.3),
    )
    shade(T, rng, (c[0], c[1], c[2] + h), rng.uniform(0.1, 0.18) * s, rng.uniform(0.16, 0.26) * s)


def floor_lamp(T: Matrix, rng: Rng, w: float) -> None:
    """A stem with a shade, as high as a person."""
    h, y, m = rng.uniform(1.3, 1.8), 0.25, metal(rng)
    lathe(T, (0, y, 0), [(0.001, 0), (0.14, 0), (0.14, 0.02), (0.02, 0.03)], m)
    tube(T, [(0, y, 0.02), (0, y, h)], 0.012, m)
    shade(T, rng, (0, y, h - 0.1), rng.uniform(0.12, 0.25), rng.uniform(0.15, 0.3))


def pendant(rng: Rng, at: Sequence[float], top: float) -> None:
    """A lamp or a chandelier hanging from the ceiling, at height `top`."""
    M = Matrix.Translation((at[0], at[1], 0))
    z = top - rng.uniform(0.3, 1.1)
    tube(M, [(0, 0, z), (0, 0, top)], 0.006, plain(np.full(3, 0.1)))
    if rng.random() < 0.5:
        shade(M, rng, (0, 0, z - 0.1), rng.uniform(0.12, 0.35), rng.uniform(0.12, 0.3))
    else:  # arms with small shades
        n = int(rng.integers(3, 7))
        for i in range(n):
            t = 2 * math.pi * i / n
            p = (0.28 * math.cos(t), 0.28 * math.sin(t), z)
            tube(M, [(0, 0, z + 0.1), p], 0.008, metal(rng))
            shade(M, rng, p, 0.06, 0.09)
