"""The shell of a room: floor, ceiling, beams, columns, half walls."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from training.generator.classes import CEILING, FLOOR, TRIM
from training.generator.colours import Rng, hsv, wall_colour
from training.generator.materials import plain, wood
from training.generator.meshes import box, mesh
from training.generator.room import SEPARATE, Room
from training.generator.surfaces import floor_surface


def lay_floor(room: Room) -> bpy.types.Material:
    """Floor under the room and a little beyond; returns its material."""
    (x0, y0), (x1, y1) = room.lo - 0.6, room.hi + 0.6
    floor = floor_surface(room.rng)
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    mesh([(x, y, 0) for x, y in corners], [(0, 1, 2, 3)], floor, FLOOR, uvs=corners)
    return floor


def _ceiling_surface(rng: Rng) -> bpy.types.Material:
    if rng.random() < 0.88:
        return plain(hsv(0.1, rng.uniform(0, 0.08), rng.uniform(0.8, 0.97)), 0.8)
    return wood(rng) if rng.random() < 0.5 else plain(wall_colour(rng), 0.8)


def hang_ceiling(room: Room) -> bpy.types.Object:
    """A flat ceiling, or a sloped one fine enough to resolve its ridge."""
    surface = _ceiling_surface(room.rng)
    n = 2 if room.slope is None else 41
    gx, gy = (np.linspace(room.lo[i] - 0.02, room.hi[i] + 0.02, n) for i in (0, 1))
    if room.slope is not None:
        gx, gy = (np.union1d(g, room.bends(i)) for i, g in enumerate((gx, gy)))
    v, m = [(x, y, room.zc(x, y)) for y in gy for x in gx], len(gx)
    faces = [
        (j * m + i, j * m + i + 1, (j + 1) * m + i + 1, (j + 1) * m + i)
        for j in range(len(gy) - 1)
        for i in range(m - 1)
    ]
    return mesh(v, faces, surface, CEILING, uvs=[(p[0], p[1]) for p in v])


def lay_beams(room: Room) -> None:
    """Sometimes: wooden beams under a flat ceiling."""
    rng = room.rng
    if rng.random() < 0.07 and room.slope is None:
        m, w = wood(rng, 0), rng.uniform(0.08, 0.22)
        for y in np.arange(room.lo[1] + 0.3, room.hi[1], rng.uniform(0.5, 1.2)):
            x, z = (room.lo[0], room.hi[0]), (room.H - w, room.H + 0.01)
            box(Matrix.Identity(4), x, (y, y + w), z, m, TRIM)


def add_column(room: Room, surface: bpy.types.Material, trim: bpy.types.Material) -> None:
    """Sometimes: a column or a capped half wall on the longest wall."""
    rng = room.rng
    if rng.random() >= 0.16:
        return
    w = int(np.argmax([x[3] for x in room.walls]))
    height = rng.choice([rng.uniform(0.9, 1.3), room.H], p=[0.5, 0.5])
    width, out = rng.uniform(0.1, 0.45), rng.uniform(0.25, 1.4)
    u = room.place(w, width, 0, height)
    if u is None or room.slope is not None:
        return
    T, x = room.frame_at(w, u), width / 2
    room.wall_box(T, (-x, x), (0, out), (0, height), surface, w if rng.random() < 0.6 else SEPARATE)
    if height < 2:
        cap = (height, height + 0.04)
        box(T, (-x - 0.03, x + 0.03), (0, out + 0.03), cap, trim, TRIM)
