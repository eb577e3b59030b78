"""Builds room N from seed N: shell, openings, furniture and light."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from training.generator.colours import Palette, hsv
from training.generator.features import add_features, add_late_features
from training.generator.furnishing import furnish
from training.generator.glass_fronts import cut_openings
from training.generator.lamps import LAMPS_ON, area, light, pendant
from training.generator.materials import finish, plain, reset
from training.generator.openings import add_arch, add_corridor, add_door, add_window
from training.generator.plans import inside
from training.generator.room import Room
from training.generator.shell import add_column, hang_ceiling, lay_beams, lay_floor
from training.generator.small_objects import fan
from training.generator.surfaces import sky_material
from training.generator.traits import RoomTraits
from training.generator.trims import add_panelling, add_trims

# The stream of random numbers that draws a room; another number would be another family of rooms.
_STREAM = 5
_EXTRA_STREAM = 12


def build(seed: int, traits: RoomTraits) -> Room:
    """Clear Blender's scene and build the room of this seed with these traits in it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    reset()
    rng = np.random.default_rng([seed, _STREAM])
    Palette.white = 0.85 if traits.white else 0.0
    room = Room(rng, np.random.default_rng([seed, _EXTRA_STREAM]), traits)
    room.dark = bool(rng.random() < 0.3)
    LAMPS_ON[0] = room.dark or bool(rng.random() < 0.4)
    trim = _trim(room)
    sky = sky_material(rng, room.dark)
    bare = plain(np.full(3, 0.8))
    kinds = ["room", "kitchen", "bath", "empty"]
    room.kind = str(rng.choice(kinds, p=[0.72, 0.13, 0.12, 0.03]))
    _build_shell(room, trim, sky, bare)
    add_features(room, sky, bare)
    add_trims(room, trim)
    furnish(room)
    add_late_features(room)
    if rng.random() < 0.12 and room.slope is None:
        fan(rng, (room.lo + room.hi) / 2, room.H)
    elif rng.random() < 0.3 and room.slope is None:
        at = room.lo + (room.hi - room.lo) * rng.uniform(0.35, 0.65, 2)
        pendant(rng, at, room.H)
    _light(room)
    return room


def _trim(room: Room) -> bpy.types.Material:
    rng = room.rng
    if rng.random() < 0.75:
        return plain(hsv(0.1, rng.uniform(0, 0.1), rng.uniform(0.75, 0.97)), 0.4)
    return finish(rng)


def _build_shell(
    room: Room, trim: bpy.types.Material, sky: bpy.types.Material, bare: bpy.types.Material
) -> None:
    rng, n, open_doors = room.rng, len(room.walls), []
    for _ in range(int(rng.integers(0, 4))):
        add_window(room, int(rng.integers(n)), sky)
    for _ in range(int(rng.integers(0, 4))):
        w = int(rng.integers(n))
        hole = add_door(room, w, trim)
        if hole is not None:
            open_doors.append((w, hole))
    open_doors += cut_openings(room, sky)
    for w in range(n):
        room.wall_mesh(w, bare)
    floor = lay_floor(room)
    room.ceiling = hang_ceiling(room)
    lay_beams(room)
    for w, hole in open_doors:
        add_corridor(room, w, hole, bare, floor)
        if rng.random() < 0.35:
            add_arch(room, w, hole, bare)
    add_column(room, bare, trim)
    for w in range(n):
        if rng.random() < 0.07 and room.walls[w][3] > 1 and room.slope is None:
            add_panelling(room, w, bare)


def _light(room: Room) -> None:
    """A soft source under the ceiling, and perhaps a bulb."""
    rng, dark = room.rng, room.dark
    c = room.lo + (room.hi - room.lo) * rng.uniform(0.35, 0.65, 2)
    if not inside(room.poly, *c):
        _, d, n, L = room.walls[0]
        c = np.array(room.poly[0]) + d * 0.5 * L + n * 0.8
    warm = np.array([1, rng.uniform(0.6, 1.0), rng.uniform(0.3, 1.0)])
    side, top = rng.uniform(0.3, 1.0) * min(room.hi - room.lo), room.zc(*c)
    colour = tuple(warm) if dark else (1, 1, 1)
    area((c[0], c[1], top - 0.06), (0, 0, -1), (side, side), rng.uniform(4, 60), colour)
    if dark or rng.random() < 0.3:
        at = Vector((c[0], c[1], top - rng.uniform(0.15, 0.6)))
        light(at, rng.uniform(10, 90), tuple(warm), rng.uniform(0.03, 0.2))
