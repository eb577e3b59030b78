"""Damask, terrazzo and small repeated figures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.artwork import shapes
from tools.artwork.layout import Mirrored, scatter
from tools.artwork.motifs import Foliage, tip
from tools.artwork.shapes import place
from tools.artwork.surface import Points, Surface, hand, noise, paper, printed, rgb, ribbon

Picture = NDArray[np.uint8]
UP = -np.pi / 2


def _plume(pen: Mirrored, x: float, y: float, length: float, turn: float, bend: float) -> None:
    """A curved leaf with slit veins, set off from what lies under it by a dark outline."""
    for grown, colour in ((7.0, "#000000"), (0.0, "#ffffff")):
        body = shapes.leaf(0.36 + 2 * grown / length, belly=0.52, bend=bend)
        pen.polygon(place(body, x, y, length + 1.5 * grown, turn), colour)
    for line in shapes.veins(0.37, bend, 7, belly=0.52):
        pen.stroke(place(line[::-1], x, y, length, turn), length * 0.020, "#000000", end=0.1)
    pen.stroke(
        place(shapes.spine(bend, 0.0, 0.9), x, y, length, turn), length * 0.032, "#000000", end=0.2
    )


def _scroll(pen: Mirrored, x: float, y: float, radius: float, turn: float, way: int) -> None:
    """A spiral tendril with a round end."""
    t = np.linspace(0, 1, 48)
    r = radius * (1 - 0.80 * t)
    angle = turn + way * t * 1.7 * np.pi
    curl = np.stack([x + r * np.cos(angle), y + r * np.sin(angle)], 1)
    pen.stroke(curl, radius * 0.19, "#ffffff", end=0.6)
    pen.disc(curl[-1, 0], curl[-1, 1], radius * 0.17, "#ffffff")


def _bud(pen: Mirrored, x: float, y: float, size: float) -> None:
    """The heart of the palmette: nested drops with a row of seeds."""
    for length, wide, colour in (
        (1.12, 0.50, "#000000"), (1.06, 0.44, "#ffffff"), (0.86, 0.33, "#000000"),
        (0.80, 0.28, "#ffffff"), (0.60, 0.16, "#000000"),
    ):  # fmt: skip
        pen.polygon(place(shapes.leaf(wide, belly=0.38), x, y, size * length, UP), colour)
    for k in range(6):
        pen.disc(x, y - size * (0.13 + 0.062 * k), size * (0.026 - 0.002 * k), "#ffffff")


def _palmette(pen: Mirrored, x: float, y: float, size: float) -> None:
    """A fan of plumes over a bud, scrolls at the foot, a pendant below and a finial above."""
    for turn, length, bend in (
        (0.16, 1.34, -0.10), (0.50, 1.28, -0.55), (0.90, 1.16, -0.75),
        (1.38, 1.04, -0.95), (1.92, 0.86, -1.10),
    ):  # fmt: skip
        bx, by = tip(x, y + size * 0.20, size * 0.10, UP + turn)
        _plume(pen, bx, by, size * length, UP + turn, -bend)
    _bud(pen, x, y + size * 0.24, size * 0.98)
    for reach, lean, bend in ((0.86, 0.46, -0.8), (1.0, 0.0, 0.0)):
        _plume(pen, x, y + size * 0.34, size * reach, -UP - lean, -bend)
    _scroll(pen, x + size * 0.52, y + size * 0.72, size * 0.19, UP - 0.9, 1)
    for grown, colour in (
        (0.150, "#000000"),
        (0.120, "#ffffff"),
        (0.075, "#000000"),
        (0.045, "#ffffff"),
    ):
        pen.disc(x, y + size * 0.28, size * grown, colour)
    for k in range(4):
        pen.disc(x, y + size * (1.46 + 0.085 * k), size * (0.036 - 0.006 * k), "#ffffff")
        pen.disc(x, y - size * (1.26 + 0.080 * k), size * (0.034 - 0.006 * k), "#ffffff")


def _frame(pen: Mirrored, width: int, height: int) -> None:
    """The ogee: two facing waves of ribbon, with leaves on the outside and beads between."""
    y = np.linspace(0, height, 241)
    wave = width / 4 + width * 0.205 * np.cos(2 * np.pi * y / height)
    line = np.stack([wave, y], 1)
    pen.polygon(ribbon(line, 26, 1.0), "#ffffff")
    pen.polygon(ribbon(line, 13, 1.0), "#000000")
    for i in range(0, 240, 5):
        pen.disc(line[i, 0], line[i, 1], 4.4, "#ffffff")
    along = np.gradient(line, axis=0)
    heading = np.arctan2(along[:, 1], along[:, 0])
    for n, i in enumerate(range(6, 240, 12)):
        if min(i % 120, 120 - i % 120) < 12:
            continue  # the two ribbons nearly meet here; leaves would run into each other
        for side in (-1, 1):
            bx, by = tip(line[i, 0], line[i, 1], 15, heading[i] + side * np.pi / 2)
            leaf = shapes.leaf(0.40, bend=-side * 0.6)
            lean = heading[i] + np.pi * (i < 120) + side * (1 if i >= 120 else -1) * 0.65
            pen.polygon(place(leaf, bx, by, 58 + 8 * (n % 2), lean), "#ffffff")


def ogee_damask(rng: np.random.Generator) -> Picture:
    """Tone-on-tone damask: satin palmettes in ogee frames on a matt old-rose ground."""
    width, height = 1024, 1408
    sheet = Surface(width, height, "#000000")
    pen = Mirrored(sheet)
    _frame(pen, width, height)
    for x, y in ((0, 0), (width / 2, height / 2)):
        _palmette(pen, x, y - 30, 268)
    cover = hand(sheet.finished(), rng, 0.7)[..., :1] / 255
    shape = (height, width)
    rows = np.arange(height, dtype=np.float32)[:, None]
    rib = np.cos(2 * np.pi * rows / 4) * np.ones((1, width), np.float32)
    satin = 1.3 * rib + 2.4 * noise(rng, shape, 60, 1.0)
    matt = 2.2 * noise(rng, shape, 1.0, 1.0) + 1.6 * noise(rng, shape, 1.0, 40)
    ground = rgb("#b58f8a") + matt[..., None]
    raised = rgb("#cfaea6") + satin[..., None]
    return paper(np.asarray(ground + (raised - ground) * cover, np.float32), rng, 0.5)


def _chip(rng: np.random.Generator, radius: float) -> Points:
    """A broken stone: a random convex-looking polygon, some corners knocked off."""
    count = int(rng.integers(5, 9))
    turn = np.sort(rng.uniform(0, 2 * np.pi, count) * 0.35 + np.arange(count) * 2 * np.pi / count)
    reach = rng.uniform(0.72, 1.08, count)
    squash = rng.uniform(0.55, 1.0)
    points = np.stack([reach * np.cos(turn), squash * reach * np.sin(turn)], 1)
    cut = np.concatenate([points * 0.88 + np.roll(points, k, 0) * 0.12 for k in (1, -1)])
    hull = cv2.convexHull(cut.astype(np.float32))[:, 0].astype(np.float64)
    return place(hull, 0, 0, radius, rng.uniform(0, 6.3))


def terrazzo(rng: np.random.Generator) -> Picture:
    """Terrazzo: marble chips in clay, ochre, sage and slate, set in warm white."""
    size, ground = 1200, "#ece5da"
    sheet = Surface(size, size, ground)
    palette = [
        "#bf6f55",
        "#d79c84",
        "#caa05a",
        "#8d9c86",
        "#5d6b68",
        "#3f4648",
        "#b9b2a6",
        "#d9c9b2",
        "#e2b9a6",
    ]
    share = np.array([0.13, 0.12, 0.12, 0.15, 0.08, 0.06, 0.14, 0.12, 0.08])
    radii = [
        *rng.uniform(52, 78, 14),
        *rng.uniform(30, 50, 46),
        *rng.uniform(15, 28, 130),
        *rng.uniform(6, 12, 420),
    ]
    for x, y, radius in scatter(rng, (size, size), [float(r) for r in radii], gap=3.0, tries=160):
        tint = rgb(palette[int(rng.choice(len(palette), p=share))]) + rng.normal(0, 5, 3)
        chip = np.add(_chip(rng, radius * 1.06), (x, y))
        sheet.polygon(np.add(chip, (0.6, 0.9)), "#a89d8c", alpha=0.35, soft=1.0)
        far = np.asarray(tint) * rng.uniform(0.90, 1.0) + rng.uniform(0, 14)
        sheet.polygon(chip, tint, to=far, axis=((x - radius, y - radius), (x + radius, y + radius)))
        if radius > 20:
            for _ in range(int(rng.integers(0, 3))):
                sheet.polygon(_chip(rng, radius * rng.uniform(0.16, 0.34)) * (1.6, 0.7) + (x, y)
                              + rng.normal(0, radius * 0.22, 2), far + 16,
                               alpha=0.45, soft=1.5)  # fmt: skip
    flat = sheet.finished()
    shape = (size, size)
    speckle = noise(rng, shape, 1.3, 1.3)[..., None]
    flat = flat - 26 * np.clip(speckle - 2.1, 0, 1) + 10 * np.clip(-speckle - 2.2, 0, 1)
    mottle = 2.2 * noise(rng, shape, 9, 9) + 1.6 * noise(rng, shape, 50, 50)
    return paper(np.asarray(flat + mottle[..., None], np.float32), rng, 0.8)


def _tulip(sheet: Surface, x: float, y: float, size: float, lean: float, tint: str) -> None:
    """A folk tulip on a stalk with two leaves, its foot at (x, y)."""
    top = tip(x, y, size * 0.62, UP + lean)
    sheet.stroke(np.array([(x, y), top]), size * 0.045, "#3d4f4c", end=0.8)
    for side in (-1, 1):
        foot = tip(x, y, size * 0.10, UP + lean)
        Foliage("#55706a", "#7d9488", "#f3ede1", width=0.34, veins=0).leaf(
            sheet, *foot, size * 0.50, UP + lean + side * 0.72, -side * 0.55
        )
    for turn, reach, colour in ((-0.52, 0.40, tint), (0.52, 0.40, tint), (0.0, 0.43, "#f0d9c4")):
        cup = shapes.leaf(0.56, belly=0.46, bend=-turn * 0.9)
        sheet.polygon(place(cup, *top, size * reach, UP + lean + turn), colour)
    for spread in (-0.16, 0.0, 0.16):
        end = tip(*top, size * 0.27, UP + lean + spread)
        start = tip(*top, size * 0.08, UP + lean + spread)
        sheet.stroke(np.array([start, end]), size * 0.022, tint)


def folk_garden(rng: np.random.Generator) -> Picture:
    """Scandinavian small print: tulips, seed heads and dots in rows, on chalk."""
    size, ground = 1280, "#f3ede1"
    sheet = Surface(size, size, ground)
    tints = ("#c4624a", "#d19a3f", "#3f6272", "#c4624a", "#8a4a4f")
    cell = size / 5
    for row in range(10):
        for column in range(5):
            x = (column + 0.5 * (row % 2)) * cell + cell / 4
            y = row * cell / 2 + cell * 0.30
            lean = rng.normal(0, 0.10)
            if (row + 2 * column) % 5 >= 2:
                _tulip(sheet, x, y, 150, lean, tints[(column * 2 + row * 3) % 5])
            else:
                _seed_head(sheet, x, y, 150, lean)
            for k in range(3):
                sheet.disc(
                    x + cell / 2 + (k - 1) * 15,
                    y - 44 - 12 * (k == 1),
                    4.6,
                    tints[(row + column + 1) % 5],
                )
    flat = printed(hand(sheet.finished(), rng, 1.1), ground, rng, 0.09)
    return paper(flat, rng, 0.6)


def _seed_head(sheet: Surface, x: float, y: float, size: float, lean: float) -> None:
    """A round umbel of seeds on a thin stalk."""
    top = tip(x, y, size * 0.55, UP + lean)
    sheet.stroke(np.array([(x, y), top]), size * 0.04, "#3d4f4c", end=0.8)
    for k in range(11):
        turn = UP + lean + (k - 5) * 0.40
        reach = size * (0.36 if k % 2 == 0 else 0.27)
        end = tip(*top, reach, turn)
        sheet.stroke(np.array([top, end]), size * 0.020, "#3d4f4c", end=0.8)
        sheet.disc(*end, size * 0.040, "#d19a3f" if k % 2 else "#3f6272")
    for side in (-1, 1):
        Foliage("#55706a", "#7d9488", "#f3ede1", width=0.30, veins=0).leaf(
            sheet,
            *tip(x, y, size * 0.14, UP + lean),
            size * 0.36,
            UP + lean + side * 0.85,
            -side * 0.4,
        )
