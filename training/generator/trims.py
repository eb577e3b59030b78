"""Baseboards, cornices and chair rails (no wall), and raised panelling (wall)."""

from __future__ import annotations

from typing import TypeAlias

import bpy

from training.generator.classes import TRIM, WALL
from training.generator.meshes import box
from training.generator.room import Room

Material: TypeAlias = bpy.types.Material


def add_trims(room: Room, trim: Material) -> None:
    """Baseboards, sometimes a cornice, sometimes a chair rail, along every wall."""
    rng = room.rng
    base = rng.random() < 0.85
    crown = rng.random() < 0.3 and room.slope is None and room.traits.ceiling == "as drawn"
    rail = rng.random() < 0.12
    bh, bd, ch = rng.uniform(0.05, 0.2), rng.uniform(0.008, 0.025), rng.uniform(0.04, 0.16)
    rz = rng.uniform(0.75, 1.1)
    for w in range(len(room.walls)):
        cut = any(h[2] < rz < h[3] for h in room.holes[w])
        for a, b in _between_openings(room, w):
            T, x = room.frame_at(w, (a + b) / 2), (b - a) / 2
            if base:
                box(T, (-x, x), (0, bd), (0, bh), trim, TRIM)
            if rail and not cut and w not in room.focus:
                box(T, (-x, x), (0, 0.02), (rz, rz + 0.06), trim, TRIM)
        if crown:
            L, H = room.walls[w][3], room.H
            T = room.frame_at(w, L / 2)
            box(T, (-L / 2, L / 2), (0, ch * 0.8), (H - ch * 0.5, H), trim, TRIM)
            box(T, (-L / 2, L / 2), (0, ch * 0.4), (H - ch, H - ch * 0.5), trim, TRIM)


def _between_openings(room: Room, w: int) -> list[tuple[float, float]]:
    """Stretches of wall w without a door or a window that reaches the floor."""
    spans = [(0.0, room.walls[w][3])]
    for s0, s1 in room.skirt_gaps[w]:
        cut = [p for a, b in spans for p in ((a, min(b, s0)), (max(a, s1), b))]
        spans = [p for p in cut if p[1] - p[0] > 0.02]
    return spans


def add_panelling(room: Room, w: int, surface: Material) -> None:
    """Raised panels or battens on the wall: wall, in the wall's own surface."""
    rng, L, holes = room.rng, room.walls[w][3], room.holes[w]
    z0, z1 = rng.uniform(0.15, 0.3), rng.choice([rng.uniform(0.7, 1.2), room.H - 0.3])
    n, fw = max(1, round(L / rng.uniform(0.35, 0.9))), rng.uniform(0.02, 0.05)
    d, T, number = rng.uniform(0.008, 0.02), room.frame_at(w, 0), room.wall_planes[w]
    for i in range(n):
        a, b = i * L / n + 0.08, (i + 1) * L / n - 0.08
        if any(a < h[1] + 0.1 and b > h[0] - 0.1 and z0 < h[3] and z1 > h[2] for h in holes):
            continue
        level = ((a, b, z0, z0 + fw), (a, b, z1 - fw, z1))
        upright = ((a, a + fw, z0, z1), (b - fw, b, z0, z1))
        for p, q, low, top in level + upright:
            o = box(T, (p, q), (0, d), (low, top), surface, WALL, number)
            room.wall_objects.append((o, w))
