"""Large upright objects that look like walls and are none: boards, wardrobes, mirrors, hangings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from mathutils import Matrix

from training.generator.classes import CURTAIN, DOOR, FLAT, OBJECT
from training.generator.colours import Rng, any_colour, hsv, wall_colour
from training.generator.materials import Mat, art, cloth, finish, metal, plain, screen, sheer, wood
from training.generator.meshes import box, quad, soft, tube
from training.generator.pictures import frame
from training.generator.room import Room
from training.generator.seating import bed, sofa
from training.generator.small_objects import curtain, small_object
from training.generator.storage import bookcase, cabinet, fronts


@dataclass(frozen=True, slots=True)
class LargeObject:
    """build(T, rng, width, height of the ceiling); width range; heights it takes up; weight."""

    build: Callable[[Matrix, Rng, float, float], None]
    width: tuple[float, float]
    heights: tuple[float, float]
    weight: float


def _blackboard_image(rng: Rng, colour: np.ndarray) -> np.ndarray:
    """Smears and lines of writing without letters."""
    a = np.ones((96, 192, 3), np.float32) * colour.astype(np.float32)
    chalk = tuple(float(v) for v in np.clip(colour + rng.choice([0.5, 0.6, -0.5]), 0, 1))
    for _ in range(int(rng.integers(0, 14))):
        x, y = int(rng.uniform(5, 120)), int(rng.uniform(8, 90))
        steps = np.cumsum(rng.integers(2, 6, int(rng.integers(4, 20)))) + x
        points = [(int(p), int(y + rng.integers(-2, 3))) for p in steps]
        cv2.polylines(a, [np.array(points, np.int32)], False, chalk, 1, cv2.LINE_AA)
    smear = cv2.GaussianBlur(rng.random((96, 192, 1)).astype(np.float32), (0, 0), 9)
    return np.clip(a + (smear[..., None] - 0.5) * rng.uniform(0, 0.6), 0, 1)


def blackboard(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """A school board, white board or pin board with a frame and a tray."""
    k, z0 = rng.random(), rng.uniform(0.75, 0.95)
    z1 = z0 + rng.uniform(0.9, 1.35)
    colour = hsv(0.4, rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.3)) if k < 0.4 else None
    if colour is None:
        colour = np.full(3, rng.uniform(0.04, 0.14)) if k < 0.7 else np.full(3, 0.93)
    colour = hsv(0.09, 0.5, 0.65) if k > 0.9 else colour
    m = Mat(colour, rng.uniform(0.1, 0.9))
    m.set("Base Color", m.image(_blackboard_image(rng, colour), m.coords()))
    edge = wood(rng) if rng.random() < 0.5 else plain(np.full(3, 0.7), 0.3, 1.0)
    box(T, (-w / 2, w / 2), (0.001, 0.03), (z0, z1), edge, FLAT)
    quad(T, (-w / 2 + 0.03, w / 2 - 0.03), (z0 + 0.03, z1 - 0.03), 0.032, m.m)
    box(T, (-w / 2, w / 2), (0.03, 0.09), (z0 - 0.02, z0), edge, FLAT)


def wardrobe_wall(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """Built-in wardrobes of flat fronts, often as white as the wall, some with mirrors."""
    h = H - 0.005 if rng.random() < 0.5 else min(H - 0.05, rng.uniform(2.0, 2.5))
    m = plain(hsv(0.1, 0.04, rng.uniform(0.8, 0.97)), 0.4) if rng.random() < 0.5 else finish(rng, 2)
    mirror, d = plain(np.full(3, 0.93), 0.03, 1.0), rng.uniform(0.4, 0.65)
    handle = metal(rng) if rng.random() < 0.6 else None
    box(T, (-w / 2, w / 2), (0.003, d), (0, h), m)
    n = max(2, round(w / rng.uniform(0.45, 0.9)))
    mirrored = rng.random() < 0.25
    for i in range(n):
        x = (-w / 2 + i * w / n, -w / 2 + (i + 1) * w / n)
        front = mirror if mirrored and rng.random() < 0.6 else m
        fronts(T, rng, x, (0.06, h - 0.02), d, front, 1, 1, handle, rng.uniform(0.001, 0.004))


def headboard(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """A padded or panelled board behind a bed, wider and higher than it."""
    h, m = rng.uniform(1.05, 1.7), cloth(rng) if rng.random() < 0.6 else finish(rng)
    n = max(1, round(w / rng.uniform(0.3, 1.2)))
    for i in range(n):
        c = -w / 2 + (i + 0.5) * w / n
        soft(T, (c, 0.04, h / 2), (w / n - 0.004, 0.08, h), m, 14, 0)
    bed(T @ Matrix.Translation((0, 0.06, 0)), rng, min(w - 0.2, rng.uniform(1.4, 1.9)))


def media_wall(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """A big screen on a panel over a low cabinet."""
    m, k = finish(rng), min(w - 0.2, rng.uniform(1.2, 1.9))
    cabinet(T, rng, w, rng.uniform(0.3, 0.5), 0.45)
    if rng.random() < 0.6:
        box(T, (-w / 2, w / 2), (0.003, 0.05), (0.5, min(H - 0.1, rng.uniform(1.7, 2.4))), m)
    z = rng.uniform(0.7, 0.95)
    box(T, (-k / 2, k / 2), (0.05, 0.09), (z, z + k * 0.57), plain(np.full(3, 0.02), 0.25))
    glow = screen(rng) if rng.random() < 0.5 else plain(np.full(3, 0.015), 0.08)
    quad(T, (-k / 2 + 0.012, k / 2 - 0.012), (z + 0.012, z + k * 0.57 - 0.012), 0.091, glow, OBJECT)


def book_wall(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """Bookcases side by side."""
    n = max(1, round(w / 1.2))
    for i in range(n):
        bookcase(T @ Matrix.Translation((-w / 2 + (i + 0.5) * w / n, 0, 0)), rng, w / n - 0.01)


def mirror_wall(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """A mirror as large as a door or a wall."""
    z0, top = rng.uniform(0.02, 0.5), min(H - 0.1, rng.uniform(1.8, 2.5))
    edge, fw = finish(rng) if rng.random() < 0.6 else metal(rng), rng.uniform(0.005, 0.06)
    box(T, (-w / 2, w / 2), (0.001, 0.015), (z0, top), edge, FLAT)
    inner = ((-w / 2 + fw, w / 2 - fw), (z0 + fw, top - fw))
    quad(T, *inner, 0.017, plain(np.full(3, 0.93), 0.02, 1.0))


def canvas(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """A painting or a hanging of two square metres and more; sometimes nearly plain."""
    h, z = rng.uniform(0.9, 1.5), rng.uniform(1.35, 1.6)
    if rng.random() < 0.5:
        frame(T, rng, 0, z, w, h)
        return
    edge = plain(any_colour(rng), 0.8)
    box(T, (-w / 2, w / 2), (0.002, 0.035), (z - h / 2, z + h / 2), edge, FLAT)
    surface = art(rng) if rng.random() < 0.6 else plain(wall_colour(rng), 0.85)
    quad(T, (-w / 2, w / 2), (z - h / 2, z + h / 2), 0.036, surface)


def curtain_wall(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """Curtains over the whole wall, heavy or sheer, on a rail."""
    net, m = rng.random() < 0.35, None
    m = sheer(rng) if net else (cloth(rng, wall_colour(rng)) if rng.random() < 0.6 else None)
    top = H - rng.uniform(0.0, 0.15)
    curtain(T, rng, -w / 2, w / 2, rng.uniform(0.01, 0.06), top, mat=m)
    tube(T, [(-w / 2, 0.1, top), (w / 2, 0.1, top)], 0.013, metal(rng), cls=CURTAIN)


def panelled_door(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """Wide doors of wooden panels or louvres in a frame, closed."""
    m, h = finish(rng, 2), min(H - 0.1, rng.uniform(2.0, 2.4))
    box(T, (-w / 2, w / 2), (0.001, 0.03), (0, h), m, DOOR)
    leaves = 2 if w > 1.1 else 1
    rows = int(rng.integers(1, 6)) if rng.random() < 0.7 else 16
    for i in range(leaves):
        a, b = -w / 2 + i * w / leaves + 0.08, -w / 2 + (i + 1) * w / leaves - 0.08
        for j in range(rows):
            gap = 0.05 if rows < 10 else 0.02
            z = (0.12 + j * (h - 0.2) / rows, 0.12 + (j + 1) * (h - 0.2) / rows - gap)
            box(T, (a, b), (0.03, 0.045), z, m, DOOR, bevel=0.012)
    box(T, (-0.08, -0.06), (0.03, 0.08), (0.95, 1.1), metal(rng), DOOR)


def partition_of_shelves(T: Matrix, rng: Rng, w: float, H: float) -> None:
    """A tall grid of shelves, open at the back, with a few small objects: wall shows between."""
    m, h, d = finish(rng), min(H - 0.05, rng.uniform(1.4, 2.4)), rng.uniform(0.2, 0.35)
    nx, nz = max(2, round(w / 0.45)), max(3, round(h / 0.4))
    for i in range(nx + 1):
        x = -w / 2 + i * w / nx
        box(T, (x - 0.012, x + 0.012), (0.005, d), (0, h), m)
    for j in range(nz + 1):
        z = j * h / nz
        box(T, (-w / 2, w / 2), (0.005, d), (z, z + 0.02), m)
        for i in range(nx):
            if j < nz and rng.random() < 0.55:
                c = (-w / 2 + (i + 0.5) * w / nx, d / 2, z + 0.02)
                small_object(T, rng, c, min(1.0, h / nz / 0.42))


BIG = (
    LargeObject(blackboard, (1.4, 4.0), (0.6, 2.3), 2.0),
    LargeObject(wardrobe_wall, (1.4, 4.5), (0.0, 2.5), 3.0),
    LargeObject(headboard, (1.8, 3.4), (0.0, 1.7), 1.5),
    LargeObject(media_wall, (1.5, 3.2), (0.0, 2.2), 2.0),
    LargeObject(book_wall, (1.5, 4.0), (0.0, 2.4), 1.5),
    LargeObject(mirror_wall, (0.7, 3.0), (0.0, 2.4), 1.5),
    LargeObject(canvas, (1.3, 2.6), (0.6, 2.3), 1.5),
    LargeObject(curtain_wall, (1.5, 5.0), (0.0, 2.5), 2.5),
    LargeObject(panelled_door, (0.8, 2.4), (0.0, 2.4), 1.5),
    LargeObject(partition_of_shelves, (1.0, 2.6), (0.0, 2.3), 1.0),
)


def add_large_objects(room: Room) -> None:
    """Stand as many as the room's traits say along its longer walls, where they fit."""
    rng = room.extra
    weights = np.array([b.weight for b in BIG])
    lengths = np.array([wall[3] for wall in room.walls])
    for _ in range(room.traits.big):
        big = BIG[int(rng.choice(len(BIG), p=weights / weights.sum()))]
        w = int(rng.choice(len(lengths), p=lengths**2 / (lengths**2).sum()))
        a, d, _, L = room.walls[w]
        widest = min(big.width[1], L - 0.15)
        height = min(room.zc(*(a + d * L * t)) for t in (0.05, 0.5, 0.95))
        if widest < big.width[0] or height < big.heights[1] - 0.2:
            continue
        width = rng.uniform(big.width[0], widest)
        u = room.place(w, width, *big.heights, rng=rng)
        if u is not None:
            room.focus.append(w)
            big.build(room.frame_at(w, u), rng, width, height)
    if room.traits.big and rng.random() < 0.35:
        _turn_sofa(room)


def _turn_sofa(room: Room) -> None:
    """A sofa in the room seen from behind: its back fills much of the picture."""
    rng = room.extra
    c = room.lo + (room.hi - room.lo) * rng.uniform(0.3, 0.7, 2)
    turn = Matrix.Rotation(rng.uniform(0, 6.28), 4, "Z")
    sofa(Matrix.Translation((c[0], c[1], 0)) @ turn, rng, rng.uniform(1.5, 2.4))
