"""Things to draw: leaves with veins, flowers, sprigs, birds. Each lays itself on a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tools.artwork import shapes
from tools.artwork.shapes import place
from tools.artwork.surface import Colour, Points, mix


class Pen(Protocol):
    """What a motif needs from a surface (or from a mirrored one)."""

    def polygon(
        self,
        points: Points,
        colour: Colour,
        *,
        alpha: float = ...,
        soft: float = ...,
        to: Colour | None = ...,
        axis: tuple[tuple[float, float], tuple[float, float]] | None = ...,
    ) -> None: ...

    def stroke(
        self, line: Points, width: float, colour: Colour, *, end: float = ..., alpha: float = ...
    ) -> None: ...

    def disc(self, x: float, y: float, radius: float, colour: Colour, **how: float) -> None: ...


def tip(x: float, y: float, length: float, turn: float) -> tuple[float, float]:
    """The point `length` away in direction `turn`."""
    return x + length * float(np.cos(turn)), y + length * float(np.sin(turn))


@dataclass(frozen=True, slots=True)
class Foliage:
    """How a kind of leaf looks: colour at stalk and tip, vein colour, proportions."""

    stalk: Colour
    tip: Colour
    vein: Colour
    width: float = 0.36
    veins: int = 5
    thick: float = 0.018
    shadow: float = 0.0

    def leaf(
        self, pen: Pen, x: float, y: float, length: float, turn: float, bend: float = 0.0
    ) -> None:
        """A veined leaf growing from (x, y)."""
        outline = place(shapes.leaf(self.width, bend=bend), x, y, length, turn)
        if self.shadow:
            pen.polygon(np.add(outline, (3, 5)), "#000000", alpha=self.shadow, soft=6)
        along = ((x, y), tip(x, y, length, turn + bend / 2))
        pen.polygon(outline, self.stalk, to=self.tip, axis=along)
        for line in shapes.veins(self.width, bend, self.veins):
            pen.stroke(place(line, x, y, length, turn), self.thick * 0.7 * length, self.vein)
        middle = place(shapes.spine(bend, -0.06, 0.93), x, y, length, turn)
        pen.stroke(middle, self.thick * 1.5 * length, self.vein)


@dataclass(frozen=True, slots=True)
class Bloom:
    """A many-petalled flower: dark heart, lit rims, each petal shading the one below."""

    deep: Colour
    base: Colour
    light: Colour
    heart: Colour
    shadow: Colour = "#120d12"

    def draw(self, pen: Pen, rng: np.random.Generator, x: float, y: float, radius: float) -> None:
        """Lay the petals ring by ring, outermost first."""
        pen.disc(
            x + 0.03 * radius, y + 0.06 * radius, radius * 0.92, self.shadow, alpha=0.6, soft=9
        )
        start = rng.uniform(0, 6.3)
        rings = 8
        for ring in range(rings):
            inner = ring / (rings - 1)
            reach = radius * (1.0 - 0.80 * inner**0.85)
            count = max(4, round(8 - 4.0 * inner))
            for k in range(count):
                turn = start + ring * 0.83 + (k + rng.uniform(-0.18, 0.18)) * 2 * np.pi / count
                size = reach * rng.uniform(0.90, 1.08)
                self._petal(pen, rng, x, y, size, turn, inner)
        for _ in range(16):
            away, turn = 0.10 * radius * rng.uniform(0, 1) ** 0.5, rng.uniform(0, 6.3)
            cx, cy = tip(x, y, away, turn)
            pen.disc(cx, cy, radius * 0.016, mix(self.heart, "#ffffff", rng.uniform(0, 0.35)))

    def _petal(
        self, pen: Pen, rng: np.random.Generator,
        x: float, y: float, size: float, turn: float, inner: float,
    ) -> None:  # fmt: skip
        unit = shapes.petal(rng, rng.uniform(0.92, 1.15), ruffle=0.016)
        outline = place(unit, x, y, size, turn)
        pen.polygon(np.add(outline, (1.5, 3)), self.shadow, alpha=0.34, soft=max(2.0, size * 0.03))
        # Light falls from the upper left: petals turned to it are lighter than those turned away.
        lit = 0.5 - 0.5 * float(np.cos(turn - np.pi * 0.25))
        body = mix(self.base, self.deep, 0.38 * inner)
        rim = mix(body, self.light, 0.26 + 0.55 * lit - 0.18 * inner)
        foot = mix(self.deep, body, 0.10 + 0.2 * lit)
        start, end = tip(x, y, size * 0.12, turn), tip(x, y, size * 1.02, turn)
        pen.polygon(outline, foot, to=rim, axis=(start, end))
        for side in np.linspace(-0.36, 0.36, 7):
            t = np.linspace(0.25, rng.uniform(0.72, 0.92), 8)
            line = np.stack([t, side * np.sin(np.pi / 2 * t) ** 0.8], 1)
            pen.stroke(place(line, x, y, size, turn), size * 0.012, self.deep, alpha=0.20)
        edge = place(unit[5:36], x, y, size, turn)
        pen.stroke(edge, max(1.0, size * 0.012), mix(rim, self.light, 0.8), end=1.0, alpha=0.55)


@dataclass(frozen=True, slots=True)
class Blossom:
    """A five-petalled blossom with stamens, as on fruit trees."""

    foot: Colour
    rim: Colour
    line: Colour
    stamen: Colour

    def draw(self, pen: Pen, rng: np.random.Generator, x: float, y: float, radius: float) -> None:
        """Open blossom seen from the front."""
        start = rng.uniform(0, 6.3)
        for k in range(5):
            turn = start + k * 2 * np.pi / 5 + rng.uniform(-0.06, 0.06)
            size = radius * rng.uniform(0.92, 1.06)
            unit = shapes.petal(rng, 0.98, notch=0.09, ruffle=0.010)
            outline = place(unit, x, y, size, turn)
            pen.polygon(np.add(outline, (0.8, 1.6)), self.line, alpha=0.30, soft=2.2)
            pen.polygon(outline, self.foot, to=self.rim, axis=((x, y), tip(x, y, size * 0.8, turn)))
            pen.stroke(place(unit[3:38], x, y, size, turn), 1.2, self.line, end=1.0, alpha=0.55)
            for side in (-0.16, 0.0, 0.16):
                ray = np.array([[0.16, side * 0.3], [0.4, side], [0.62, side * 1.2]])
                pen.stroke(place(ray, x, y, size, turn), 1.3, self.line, alpha=0.5)
        for k in range(11):
            turn = start + k * 2 * np.pi / 11 + rng.uniform(-0.2, 0.2)
            end = tip(x, y, radius * rng.uniform(0.26, 0.44), turn)
            pen.stroke(np.array([(x, y), end]), 1.5, self.stamen, end=0.7)
            pen.disc(*end, radius * 0.045, self.stamen)
        pen.disc(x, y, radius * 0.10, self.stamen)


@dataclass(frozen=True, slots=True)
class Bird:
    """A small perched bird in block-print colours."""

    back: Colour
    breast: Colour
    wing: Colour
    line: Colour
    beak: Colour = "#d9a24a"

    def draw(
        self, pen: Pen, x: float, y: float, size: float, turn: float = 0.0, *, flip: bool = False
    ) -> None:
        """The bird's feet stand at (x, y); `flip` makes it look left."""

        def at(points: object) -> Points:
            moved = np.asarray(points, np.float64) - (0.33, 0.40)
            return place(moved, x, y, size, turn, flip=flip)

        def curve(points: list[tuple[float, float]], *, closed: bool = False) -> Points:
            return at(shapes.smooth(points, closed=closed, steps=8))

        for foot in (0.27, 0.39):
            pen.stroke(at([(foot + 0.02, 0.22), (foot, 0.40)]), size * 0.022, self.line, end=0.8)
            pen.stroke(
                at([(foot - 0.04, 0.405), (foot + 0.07, 0.40)]), size * 0.022, self.line, end=0.5
            )
        pen.polygon(curve(shapes.BIRD_BODY, closed=True), self.back)
        pen.polygon(curve(shapes.BIRD_BREAST, closed=True), self.breast)
        for k in range(3):
            tail = [
                (-0.02 - 0.03 * k, 0.10 + 0.045 * k),
                (-0.30, 0.185 + 0.03 * k),
                (-0.58, 0.275 + 0.022 * k),
            ]
            pen.stroke(curve(tail), size * 0.012, self.line, end=0.6, alpha=0.8)
        pen.polygon(curve(shapes.BIRD_WING, closed=True), self.wing)
        self._plumage(pen, at, size)
        beak = at([(0.875, -0.375), (1.01, -0.285), (0.872, -0.262)])
        pen.polygon(beak, self.beak)
        eye = at([(0.80, -0.335)])[0]
        pen.disc(float(eye[0]), float(eye[1]), size * 0.032, self.breast)
        pen.disc(float(eye[0]), float(eye[1]), size * 0.019, self.line)

    def _plumage(self, pen: Pen, at: Callable[[object], Points], size: float) -> None:
        """Flight feathers, the small feathers of the shoulder, and dots on the breast."""

        def curve(points: list[tuple[float, float]]) -> Points:
            return at(shapes.smooth(points, closed=False, steps=8))

        for k in range(5):
            feather = [(0.44 - 0.09 * k, -0.10 + 0.028 * k), (0.26 - 0.10 * k, 0.03 + 0.028 * k),
                       (0.02 - 0.075 * k, 0.145 + 0.012 * k)]  # fmt: skip
            pen.stroke(curve(feather), size * 0.016, self.line, end=0.5, alpha=0.9)
        for k in range(4):
            scale = [(0.52 - 0.03 * k, -0.11 + 0.05 * k), (0.485 - 0.03 * k, -0.07 + 0.05 * k)]
            pen.stroke(curve(scale), size * 0.014, self.line, end=0.5)
        for k in range(6):
            dot = at([(0.66 - 0.06 * k + 0.02 * (k % 2), 0.0 + 0.05 * k - 0.05 * (k % 2))])[0]
            pen.disc(float(dot[0]), float(dot[1]), size * 0.011, self.line)


def berries(
    pen: Pen,
    x: float,
    y: float,
    reach: float,
    turn: float,
    stem: Colour,
    fruit: Colour,
    shine: Colour,
) -> None:
    """A short forked stalk with five berries."""
    for k, spread in enumerate((-0.75, -0.35, 0.05, 0.42, 0.8)):
        length = reach * (1.0 - 0.22 * abs(spread) + 0.06 * (k % 2))
        mid = tip(x, y, length * 0.5, turn + spread * 0.35)
        end = tip(x, y, length, turn + spread * 0.62)
        pen.stroke(shapes.smooth([(x, y), mid, end], closed=False), reach * 0.045, stem, end=0.6)
        pen.disc(*end, reach * 0.115, fruit)
        pen.disc(end[0] - reach * 0.035, end[1] - reach * 0.04, reach * 0.032, shine)
