"""Which surface each wall gets; painted anew for every photo of a room."""

from __future__ import annotations

import math

import bpy
import numpy as np

from training.generator.colours import Rng, linear, wall_colour
from training.generator.materials import Mat
from training.generator.patterns import pattern
from training.generator.room import CORRIDOR, Room
from training.generator.surfaces import bricks, height_share, wall_surface

Surface = tuple[str, bpy.types.Material]


def paint_walls(room: Room) -> list[str]:
    """(Re)assign wall surfaces: one for all walls, an accent wall, or a mix; the kinds used."""
    rng = room.rng
    base_kind, base = wall_surface(rng, "paint" if room.traits.white else None)
    r, surfaces, kinds = rng.random(), {}, {base_kind}
    accent = int(rng.integers(len(room.walls)))
    for _, w in room.wall_objects:
        if w not in surfaces:
            if w < CORRIDOR and (r < 0.55 or (r < 0.85 and w != accent)):
                surfaces[w] = base
            else:
                kind, surfaces[w] = wall_surface(rng)
                kinds.add(kind)
    paint = _paint_of(room)
    if paint != "as drawn":
        kinds |= _repaint(room, surfaces, paint)
    for o, w in room.wall_objects:
        o.data.materials[0] = surfaces[w]
    if room.traits.ceiling.endswith("as walls") and room.ceiling is not None:
        room.ceiling.data.materials[0] = surfaces[accent]
    return sorted(kinds)


def _paint_of(room: Room) -> str:
    """The trait's paint; bathrooms are mostly tiled, all over or half way up."""
    paint = room.traits.paint
    if room.traits.furnishing == "bathroom":
        return str(room.extra.choice(["tiles", "half tiled", paint], p=[0.4, 0.4, 0.2]))
    return paint


def _repaint(room: Room, surfaces: dict[int, bpy.types.Material], paint: str) -> set[str]:
    """The trait's paints in place of what was drawn; corridors keep theirs."""
    rng, kinds = room.extra, set()
    shared = _surface(rng, paint)
    for w in [w for w in surfaces if w < CORRIDOR]:
        each = paint == "a paint per wall"
        kind, surfaces[w] = wall_surface(rng, "paint") if each else shared
        kinds.add(kind)
    return kinds


def _surface(rng: Rng, paint: str) -> Surface:
    if paint == "two heights":
        return two_heights(rng)
    if paint == "half tiled":
        return half_tiled(rng)
    if paint == "large pattern":
        return large_pattern(rng)
    return wall_surface(rng, "tiles" if paint == "tiles" else "paint")


def half_tiled(rng: Rng) -> Surface:
    """Tiles up to a height, paint above."""
    m = Mat(wall_colour(rng), rng.uniform(0.2, 0.6))
    side, c = rng.uniform(0.08, 0.35), wall_colour(rng)
    sizes = (side, side * rng.uniform(0.35, 1.0))
    colours = (c, c * rng.uniform(0.9, 1), c * rng.uniform(0.5, 1))
    tiles = bricks(m, rng, colours, sizes, 0.004, 0.0)
    height = m.n("ShaderNodeSeparateXYZ", Vector=m.coords()).outputs[1]
    above = m.n("ShaderNodeMath")
    above.operation = "GREATER_THAN"
    m.put(above, 0, height)
    m.put(above, 1, rng.uniform(0.9, 2.1))
    mix = m.n("ShaderNodeMix")
    mix.data_type = "RGBA"
    for i, value in ((0, above.outputs[0]), (6, tiles.outputs["Color"])):
        m.put(mix, i, value)
    m.put(mix, 7, (*linear(wall_colour(rng)), 1))
    m.set("Base Color", mix.outputs[2])
    return "half tiled", m.m


def two_heights(rng: Rng) -> Surface:
    """Another paint, boards or tiles up to half height, with or without a line between."""
    c, m = wall_colour(rng), Mat(wall_colour(rng), rng.uniform(0.3, 0.9))
    z, line = rng.uniform(0.6, 1.6) / 4.0, rng.uniform(0.004, 0.02)
    stops = [(0.0, wall_colour(rng)), (z, c)]
    if rng.random() < 0.4:
        stops = [stops[0], (z, wall_colour(rng)), (z + line, c)]
    m.set("Base Color", m.ramp(height_share(m, 4.0), stops, True))
    return "two heights", m.m


def large_pattern(rng: Rng) -> Surface:
    """Wallpaper or a mural whose pattern repeats after one to three metres."""
    c = wall_colour(rng)
    m, s = Mat(c, rng.uniform(0.5, 0.95)), 1.0 / rng.uniform(0.9, 3.0)
    turn = float(rng.choice([0.0, 0.0, math.pi / 2]))
    m.set("Base Color", m.image(pattern(rng, np.asarray(c), 320), m.coords("UV", (s, s, s), turn)))
    return "large pattern", m.m
