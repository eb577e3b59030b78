"""What a room's traits add to it, before and after its plain furniture."""

from __future__ import annotations

import bpy
from mathutils import Vector

from training.generator.bathrooms import fit_bathroom
from training.generator.ceilings import darken_ceiling, fit_skylights
from training.generator.clutter import crowd
from training.generator.kitchens import fit_kitchen
from training.generator.lamps import light
from training.generator.large_objects import add_large_objects
from training.generator.room import Room


def add_features(room: Room, sky: bpy.types.Material, bare: bpy.types.Material) -> None:
    """Built-in and large objects, while the walls are still free."""
    traits = room.traits
    if traits.ceiling == "dark":
        darken_ceiling(room)
    if traits.ceiling.startswith("attic"):
        fit_skylights(room, sky)
    if traits.furnishing == "fitted kitchen":
        fit_kitchen(room)
        room.kind = "fitted"
    if traits.furnishing == "bathroom":
        fit_bathroom(room)
        room.kind = "bath"
    add_large_objects(room)


def add_late_features(room: Room) -> None:
    """Small objects, once the furniture stands; lamps of another colour."""
    if room.traits.crowded:
        crowd(room)
    if room.traits.mixed_light:
        _mix_light(room)


def _mix_light(room: Room) -> None:
    """One side of the room lit by warm lamps, the other by cold light."""
    rng = room.extra
    for colour, reach in (((1.0, 0.55, 0.22), (0.1, 0.4)), ((0.5, 0.72, 1.0), (0.6, 0.9))):
        x, y = room.lo + (room.hi - room.lo) * rng.uniform(*reach, 2)
        at = (x, y, min(rng.uniform(1.2, 2.2), room.zc(x, y) - 0.2))
        light(Vector(at), rng.uniform(15, 70), colour, rng.uniform(0.05, 0.3))
