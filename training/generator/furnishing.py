"""Puts furniture along the walls, in the middle, and objects on the walls."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from mathutils import Matrix

from training.generator.colours import Rng
from training.generator.lamps import floor_lamp
from training.generator.materials import cloth, patterned
from training.generator.meshes import box
from training.generator.pictures import frame, round_object
from training.generator.plans import edge_distance, inside
from training.generator.room import Room
from training.generator.seating import armchair, bed, chair, desk, sofa, stool, table
from training.generator.small_objects import aircon, clutter, hooks, person, plant, switch
from training.generator.storage import (
    bookcase,
    cabinet,
    fireplace,
    radiator,
    shelf,
    tv,
    wall_cabinet,
    wardrobe,
)
from training.generator.wet_rooms import basin, fridge, kitchen, toilet, tub, washer


@dataclass(frozen=True, slots=True)
class Piece:
    """build(T, rng, width); range of widths; height kept free; weight in a random choice."""

    build: Callable[[Matrix, Rng, float], None]
    width: tuple[float, float]
    height: float
    weight: float


PIECES: Final = {
    "sofa": Piece(sofa, (1.4, 2.6), 1.0, 3),
    "bed": Piece(bed, (0.9, 1.9), 1.3, 2.5),
    "cabinet": Piece(cabinet, (0.4, 1.9), 1.1, 4),
    "wardrobe": Piece(wardrobe, (0.8, 2.4), 2.3, 1.5),
    "bookcase": Piece(bookcase, (0.5, 2.2), 2.2, 2),
    "table": Piece(table, (0.6, 1.8), 0.9, 1.5),
    "desk": Piece(desk, (1.0, 1.6), 1.3, 1.5),
    "chair": Piece(chair, (0.5, 0.5), 1.0, 2),
    "armchair": Piece(armchair, (0.9, 0.9), 1.0, 2),
    "stool": Piece(stool, (0.5, 0.5), 0.8, 1),
    "lamp": Piece(floor_lamp, (0.5, 0.5), 1.8, 1.5),
    "plant": Piece(plant, (0.6, 0.8), 1.5, 2.5),
    "tv": Piece(tv, (1.0, 2.0), 2.0, 1.5),
    "radiator": Piece(radiator, (0.5, 1.6), 0.9, 1.5),
    "clutter": Piece(clutter, (0.6, 1.5), 0.6, 2),
    "fireplace": Piece(fireplace, (1.1, 1.7), 1.3, 0.7),
    "kitchen": Piece(kitchen, (1.5, 3.6), 2.2, 0.5),
    "fridge": Piece(fridge, (0.6, 0.8), 1.9, 0.4),
    "washer": Piece(washer, (0.62, 0.62), 1.0, 0.3),
    "toilet": Piece(toilet, (0.5, 0.5), 1.0, 0.2),
    "person": Piece(person, (0.7, 0.7), 1.8, 0.5),
    "basin": Piece(basin, (0.5, 1.2), 2.0, 0),
    "tub": Piece(tub, (1.5, 1.8), 2.0, 0),
}
# What each kind of room has in any case.
SETS: Final = {
    "fitted": ["table", "chair", "chair", "stool", "plant", "radiator"],
    "kitchen": ["kitchen", "kitchen", "kitchen", "fridge", "table", "chair", "cabinet", "washer"],
    "bath": ["toilet", "basin", "tub", "washer", "radiator", "cabinet"],
}
# Kinds of room without the random pieces.
_SPARE: Final = ("empty", "bath", "fitted")
_LOOSE: Final = ("chair", "armchair", "stool", "plant", "sofa", "table", "person", "clutter")


def furnish(room: Room) -> None:
    """Furniture along the walls, something in the middle, things on the walls."""
    rng, pieces = room.rng, list(SETS.get(room.kind, []))
    if room.kind not in _SPARE:
        names = [n for n, piece in PIECES.items() if piece.weight > 0]
        weights = np.array([PIECES[n].weight for n in names])
        pieces += list(rng.choice(names, int(rng.integers(4, 18)), p=weights / weights.sum()))
    walls = [w for w in range(len(room.walls)) if room.walls[w][3] > 0.6]
    if not walls:
        return
    for name in pieces:
        _stand(room, name, walls)
    _fill_middle(room)
    for w in walls:
        _hang(room, w)


def _stand(room: Room, name: str, walls: list[int]) -> None:
    """Up to four tries to find the piece a place at a wall."""
    rng, piece = room.rng, PIECES[name]
    least, most = piece.width
    for _ in range(4):
        w = int(rng.choice(walls))
        a, d, _, L = room.walls[w]
        width = rng.uniform(least, min(most, max(least, L - 0.2)))
        if room.zc(*(a + d * L / 2)) < piece.height:
            continue
        u = room.place(w, width, 0, piece.height)
        if u is not None:
            loose = name in _LOOSE
            turn = rng.normal(0, 0.25) if loose and name != "sofa" else 0
            out = abs(rng.normal(0, 0.25)) if loose else 0
            piece.build(room.frame_at(w, u, turn, out), rng, width)
            return


def _fill_middle(room: Room) -> None:
    """A carpet, a table with chairs, an armchair: in rooms with space in the middle."""
    rng = room.rng
    mid = room.lo + (room.hi - room.lo) * rng.uniform(0.35, 0.65, 2)
    free = inside(room.poly, *mid) and edge_distance(room.poly, *mid) > 1.0
    if room.kind != "room" or not free:
        return
    turn = Matrix.Rotation(rng.choice([0, math.pi / 2]) + rng.normal(0, 0.1), 4, "Z")
    T = Matrix.Translation((mid[0], mid[1], 0)) @ turn
    r = rng.random()
    if r < 0.6:
        m = patterned(rng, rng.uniform(0.4, 2)) if rng.random() < 0.6 else cloth(rng)
        w, d = rng.uniform(0.7, 1.4), rng.uniform(0.5, 1.0)
        box(T, (-w, w), (-d, d), (0, 0.012), m)
    if 0.2 < r < 0.75:
        _set_table(rng, T)
    elif r >= 0.75:
        (armchair if rng.random() < 0.5 else stool)(T, rng, 0.9)


def _set_table(rng: Rng, T: Matrix) -> None:
    big = rng.random() < 0.5
    w, d = rng.uniform(0.7, 1.7), rng.uniform(0.5, 0.9)
    table(T, rng, w, d, None if big else rng.uniform(0.3, 0.5), -0.4)
    if not big:
        return
    for i in range(int(rng.integers(1, 5))):
        s = 1 if i % 2 else -1
        at = Matrix.Translation((rng.uniform(-0.6, 0.6), s * rng.uniform(0.75, 1.0), 0))
        turn = (math.pi if s > 0 else 0) + rng.normal(0, 0.25)
        chair(T @ at @ Matrix.Rotation(turn, 4, "Z"), rng, 0.5)


def _hang(room: Room, w: int) -> None:
    """Pictures, shelves, cabinets and switches on wall w."""
    rng, (a, d, _, L), T = room.rng, room.walls[w], room.frame_at(w, 0)
    low = min(room.zc(*(a + d * L * t)) for t in (0, 0.5, 1))
    for _ in range(int(rng.poisson(rng.uniform(0.4, 1.6) * min(L, 4)))):
        r, z = rng.random(), rng.uniform(1.25, 1.8)
        if low >= 2.1:
            _hang_one(room, w, T, r, z)
    for _ in range(int(rng.integers(0, 3))):
        u = rng.uniform(0.1, L - 0.1)
        switch(T, rng, _beside_holes(room, w, u), 0.3)


def _beside_holes(room: Room, w: int, u: float) -> float:
    """u, or the nearest place beside the door that is there: nothing hangs in the air."""
    for u0, u1, z0, _ in room.holes[w]:
        if z0 < 0.4 and u0 - 0.1 < u < u1 + 0.1:
            return u0 - 0.15 if u - u0 < u1 - u else u1 + 0.15
    return u


def _hang_one(room: Room, w: int, T: Matrix, r: float, z: float) -> None:
    """One object, its kind drawn as r, at about the height z, if there is a place for it."""
    rng = room.rng
    if r < 0.5:
        _hang_pictures(room, w, T, z)
    elif r < 0.58:
        s = rng.uniform(0.1, 0.4)
        _at(room, w, 2 * s, (z - s, z + s), lambda u: round_object(T, rng, u, z, s))
    elif r < 0.72:
        a = rng.uniform(0.3, 1.4)
        _at(room, w, a, (1.2, 2.2), lambda u: shelf(T, rng, u, rng.uniform(1.2, 1.6), a))
    elif r < 0.79:
        a = rng.uniform(0.4, 1.6)
        _at(room, w, a, (1.4, 2.3), lambda u: wall_cabinet(T, rng, u, rng.uniform(1.35, 1.5), a))
    elif r < 0.86:
        a = rng.uniform(0.3, 0.9)
        _at(room, w, a, (0.7, 1.75), lambda u: hooks(T, rng, u, 1.65, a))
    elif r < 0.9:
        high = room.H - 0.4 if room.slope is None else 1.9
        _at(room, w, 0.9, (1.85, 2.3), lambda u: aircon(T, rng, u, high))
    else:
        _at(room, w, 0.2, (0.9, 1.3), lambda u: switch(T, rng, u, 1.1))


def _at(
    room: Room, w: int, width: float, z: tuple[float, float], hang: Callable[[float], Any]
) -> None:
    u = room.place(w, width, *z)
    if u is not None:
        hang(u)


def _hang_pictures(room: Room, w: int, T: Matrix, z: float) -> None:
    """One to three frames in a row; now and then very large ones."""
    rng = room.rng
    if rng.random() < 0.88:
        a, b = rng.uniform(0.15, 1.1), rng.uniform(0.15, 0.9)
    else:
        a, b = rng.uniform(1, 2.4), rng.uniform(0.6, 1.2)
    n = int(rng.choice([1, 1, 1, 2, 3]))
    u = room.place(w, a * n + 0.08 * (n - 1), z - b / 2, z + b / 2)
    if u is not None:
        for i in range(n):
            frame(T, rng, u + (i - (n - 1) / 2) * (a + 0.08), z, a, b)
