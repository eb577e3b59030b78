"""Flowers, branches and birds."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.artwork import shapes
from tools.artwork.layout import Mirrored, roomiest, spread
from tools.artwork.motifs import Bird, Bloom, Blossom, Foliage, berries, tip
from tools.artwork.shapes import place
from tools.artwork.surface import Points, Surface, hand, noise, paper, printed, ribbon

Picture = NDArray[np.uint8]


def _stem(width: int, height: int) -> Points:
    """One swaying stem over a whole repeat (and a little more, so leaves find a direction)."""
    y = np.linspace(0, height, 241)
    x = width / 4 + 0.145 * width * np.sin(2 * np.pi * y / height)
    return np.stack([x, y], 1)


def _rosette(pen: Mirrored | Surface, x: float, y: float, radius: float) -> None:
    """A block-printed flower: two rings of petals, a dotted heart."""
    rng = np.random.default_rng(5)
    for count, size, colour, line, turn in (
        (9, 1.0, "#a4472f", "#6d2a22", 0.0),
        (9, 0.74, "#c8694a", "#8a3a2a", 0.35),
        (7, 0.47, "#e0a06e", "#a4472f", 0.1),
    ):
        for k in range(count):
            angle = turn + k * 2 * np.pi / count
            unit = shapes.petal(rng, 0.78, notch=0.10, ruffle=0.0)
            outline = place(unit, x, y, radius * size, angle)
            pen.polygon(place(unit, x, y, radius * size * 1.035, angle), "#1f3541")
            pen.polygon(outline, colour)
            for side in (-0.17, 0.0, 0.17):
                ray = np.array([[0.45, side * 0.7], [0.66, side], [0.88 - abs(side), side * 1.1]])
                pen.stroke(place(ray, x, y, radius * size, angle), radius * 0.022, line)
    pen.disc(x, y, radius * 0.19, "#e9d3a0")
    for k in range(9):
        cx, cy = tip(x, y, radius * 0.125, k * 2 * np.pi / 9)
        pen.disc(cx, cy, radius * 0.026, "#6d2a22")
    pen.disc(x, y, radius * 0.06, "#b8862f")


def thicket(rng: np.random.Generator) -> Picture:
    """Block print: paired birds among swaying stems, berries and rosettes, on slate blue."""
    width, height, ground = 1024, 1280, "#2b4553"
    sheet = Surface(width, height, ground)
    pen = Mirrored(sheet)
    sage = Foliage("#6f8f74", "#93ab86", "#2b4553", width=0.42, veins=5)
    olive = Foliage("#4f7264", "#6c8c70", "#2b4553", width=0.40, veins=5)
    stem = _stem(width, height)
    along = np.gradient(stem, axis=0)
    heading = np.arctan2(along[:, 1], along[:, 0])
    spots = np.linspace(0, 240, 19)[:-1].astype(int)
    for n, i in enumerate(spots):
        side = 1 if n % 2 else -1
        x, y = stem[i]
        kind = sage if n % 2 else olive
        kind.leaf(pen, x, y, 142 + 20 * (n % 3), heading[i] + np.pi + side * 0.75, -side * 0.5)
    for i in spots[1::3]:
        x, y = stem[i + 5]
        side = 1 if np.sin(i) > 0 else -1
        berries(pen, x, y, 92, heading[i] + np.pi - side * 1.0, "#b9b98a", "#b4472f", "#eab894")
    pen.polygon(ribbon(stem, 11, 1.0), "#c3bd8f")
    pen.polygon(ribbon(stem, 3, 1.0), "#7d8a62")
    _birds(sheet, pen, sage, width, height)
    _rosettes(sheet, olive, height)
    _fill_gaps(sheet, pen, olive, ground)
    flat = printed(hand(sheet.finished(), rng, 0.8), "#3a5563", rng, 0.06)
    return paper(flat, rng, 0.6)


def _birds(sheet: Surface, pen: Mirrored, leafage: Foliage, width: int, height: int) -> None:
    middle, base = width / 2, height * 0.75 + 70
    perch = shapes.smooth(
        [
            (middle, base + 24),
            (middle - 90, base + 6),
            (middle - 190, base + 22),
            (middle - 300, base - 26),
        ],
        closed=False,
    )
    pen.stroke(perch, 13, "#c3bd8f", end=0.5)
    for k, (at, turn, length) in enumerate(
        ((14, 2.2, 96), (20, 1.35, 104), (26, 2.3, 92), (8, 1.2, 100))
    ):
        leafage.leaf(pen, perch[at][0], perch[at][1], length, turn, 0.4 * (-1) ** k)
    for turn, length in (
        (-np.pi / 2, 150),
        (-np.pi / 2 - 0.55, 128),
        (np.pi / 2, 128),
        (np.pi / 2 + 0.6, 110),
    ):
        leafage.leaf(pen, middle, base + 20, length, turn, 0.0)
    bird = Bird("#e6d9bd", "#b4552f", "#a9b7ae", "#22343f")
    bird.draw(pen, middle - 168, base + 4, 215, 0.02)
    berries(sheet, middle, base - 120, 110, -np.pi / 2, "#c3bd8f", "#b4472f", "#eab894")


def _rosettes(sheet: Surface, leafage: Foliage, height: int) -> None:
    x, y = 0.0, height * 0.25
    for k in range(10):
        leafage.leaf(sheet, x, y, 248 - 40 * (k % 2), k * 2 * np.pi / 10 + 0.31, 0.3)
    _rosette(sheet, x, y, 128)


def _fill_gaps(sheet: Surface, pen: Mirrored, leafage: Foliage, ground: str) -> None:
    """Small flowers, sprigs and dots where the ground would look empty."""
    middle = sheet.width / 2
    for count in range(90):
        x, y, room = roomiest(sheet, ground)
        if room < 15:
            return
        # Near an axis of symmetry a motif and its reflection would collide: put it on the axis.
        on_axis = abs(x - middle) < 34 or min(x, sheet.width - x) < 34
        if on_axis:
            x = middle if abs(x - middle) < 34 else 0.0
        if room > 34 and count % 3 == 0:
            for k in range(5):
                cx, cy = tip(x, y, 11, k * 2 * np.pi / 5 - np.pi / 2)
                pen.disc(cx, cy, 7.5, "#d9cdb0")
            pen.disc(x, y, 6.0, "#b4552f")
        elif room > 34:
            turn = -np.pi / 2 + (0 if on_axis else 0.5 * np.sin(count * 2.4))
            for lean in (-0.95, 0.95, 0.0):
                leafage.leaf(pen, x, y + 12, 33 if lean else 42, turn + lean, 0.2 * lean)
        else:
            pen.disc(x, y, 4.2, "#a9a880")


def _leafy_sprig(
    sheet: Surface,
    rng: np.random.Generator,
    kind: Foliage,
    x: float,
    y: float,
    reach: float,
    turn: float,
) -> None:
    """A curved twig with paired leaves that get smaller towards its tip."""
    bend = rng.uniform(-0.6, 0.6)
    line = place(shapes.spine(bend), x, y, reach, turn)
    sheet.stroke(line, reach * 0.022, kind.vein, end=0.3)
    for k, i in enumerate((3, 4, 5, 6, 7, 8, 9, 10, 11)):
        side = 1 if k % 2 else -1
        length = reach * (0.36 - 0.022 * k)
        lean = turn + bend * i / 11 + side * (0.85 - 0.05 * k)
        kind.leaf(sheet, line[i][0], line[i][1], length, lean, side * 0.3)


MOODY = (
    Bloom("#5a1f33", "#a8566a", "#efc1bd", "#e3b45f"),
    Bloom("#7a4a34", "#cf9a7c", "#f6dfc8", "#c98a3a"),
    Bloom("#2c1830", "#6b4560", "#bd97ac", "#d9a860"),
    Bloom("#561d1c", "#9c4a3c", "#dd9a7e", "#e2b860"),
)


def moody_floral(rng: np.random.Generator) -> Picture:
    """Peonies and eucalyptus by candle-light, on near-black."""
    width, height, ground = 1280, 1440, "#15191d"
    sheet = Surface(width, height, ground)
    deep = Foliage("#1d3230", "#39564a", "#5d7a66", width=0.38, veins=6, thick=0.010, shadow=0.35)
    dusty = Foliage("#39524f", "#7f9a8e", "#a9bfb0", width=0.46, veins=4, thick=0.009, shadow=0.35)
    plan = [
        (250, 250, 205), (690, 130, 150), (1060, 400, 195), (560, 520, 178), (150, 760, 168),
        (860, 800, 210), (440, 980, 188), (1130, 1110, 172), (720, 1270, 140), (130, 1230, 135),
    ]  # fmt: skip
    kinds = (0, 1, 2, 3, 1, 0, 2, 3, 1, 0)
    flowers = [(*d, k) for d, k in zip(spread(plan, (width, height)), kinds, strict=True)]
    for x, y, radius, _ in flowers:
        for k in range(9):
            turn = k * 2 * np.pi / 9 + rng.uniform(-0.3, 0.3)
            bx, by = tip(x, y, radius * 0.45, turn)
            deep.leaf(sheet, bx, by, radius * rng.uniform(1.15, 1.6), turn, rng.uniform(-0.5, 0.5))
    for x, y, radius, _ in flowers:
        for k in range(3):
            turn = k * 2.1 + rng.uniform(0, 2.1)
            bx, by = tip(x, y, radius * 0.6, turn)
            _leafy_sprig(sheet, rng, dusty, bx, by, radius * rng.uniform(1.0, 1.4), turn)
    for x, y, radius, kind in flowers:
        MOODY[kind].draw(sheet, rng, x, y, radius)
    flat = hand(sheet.finished(), rng, 0.9, 18)
    small = cv2.resize(_painted(flat, rng), (1152, 1296), interpolation=cv2.INTER_AREA)
    return paper(np.asarray(small, np.float32), rng, 0.5)


def _painted(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Uneven paint: soft patches of lighter and darker, stronger where the paint is light."""
    shape = (picture.shape[0], picture.shape[1])
    patch = 0.05 * noise(rng, shape, 26, 26) + 0.025 * noise(rng, shape, 8, 8)
    return np.asarray(picture * (1 + patch[..., None]), np.float32)


BIRDS = (
    Bird("#5f7f86", "#d9a283", "#3f5f6a", "#2b3a3e", "#8a5a30"),
    Bird("#b98a5a", "#efe0c4", "#8a5f3e", "#3c2c22", "#8a5a30"),
)


def _bough(
    sheet: Surface,
    rng: np.random.Generator,
    x: float,
    y: float,
    reach: float,
    turn: float,
    wide: float,
) -> Points:
    """One crooked, tapering branch; returns its middle line."""
    steps = 26
    headings = (
        turn + np.cumsum(rng.normal(0, 0.085, steps)) + np.linspace(0, -0.25 * np.cos(turn), steps)
    )
    stride = reach / steps
    line = np.cumsum(stride * np.stack([np.cos(headings), np.sin(headings)], 1), axis=0)
    line = np.asarray(np.add(np.concatenate([[(0, 0)], line]), (x, y)), np.float64)
    sheet.stroke(line, wide, "#4c3a2e", end=0.22)
    sheet.stroke(line - (wide * 0.12, wide * 0.16), wide * 0.38, "#86705a", end=0.25, alpha=0.75)
    return line


def _dress(
    sheet: Surface,
    rng: np.random.Generator,
    line: Points,
    leafage: tuple[Foliage, ...],
    blossom: Blossom,
) -> None:
    """Leaves, buds and blossoms along a branch, thicker towards its tip."""
    heading = np.arctan2(*np.gradient(line, axis=0).T[::-1])
    for i in range(3, len(line)):
        kind = leafage[int(rng.integers(len(leafage)))]
        lean = heading[i] + (1 if i % 2 else -1) * rng.uniform(0.4, 1.2)
        kind.leaf(sheet, line[i, 0], line[i, 1], rng.uniform(50, 92), lean, rng.uniform(-0.7, 0.7))
    for _ in range(6):
        i = int(rng.integers(6, len(line)))
        x, y = tip(line[i, 0], line[i, 1], rng.uniform(34, 58), rng.uniform(0, 6.3))
        sheet.stroke(np.array([line[i], (x, y)]), 3.2, "#5d4a38", end=0.6)
        sheet.disc(x, y, rng.uniform(8, 11), blossom.foot)
        sheet.disc(x - 1.5, y - 2, 5.5, blossom.rim)
    spots = rng.choice(np.arange(5, len(line) - 2, 3), 4, replace=False).tolist()
    for i in sorted({len(line) - 1, *spots}):
        x, y = line[i] + rng.normal(0, 15, 2)
        blossom.draw(sheet, rng, x, y, rng.uniform(27, 46))


def _twigs(sheet: Surface, rng: np.random.Generator, trunk: Points) -> list[Points]:
    """Side branches to the left and right in turn, most with a fork."""
    found: list[Points] = []
    for n, i in enumerate((8, 26, 44, 62, 80, 98, 116, 134, 152)):
        turn = (-0.45 if n % 2 else np.pi + 0.45) + rng.normal(0, 0.16)
        line = _bough(sheet, rng, trunk[i, 0], trunk[i, 1], rng.uniform(290, 400), turn, 15)
        found.append(line)
        if n % 3 != 2:
            fork = turn + (0.75 if n % 2 else -0.75) * (1 if n % 4 < 2 else -1)
            found.append(_bough(sheet, rng, line[9, 0], line[9, 1], rng.uniform(170, 230), fork, 8))
    return found


def _trunk(sheet: Surface, rng: np.random.Generator, base: float, phase: float) -> list[Points]:
    """A trunk that sways up the whole repeat and meets itself, over its twigs; returns these."""
    y = np.linspace(sheet.height, 0, 161)
    a = 2 * np.pi * y / sheet.height
    x = (
        base
        + 105 * np.sin(a + phase)
        + 26 * np.sin(2 * a + 1.1 + phase)
        + 9 * np.sin(5 * a + phase)
    )
    trunk = np.stack([x, y], 1)
    along = np.gradient(trunk, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.hypot(*along.T)[:, None]
    edge = normal * (21 + 5 * np.sin(3 * a + phase))[:, None] / 2
    twigs = _twigs(sheet, rng, trunk)
    sheet.polygon(np.concatenate([trunk + edge, (trunk - edge)[::-1]]), "#4c3a2e")
    light = np.concatenate([trunk - edge * 0.1, (trunk - edge * 0.62)[::-1]])
    sheet.polygon(light, "#86705a", alpha=0.75)
    return twigs


def blossom_branch(rng: np.random.Generator) -> Picture:
    """Chinoiserie: two flowering boughs climbing a duck-egg silk, with small birds."""
    width, height = 1200, 1600
    sheet = Surface(width, height, "#bccfc6")
    leafage = (
        Foliage("#4f6f58", "#7f9a70", "#35503f", width=0.30, veins=5, thick=0.010),
        Foliage("#6d8767", "#a7b384", "#4f6a4f", width=0.28, veins=5, thick=0.010),
        Foliage("#3f6060", "#6a8f88", "#2f4a4a", width=0.32, veins=5, thick=0.010),
    )
    blossom = Blossom("#d98f93", "#f8ece4", "#b5606a", "#b9802f")
    twigs: list[Points] = []
    for base, phase in ((300.0, 0.0), (900.0, np.pi)):
        twigs += _trunk(sheet, rng, base, phase)
    for line in twigs:
        _dress(sheet, rng, line, leafage, blossom)
    for which, at, flip in ((2, 12, True), (8, 14, False), (17, 13, True), (23, 14, False)):
        x, y0 = twigs[which][at]
        BIRDS[which % 2].draw(sheet, x, y0 - 3, 150, 0.0, flip=flip)
    flat = hand(sheet.finished(), rng, 0.8)
    flat = np.asarray(cv2.resize(flat, (1080, 1440), interpolation=cv2.INTER_AREA), np.float32)
    shape = (1440, 1080)
    silk = 1.5 * noise(rng, shape, 1.2, 130) + 1.2 * noise(rng, shape, 110, 1.2)
    tone = 3.0 * noise(rng, shape, 160, 160)
    return paper(flat + (silk + tone)[..., None], rng, 0.4)
