"""Large openings: fronts of glass, sliding doors, wide doorways to another room."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Vector

from training.generator.classes import CURTAIN, WINDOW
from training.generator.colours import Rng
from training.generator.lamps import area
from training.generator.materials import cloth, finish, metal, patterned, plain, sheer
from training.generator.meshes import box, quad, tube
from training.generator.openings import add_reveal
from training.generator.room import Hole, Room
from training.generator.small_objects import curtain

_BACK = 0.12


def cut_openings(room: Room, sky: bpy.types.Material) -> list[tuple[int, Hole]]:
    """Cut them before the walls are made; the doorways' walls and holes."""
    rng, doorways = room.extra, []
    if room.traits.big and rng.random() < 0.45:
        glass_front(room, sky)
    if room.traits.big and rng.random() < 0.3:
        w, width = _some_wall(room), rng.uniform(1.1, 2.4)
        top = rng.uniform(2.0, 2.3)
        u = room.opening(w, width, 0.0, top, rng)
        if u is not None:
            hole = (u - width / 2, u + width / 2, 0.0, top)
            add_reveal(room, w, hole, 0.14, plain(np.full(3, 0.9), 0.5))
            room.skirt_gaps[w].append((u - width / 2, u + width / 2))
            doorways.append((w, hole))
    return doorways


def _some_wall(room: Room) -> int:
    lengths = np.array([wall[3] for wall in room.walls]) ** 2
    return int(room.extra.choice(len(lengths), p=lengths / lengths.sum()))


def glass_front(room: Room, sky: bpy.types.Material) -> None:
    """Windows or sliding doors from the floor up over much of a wall."""
    rng, w = room.extra, _some_wall(room)
    L = room.walls[w][3]
    if L < 1.9:
        return
    width = rng.uniform(1.5, min(4.5, L - 0.3))
    z0, z1 = float(rng.choice([0.03, 0.5])), rng.uniform(2.05, max(2.1, room.H - 0.12))
    u = room.opening(w, width, z0, z1, rng)
    if u is None:
        return
    T, x = room.frame_at(w, u), width / 2
    bar = plain(np.full(3, rng.choice([0.93, 0.93, 0.05, 0.6])), 0.4)
    bar = finish(rng, 2) if rng.random() < 0.2 else bar
    add_reveal(room, w, (u - x, u + x, z0, z1), _BACK + 0.02, plain(np.full(3, 0.9), 0.6))
    room.skirt_gaps[w].append((u - x, u + x) if z0 < 0.2 else (0, 0))
    n, b = max(2, round(width / rng.uniform(0.6, 1.3))), rng.uniform(0.03, 0.08)
    for i in range(n + 1):
        c = -x + i * width / n
        box(T, (c - b / 2, c + b / 2), (-_BACK, -_BACK + 0.05), (z0, z1), bar, WINDOW)
    for z in (z0, z1 - b):
        box(T, (-x, x), (-_BACK, -_BACK + 0.05), (z, z + b), bar, WINDOW)
    quad(T, (-x, x), (z0, z1), -_BACK - 0.01, sky, WINDOW)
    if not room.dark:
        inwards = [*room.walls[w][2].tolist(), -0.2]
        at = T @ Vector((0, -_BACK + 0.05, (z0 + z1) / 2))
        area(at, inwards, (width, z1 - z0), rng.uniform(15, 60) * width, (1, 1, 1))
    _cover(rng, T, x, (z0, z1), room.H if room.slope is None else z1 + 0.1)


def _cover(rng: Rng, T: Matrix, x: float, z: tuple[float, float], H: float) -> None:
    """Nothing, net curtains, drawn curtains, or roller blinds let down part of the way."""
    k = rng.random()
    if k < 0.2:
        return
    top = min(H - 0.03, z[1] + 0.12)
    if k < 0.5:
        curtain(T, rng, -x - 0.1, x + 0.1, 0.02, top, 0.06, sheer(rng))
    if k < 0.75:
        m = cloth(rng) if rng.random() < 0.7 else patterned(rng)
        wide = rng.uniform(0.15, 0.9) * x
        for s in (-1, 1):
            e, i = s * (x + 0.2), s * (x - wide)
            curtain(T, rng, min(e, i), max(e, i), 0.02, top, 0.13, m)
        tube(T, [(-x - 0.3, 0.12, top), (x + 0.3, 0.12, top)], 0.013, metal(rng), cls=CURTAIN)
        return
    m, n = plain(np.full(3, rng.uniform(0.5, 0.95)), 0.9), int(rng.integers(1, 4))
    for i in range(n):
        a, b = -x + 2 * x * i / n + 0.01, -x + 2 * x * (i + 1) / n - 0.01
        low = z[0] + (z[1] - z[0]) * rng.uniform(0.0, 0.8)
        box(T, (a, b), (-0.05, -0.045), (low, z[1]), m, CURTAIN)
        box(T, (a, b), (-0.06, -0.035), (low - 0.02, low), m, CURTAIN)
