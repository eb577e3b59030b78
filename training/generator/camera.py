"""Finds a view that stands free and sees a fair share of wall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from training.generator.classes import WALL
from training.generator.lamps import light
from training.generator.plans import edge_distance, inside
from training.generator.room import Room
from training.generator.traits import ViewTraits

_TRIES = 80


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """A camera's position and directions in the room; focal length in mm and px."""

    position: tuple[float, float, float]
    right: Vector
    up: Vector
    forward: Vector
    mm: float
    px: float


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The scene's camera (K, R, t; x right, y down, z forward) and its flash, if it has one."""

    camera: dict[str, Any]
    flash: bpy.types.Object | None
    dimmed: list[tuple[bpy.types.Light, float]]

    def put_flash_away(self) -> None:
        """Remove the flash and light the room again as it was."""
        if self.flash is not None:
            bpy.data.objects.remove(self.flash)
        for lamp, watt in self.dimmed:
            lamp.energy = watt


def _dim(flash: bpy.types.Object, share: float) -> list[tuple[bpy.types.Light, float]]:
    """Leave this share of the room's own light, so that the flash falls off hard."""
    lamps = [o.data for o in bpy.data.objects if o.type == "LIGHT" and o is not flash]
    before = [(lamp, lamp.energy) for lamp in lamps]
    for lamp, watt in before:
        lamp.energy = watt * share
    return before


def look(
    position: tuple[float, float, float], target: tuple[float, float, float], roll: float
) -> tuple[Vector, Vector, Vector]:
    """Right, up and forward of a camera that looks at `target`, rolled by `roll` radians."""
    f = (Vector(target) - Vector(position)).normalized()
    r = f.cross(Vector((0, 0, 1))).normalized()
    u = r.cross(f)
    c, s = math.cos(roll), math.sin(roll)
    return r * c + u * s, u * c - r * s, f


def find_view(room: Room, w: int, h: int, traits: ViewTraits) -> View | None:
    """Try random views; place the first that is good, else the best; None when all are bad."""
    rng = room.rng
    best: tuple[float, Aim] | None = None
    # Most photos show much of the room, some are close.
    want, wide = rng.uniform(0.08, 0.6), rng.random() < 0.75
    for _ in range(_TRIES):
        aim = _random_aim(room, max(w, h), wide and not traits.near, traits)
        if aim is None:
            continue
        score = _score(aim, w, h, want)
        if best is None or score > best[0]:
            best = (score, aim)
        if score > -0.1:
            break
    if best is None or best[0] < -0.95:
        return None
    return _place(room, best[1], w, h, traits)


def _random_aim(room: Room, side: int, wide: bool, traits: ViewTraits) -> Aim | None:
    """Any place and direction that is not in a wall; None when this throw was none."""
    rng = room.rng
    x, y = room.lo + (room.hi - room.lo) * rng.random(2)
    if not inside(room.poly, x, y) or edge_distance(room.poly, x, y) < 0.25:
        return None
    pos = (x, y, min(rng.uniform(0.8, 1.85), room.zc(x, y) - 0.3))
    w = int(rng.integers(len(room.walls)))
    if room.focus and room.extra.random() < 0.6:
        w = room.focus[int(room.extra.integers(len(room.focus)))]
    a, d, n, L = room.walls[w]
    p = a + d * L * rng.uniform(0.15, 0.85)
    far = math.dist(p, (x, y))
    least = 0.6 * max(room.hi - room.lo) if wide else 0.9
    if np.dot(n, np.array((x, y)) - p) < 0.3 or far < least:
        return None
    lenses = [rng.uniform(18, 24), rng.uniform(24, 30), rng.uniform(30, 50)]
    mm = float(rng.choice(lenses, p=[0.4, 0.48, 0.12]))
    height = pos[2] + far * math.tan(rng.normal(-0.1, 0.12))
    if traits.upward:
        height += far * rng.uniform(0.15, 0.5)
    roll = rng.normal(0, 0.03) + traits.tilt
    return Aim(pos, *look(pos, (*p, height), roll), mm, mm / 36 * side)


def _score(aim: Aim, w: int, h: int, want: float) -> float:
    """0 for exactly the wanted share of wall and nothing near; less for worse."""
    scene, dg = bpy.context.scene, bpy.context.evaluated_depsgraph_get()
    walls, z = 0, []
    for gy in np.linspace(0.06, 0.94, 8):
        for gx in np.linspace(0.06, 0.94, 10):
            across, down = (gx - 0.5) * w / aim.px, (gy - 0.5) * h / aim.px
            ray = (aim.forward + aim.right * across - aim.up * down).normalized()
            hit, at, _, _, ob, _ = scene.ray_cast(dg, aim.position, ray)
            walls += bool(hit) and round(ob.color[0] * 16) == WALL
            z.append((Vector(at) - Vector(aim.position)).dot(aim.forward) if hit else 9)
    share, near = walls / 80, min(z)
    bad = 2.0 if near < 0.35 else 0.0
    bad += 1 if share < 0.04 or np.median(z) < 0.9 else 0
    bad += 0.5 if near < 0.6 else 0
    return -abs(share - want) - bad


def _place(room: Room, aim: Aim, w: int, h: int, traits: ViewTraits) -> View:
    rng, pos, r, u, f = room.rng, aim.position, aim.right, aim.up, aim.forward
    cd = bpy.data.cameras.new("c")
    cd.sensor_fit, cd.sensor_width, cd.lens, cd.clip_start = "AUTO", 36.0, aim.mm, 0.02
    o = bpy.data.objects.new("c", cd)
    o.matrix_world = Matrix(
        ((r.x, u.x, -f.x, pos[0]), (r.y, u.y, -f.y, pos[1]), (r.z, u.z, -f.z, pos[2]), (0, 0, 0, 1))
    )
    bpy.context.collection.objects.link(o)
    bpy.context.scene.camera = o
    R = np.array([list(r), list(-u), list(f)])
    K = [[aim.px, 0, w / 2 - 0.5], [0, aim.px, h / 2 - 0.5], [0, 0, 1]]
    flash, dimmed = None, []
    if rng.random() < 0.15 or traits.flash:
        flash = light(Vector(pos) + u * 0.06, rng.uniform(10, 60), (1, 1, 1), 0.02)
    if traits.flash:
        dimmed = _dim(flash, rng.uniform(0.02, 0.3))
    return View({"K": K, "R": R.tolist(), "t": (-R @ np.array(pos)).tolist()}, flash, dimmed)
