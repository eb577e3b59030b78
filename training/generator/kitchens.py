"""Fitted kitchens: base and wall cabinets with worktop, appliances, splashback, island."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from training.generator.classes import OBJECT, WALL
from training.generator.colours import Rng, any_colour, hsv
from training.generator.materials import finish, metal, plain, wood
from training.generator.meshes import box, lathe, mesh, quad, tube
from training.generator.room import Room
from training.generator.seating import stool
from training.generator.small_objects import small_object
from training.generator.storage import fronts
from training.generator.surfaces import wall_surface

_DEPTH, _WORKTOP, _UNIT = 0.58, 0.9, 0.6
Span = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """One kitchen's look. low: height of the wall cabinets' lower edge; tall: their height."""

    front: bpy.types.Material
    upper: bpy.types.Material
    worktop: bpy.types.Material
    handle: bpy.types.Material | None
    steel: bpy.types.Material
    splash: bpy.types.Material | None
    low: float
    tall: float


def fit_kitchen(room: Room) -> None:
    """A run along the longest wall, often round the corner, sometimes with an island."""
    rng, n = room.extra, len(room.walls)
    style = _style(rng, room)
    w = int(np.argmax([wall[3] for wall in room.walls]))
    _run(room, w, style, 0.0)
    room.focus.append(w)
    following = (w + 1) % n
    d0, d1 = room.walls[w][1], room.walls[following][1]
    if rng.random() < 0.6 and d0[0] * d1[1] - d0[1] * d1[0] > 0.9:
        _run(room, following, style, 0.64)
        room.focus.append(following)
    if rng.random() < 0.3 and min(room.hi - room.lo) > 3.2:
        _island(room, style)


def _front(rng: Rng) -> bpy.types.Material:
    k = rng.random()
    if k < 0.55:
        white = hsv(rng.uniform(0.06, 0.16), rng.uniform(0, 0.08), rng.uniform(0.8, 0.97))
        return plain(white, rng.uniform(0.1, 0.5))
    if k < 0.7:
        return wood(rng, 2)
    if k < 0.85:
        return plain(np.full(3, rng.uniform(0.05, 0.7)), rng.uniform(0.2, 0.6))
    return plain(any_colour(rng), rng.uniform(0.2, 0.6))


def _style(rng: Rng, room: Room) -> Style:
    front = _front(rng)
    low = rng.uniform(1.33, 1.5)
    tall = room.H - low - 0.01 if rng.random() < 0.3 else rng.uniform(0.55, 0.95)
    k = rng.random()
    splash = wall_surface(rng, "tiles" if k < 0.5 else "stone")[1] if k < 0.7 else None
    return Style(
        front,
        front if rng.random() < 0.75 else _front(rng),
        wall_surface(rng, "stone")[1] if rng.random() < 0.4 else finish(rng),
        metal(rng) if rng.random() < 0.75 else None,
        plain(np.full(3, rng.choice([0.93, 0.6, 0.05])), 0.25, float(rng.random() < 0.4)),
        splash,
        low,
        min(tall, room.H - low - 0.01),
    )


def _run(room: Room, w: int, style: Style, start: float) -> None:
    """Base units wherever wall w is free below, wall units wherever it is free above them."""
    rng, T = room.extra, room.frame_at(w, 0)
    a, d, _, L = room.walls[w]
    flat = room.slope is None
    for s, e in room.free_spans(w, 0.0, _WORKTOP):
        s = max(s, start) + 0.01
        e = min(e, s + rng.uniform(1.8, 5.0)) - 0.01
        if e - s < 0.55:
            continue
        if flat and e - s > 1.7 and rng.random() < 0.7:
            e -= _tall_unit(rng, T, style, e)
        upper = [(max(p, s), min(q, e)) for p, q in room.free_spans(w, style.low, style.low + 0.5)]
        middle = room.zc(*(a + d * L / 2))
        hot = _base_units(rng, T, style, (s, e))
        if style.splash is not None:
            _splashback(room, w, style, (s, e))
        if middle >= style.low + style.tall and rng.random() < 0.88:
            for span in upper:
                _wall_units(rng, T, style, span, hot)
        _on_worktop(rng, T, (s, e))
        room.taken[w].append((s, e + 0.7, 0.0, style.low + style.tall))


def _tall_unit(rng: Rng, T: Matrix, style: Style, end: float) -> float:
    """A fridge, or a tall cabinet with or without an oven, at the end of a run; its width."""
    width, top = rng.uniform(0.58, 0.7), style.low + style.tall
    x = (end - width, end)
    if rng.random() < 0.55:
        m, h = style.steel, rng.uniform(1.6, 2.0)
        box(T, x, (0.02, 0.64), (0.02, h), m, bevel=0.008)
        fronts(T, rng, x, (0.03, h), 0.64, m, 1, 2, style.handle)
        return width
    box(T, x, (0.005, 0.6), (0.0, top), style.front)
    fronts(T, rng, x, (0.1, top), 0.6, style.front, 1, 3, style.handle)
    if rng.random() < 0.5:
        _oven(T, style, x, (1.0, 1.45), 0.621)
    return width


def _oven(T: Matrix, style: Style, x: Span, z: Span, y: float) -> None:
    a, b = x[0] + 0.015, x[1] - 0.015
    box(T, (a, b), (y - 0.02, y + 0.012), z, plain(np.full(3, 0.03), 0.1))
    box(T, (a, b), (y, y + 0.014), (z[1] - 0.09, z[1]), style.steel)
    bar = [(a + 0.05, y + 0.05, z[1] - 0.13), (b - 0.05, y + 0.05, z[1] - 0.13)]
    tube(T, bar, 0.009, style.steel)


def _base_units(rng: Rng, T: Matrix, style: Style, span: Span) -> Span | None:
    """Doors, drawers, an oven with its hob, a sink; where the hob is, or None."""
    s, e = span
    box(T, span, (0.005, _DEPTH), (0.1, 0.86), style.front)
    box(T, span, (0.02, 0.52), (0, 0.1), plain(np.full(3, rng.choice([0.1, 0.85])), 0.5))
    box(T, (s - 0.005, e + 0.005), (0.003, 0.62), (0.86, _WORKTOP), style.worktop)
    n = max(1, round((e - s) / _UNIT))
    hot_unit, wet_unit, hot = int(rng.integers(n)), int(rng.integers(n)), None
    for i in range(n):
        x = (s + i * (e - s) / n, s + (i + 1) * (e - s) / n)
        if i == hot_unit:
            hot = x
            _oven(T, style, x, (0.16, 0.84), _DEPTH + 0.02)
            quad_top = [(x[0] + 0.04, 0.08), (x[1] - 0.04, 0.08), (x[1] - 0.04, 0.54)]
            corners = [(p, q, 0.904) for p, q in [*quad_top, (x[0] + 0.04, 0.54)]]
            mesh(corners, [(0, 1, 2, 3)], plain(np.full(3, 0.02), 0.08), OBJECT, T=T)
        else:
            rows = 1 if rng.random() < 0.65 else 3
            fronts(T, rng, x, (0.11, 0.855), _DEPTH, style.front, 1, rows, style.handle)
            if i == wet_unit:
                _sink(T, x)
    return hot


def _sink(T: Matrix, x: Span) -> None:
    m = plain(np.full(3, 0.7), 0.2, 1.0)
    c = (x[0] + x[1]) / 2
    box(T, (c - 0.24, c + 0.24), (0.1, 0.52), (0.88, 0.903), m)
    box(T, (c - 0.21, c + 0.21), (0.16, 0.49), (0.89, 0.9045), plain(np.full(3, 0.25), 0.3, 1.0))
    tube(T, [(c, 0.09, 0.9), (c, 0.09, 1.16), (c, 0.14, 1.2), (c, 0.27, 1.17)], 0.012, m)


def _wall_units(rng: Rng, T: Matrix, style: Style, span: Span, hot: Span | None) -> None:
    """Cabinets along the span with a hood over the hob; some places stay open wall."""
    s, e = span
    z, m = (style.low, style.low + style.tall), style.upper
    spans = [(s, e)]
    if hot is not None and hot[0] >= s - 0.02 and hot[1] <= e + 0.02:
        spans = [(s, hot[0]), (hot[1], e)]
        _hood(rng, T, style, hot)
    for a, b in spans:
        n = round((b - a) / rng.uniform(0.4, 0.65))
        for i in range(n):
            x = (a + i * (b - a) / n, a + (i + 1) * (b - a) / n)
            if rng.random() < 0.88:
                box(T, x, (0.003, 0.33), z, m)
                fronts(T, rng, x, z, 0.33, m, 1, 1, style.handle)


def _hood(rng: Rng, T: Matrix, style: Style, x: Span) -> None:
    z, c, top = style.low + 0.12, (x[0] + x[1]) / 2, style.low + style.tall
    k = rng.random()
    if k < 0.45:
        box(T, x, (0.003, 0.48), (z, z + 0.06), style.steel)
        box(T, (c - 0.13, c + 0.13), (0.003, 0.28), (z + 0.06, top), style.steel)
    elif k < 0.75:
        box(T, x, (0.003, 0.33), (z, top), style.upper)
        fronts(T, rng, x, (z, top), 0.33, style.upper, 1, 1, style.handle)


def _splashback(room: Room, w: int, style: Style, span: Span) -> None:
    """Tiles or stone above the worktop: they are wall, on the wall's own plane."""
    top = style.low if room.extra.random() < 0.7 else _WORKTOP + room.extra.uniform(0.1, 0.45)
    for s, e in room.free_spans(w, _WORKTOP, top):
        a, b = max(s, span[0]), min(e, span[1])
        if b - a > 0.1:
            corners = [(a, _WORKTOP), (b, _WORKTOP), (b, top), (a, top)]
            v = [room.pt(w, u, z, 0.004) for u, z in corners]
            mesh(v, [(0, 1, 2, 3)], style.splash, WALL, room.wall_planes[w], uvs=corners)


def _on_worktop(rng: Rng, T: Matrix, span: Span) -> None:
    s, e = span
    for _ in range(int(rng.integers(2, 5 + round(3 * (e - s))))):
        at = (rng.uniform(s + 0.1, e - 0.1), rng.uniform(0.12, 0.5), _WORKTOP)
        small_object(T, rng, at, rng.uniform(0.5, 1.0))
    if rng.random() < 0.4:
        x = rng.uniform(s, max(s + 0.01, e - 0.5))
        box(
            T,
            (x, x + 0.48),
            (0.05, 0.4),
            (_WORKTOP, _WORKTOP + 0.28),
            appliance_surface(rng),
            bevel=0.01,
        )
        quad(T, (x + 0.03, x + 0.34), (0.94, 1.14), 0.402, plain(np.full(3, 0.03), 0.1), OBJECT)


def appliance_surface(rng: Rng) -> bpy.types.Material:
    """White, steel or black: what small appliances are made of."""
    return plain(np.full(3, rng.choice([0.92, 0.6, 0.06])), 0.3)


def _island(room: Room, style: Style) -> None:
    """A free block of base units, with stools or hanging lamps."""
    rng = room.extra
    c, w, d = (room.lo + room.hi) / 2, rng.uniform(0.6, 1.1), rng.uniform(0.3, 0.5)
    T = Matrix.Translation((c[0], c[1], 0)) @ Matrix.Rotation(
        float(rng.choice([0, np.pi / 2])), 4, "Z"
    )
    box(T, (-w, w), (-d, d), (0, 0.88), style.front)
    box(T, (-w - 0.05, w + 0.05), (-d - 0.1, d + 0.1), (0.88, 0.92), style.worktop)
    fronts(T, rng, (-w, w), (0.1, 0.86), d, style.front, round(w / 0.3), 1, style.handle)
    for _ in range(int(rng.integers(0, 5))):
        at = (rng.uniform(-w, w) * 0.9, rng.uniform(-d, d) * 0.8, 0.92)
        small_object(T, rng, at, 0.8)
    for i in range(int(rng.integers(0, 4))):
        stool(T @ Matrix.Translation((-w + 0.3 + 0.6 * i, -d - 0.7, 0)), rng, 0.5)
    if rng.random() < 0.5 and room.slope is None:
        for x in (-w / 2, w / 2):
            tube(T, [(x, 0, 1.75), (x, 0, room.H)], 0.006, plain(np.full(3, 0.1)))
            cone = [(0.16, 0), (0.06, 0.18), (0.001, 0.2)]
            lathe(T, (x, 0, 1.6), cone, metal(rng), 20)
