"""Doors, windows and doorways of the usual size, with casings, reveals and curtains."""

from __future__ import annotations

import math
from typing import TypeAlias

import bpy
import numpy as np
from mathutils import Matrix, Vector

from training.generator.classes import CEILING, CURTAIN, DOOR, FLOOR, TRIM, WALL, WINDOW
from training.generator.colours import wall_colour
from training.generator.lamps import area, light
from training.generator.materials import cloth, finish, metal, patterned, plain
from training.generator.meshes import QUAD, box, mesh, quad, tube
from training.generator.pictures import frame
from training.generator.room import CORRIDOR, Hole, Room
from training.generator.small_objects import curtain
from training.generator.storage import cabinet

_THICKNESS = 0.14
Material: TypeAlias = bpy.types.Material


def add_reveal(room: Room, w: int, hole: Hole, depth: float, surface: Material) -> None:
    """The sides of an opening, `depth` metres into the wall."""
    u0, u1, z0, z1 = hole
    corners = ((u0, z0), (u0, z1), (u1, z1), (u1, z0))
    for p, q in zip(corners, (*corners[1:], corners[0]), strict=True):
        v = [room.pt(w, *p), room.pt(w, *q), room.pt(w, *q, -depth), room.pt(w, *p, -depth)]
        mesh(v, QUAD, surface, TRIM)


def add_arch(room: Room, w: int, hole: Hole, surface: Material) -> None:
    """Fill the upper corners of an opening to a round or segmental arch (they are wall)."""
    u0, u1, _, z1 = hole
    u, r = (u0 + u1) / 2, (u1 - u0) / 2
    rise = r * room.rng.uniform(0.4, 1.0)
    t = np.linspace(0, math.pi / 2, 9)
    for s in (-1, 1):
        bow = [(u + s * r * math.cos(x), z1 - rise + rise * math.sin(x)) for x in t]
        points = [*bow, (u + s * r, z1)]
        v, face = [room.pt(w, *p) for p in points], [tuple(range(len(points)))]
        o = mesh(v, face, surface, WALL, room.wall_planes[w], uvs=points)
        room.wall_objects.append((o, w))


def add_casing(room: Room, w: int, hole: Hole, surface: Material) -> None:
    """Boards around an opening; a sill when it ends above the floor."""
    u0, u1, z0, z1 = hole
    T, x = room.frame_at(w, (u0 + u1) / 2), (u1 - u0) / 2
    c, d = room.rng.uniform(0.04, 0.12), room.rng.uniform(0.008, 0.03)
    boards = [(-x - c, -x, z0, z1 + c), (x, x + c, z0, z1 + c), (-x, x, z1, z1 + c)]
    if z0 > 0.2:
        boards.append((-x, x, z0 - c, z0))
    for a, b, e, f in boards:
        box(T, (a, b), (0, d), (e, f), surface, TRIM)


def add_window(room: Room, w: int, sky: Material) -> None:
    """A window with bars, daylight, and sometimes blinds or curtains."""
    rng = room.rng
    width, z0 = rng.uniform(0.5, 2.6), rng.choice([rng.uniform(0.6, 1.2), 0.04], p=[0.85, 0.15])
    z1 = max(z0 + 0.5, rng.uniform(1.7, 2.2))
    u = room.opening(w, width, z0, z1)
    if u is None:
        return
    T, x, hole = room.frame_at(w, u), width / 2, (u - width / 2, u + width / 2, z0, z1)
    bar = finish(rng) if rng.random() < 0.3 else plain(np.full(3, 0.92), 0.4)
    depth = rng.uniform(0.06, 0.25)
    side = bar if rng.random() < 0.6 else plain(wall_colour(rng))
    add_reveal(room, w, hole, depth + 0.02, side)
    if rng.random() < 0.65:
        add_casing(room, w, hole, bar)
    _add_bars(room, T, x, (z0, z1), depth, bar)
    quad(T, (-x, x), (z0, z1), -depth - 0.01, sky, WINDOW)
    if not room.dark:
        inwards = [*room.walls[w][2].tolist(), rng.uniform(-0.5, 0.1)]
        watt = rng.uniform(20, 90) * width * (z1 - z0)
        colour = (1, rng.uniform(0.9, 1), rng.uniform(0.8, 1.1))
        area(T @ Vector((0, -depth + 0.05, (z0 + z1) / 2)), inwards, (width, z1 - z0), watt, colour)
    if rng.random() < 0.25:
        _add_blinds(room, T, x, (z0, z1), depth)
    elif rng.random() < 0.6:
        _add_curtains(room, w, hole, T)
    room.skirt_gaps[w].append((u - x, u + x) if z0 < 0.2 else (0, 0))


def _add_bars(
    room: Room, T: Matrix, x: float, z: tuple[float, float], depth: float, surface: Material
) -> None:
    rng, (z0, z1) = room.rng, z
    b = rng.uniform(0.03, 0.07)
    bars = [(-x, x, z1 - b, z1), (-x, x, z0, z0 + b), (-x, -x + b, z0, z1), (x - b, x, z0, z1)]
    nx, ny = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    across = [-x + 2 * x * i / nx for i in range(1, nx)]
    up = [z0 + (z1 - z0) * i / ny for i in range(1, ny)]
    bars += [(c - b / 2, c + b / 2, z0, z1) for c in across]
    bars += [(-x, x, c - b / 3, c + b / 3) for c in up]
    for a, c, d, e in bars:
        box(T, (a, c), (-depth, -depth + 0.04), (d, e), surface, WINDOW)


def _add_blinds(room: Room, T: Matrix, x: float, z: tuple[float, float], depth: float) -> None:
    rng, (z0, z1) = room.rng, z
    m, n = plain(np.full(3, rng.uniform(0.6, 0.95))), int((z1 - z0) / 0.05)
    cover = rng.uniform(0.3, 1)
    across, y = (-x + 0.02, x - 0.02), (-depth + 0.05, -depth + 0.075)
    for i in range(n):
        if i > n * (1 - cover):
            low = z0 + (z1 - z0) * i / n
            box(T, across, y, (low, low + 0.03), m, CURTAIN)


def _add_curtains(room: Room, w: int, hole: Hole, T: Matrix) -> None:
    rng, (u0, u1, z0, z1) = room.rng, hole
    u, x = (u0 + u1) / 2, (u1 - u0) / 2
    m = cloth(rng) if rng.random() < 0.6 else patterned(rng)
    top = min(room.H - 0.05, z1 + rng.uniform(0.05, 0.3))
    low = 0.02 if rng.random() < 0.6 else z0 - 0.15
    beyond, gap = rng.uniform(0.1, 0.45), rng.uniform(0.1, 0.95) * x
    if room.slope is not None:
        return
    for a, b in ((-x - beyond, -x + gap), (x - gap, x + beyond)):
        if rng.random() < 0.9:
            curtain(T, rng, a, b, low, top, mat=m)
    if rng.random() < 0.7:
        ends = [(s * (x + beyond + 0.08), 0.1, top + 0.02) for s in (-1, 1)]
        tube(T, ends, 0.014, metal(rng), cls=CURTAIN)
    room.taken[w].append((u - x - beyond, u + x + beyond, low, top))


def add_door(room: Room, w: int, trim: Material) -> Hole | None:
    """A closed door, or an open doorway: then its hole, for what the caller builds behind."""
    rng = room.rng
    narrow, wide = rng.uniform(0.7, 1.0), rng.uniform(1.1, 1.7)
    width, z1 = float(rng.choice([narrow, wide], p=[0.8, 0.2])), rng.uniform(1.95, 2.15)
    u = room.opening(w, width, 0.0, z1)
    if u is None:
        return None
    x, r, hole = width / 2, rng.random(), (u - width / 2, u + width / 2, 0.0, z1)
    room.skirt_gaps[w].append((u - x - 0.06, u + x + 0.06))
    m = finish(rng, 2) if rng.random() < 0.5 else trim
    closed = r > 0.3
    if closed or rng.random() < 0.6:
        add_casing(room, w, hole, m if rng.random() < 0.7 else trim)
    add_reveal(room, w, hole, _THICKNESS, m)
    if not closed:
        return hole
    _add_leaf(room, room.frame_at(w, u), x, z1, m)
    return None


def _add_leaf(room: Room, T: Matrix, x: float, top: float, surface: Material) -> None:
    """The door itself, flat or with panels, and its handle."""
    rng = room.rng
    y = -rng.uniform(0.01, 0.1)
    box(T, (-x, x), (y - 0.04, y), (0.005, top), surface, DOOR)
    style = rng.random()
    two, three = [(0.2, 0.9), (1.05, top - 0.15)], [(0.15, 0.55), (0.7, 1.2), (1.35, top - 0.15)]
    if style < 0.75:
        for z in two if style < 0.4 else three:
            for across in ((-x + 0.1, -0.04), (0.04, x - 0.1)):
                box(T, across, (y - 0.01, y + 0.012), z, surface, DOOR)
    hx = (x - 0.07) * (1 if rng.random() < 0.5 else -1)
    handle = [(hx, y, 1.02), (hx, y + 0.06, 1.02), (hx * 0.8, y + 0.06, 1.02)]
    tube(T, handle, 0.012, metal(rng), cls=DOOR)


def add_corridor(room: Room, w: int, hole: Hole, surface: Material, floor: Material) -> None:
    """A shallow second space behind an open doorway; its walls are walls too."""
    rng, H = room.rng, room.H
    u, x = (hole[0] + hole[1]) / 2, (hole[1] - hole[0]) / 2 + 0.02
    a, b = u - max(rng.uniform(0.4, 1.5), x), u + max(rng.uniform(0.4, 1.5), x)
    deep = rng.uniform(0.9, 2.5)
    _, d, n, _ = room.walls[w]
    for p, q, normal in (
        ((a, -deep), (b, -deep), (*n, 0)),
        ((a, -_THICKNESS), (a, -deep), (*d, 0)),
        ((b, -deep), (b, -_THICKNESS), (*(-d), 0)),
    ):
        L = math.dist(p, q)
        v = [room.pt(w, s[0], z, s[1]) for s, z in ((p, 0), (q, 0), (q, H), (p, H))]
        number = room.plane(normal, v[0])
        o = mesh(v, QUAD, surface, WALL, number, uvs=[(0, 0), (L, 0), (L, H), (0, H)])
        room.wall_objects.append((o, CORRIDOR + w))
    flat = ((a, -deep), (b, -deep), (b, 0), (a, 0))
    low, high = ([room.pt(w, s, z, out) for s, out in flat] for z in (0.001, H))
    mesh(low, QUAD, floor, FLOOR, uvs=[(0, 0), (b - a, 0), (b - a, deep), (0, deep)])
    mesh(high, QUAD, plain(np.full(3, 0.9)), CEILING)
    at = Vector(room.pt(w, (a + b) / 2, H - 0.4, -deep / 2))
    light(at, rng.uniform(2, 40), (1, rng.uniform(0.75, 1), rng.uniform(0.5, 1)), 0.15)
    if rng.random() < 0.5:
        T = room.frame_at(w, (a + b) / 2, 0, -deep)
        if rng.random() < 0.5:
            cabinet(T, rng, 0.6)
        else:
            frame(T, rng, 0, 1.5, 0.4, 0.5)
