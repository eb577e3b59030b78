"""Seamless patterns and pictures drawn from random numbers, as sRGB arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.generator.colours import Colour, Rng, any_colour

Image = npt.NDArray[np.floating]


def pattern(rng: Rng, base: Colour, n: int = 160) -> Image:
    """A seamless tile, n x n x 3 in 0..1: stripes, checks, dots, leaves, blossoms, slabs."""
    contrast = rng.uniform(0.08, 0.7)

    def other() -> Colour:
        """Another colour, as far from the base as this pattern goes."""
        return np.clip(base + contrast * (any_colour(rng) - base), 0, 1)

    a = np.ones((n, n, 3), np.float32) * base
    kind = int(rng.integers(8))
    yy, xx = np.mgrid[0:n, 0:n] / n
    if kind == 0:
        for _ in range(int(rng.integers(1, 4))):
            f, ph, duty = int(rng.integers(1, 7)), rng.random(), rng.uniform(0.1, 0.6)
            a[(xx * f + ph) % 1 < duty] = other()
    elif kind == 1:
        f, c = int(rng.integers(1, 4)), other()
        mx, my = ((xx * f) % 1 < 0.5)[..., None], ((yy * f) % 1 < 0.5)[..., None]
        a = a * (1 - 0.5 * mx) + 0.5 * mx * c
        a = a * (1 - 0.5 * my) + 0.5 * my * c
    elif kind == 2:
        c, f = other(), int(rng.integers(2, 5))
        half = rng.uniform(0.05, 0.25) / 2
        falling, rising = (np.abs((d * f) % 1 - 0.5) < half for d in (xx + yy, xx - yy))
        a[falling | rising] = c
    else:
        colours = [tuple(float(v) for v in other()) for _ in range(3)]
        _scatter(a, rng, kind, colours)
    if rng.random() < 0.4:
        a = np.asarray(cv2.GaussianBlur(a, (0, 0), rng.uniform(0.5, 3)), a.dtype)
    return np.clip(a, 0, 1)


@dataclass(frozen=True, slots=True)
class _Motif:
    """Radius in pixels, angle, colour, number of petals."""

    r: float
    angle: float
    colour: tuple[float, ...]
    petals: int


def _scatter(a: Image, rng: Rng, kind: int, colours: list[tuple[float, ...]]) -> None:
    """Draw up to 25 motifs, each repeated over the tile's edges."""
    n = len(a)
    draw = {3: _dot, 4: _dot, 5: _leaf, 6: _blossom}.get(kind, _slab)
    for _ in range(int(rng.integers(2, 26))):
        cx, cy = rng.uniform(0, n), rng.uniform(0, n)
        r, angle = rng.uniform(0.03, 0.2) * n, rng.uniform(0, 360)
        motif = _Motif(r, angle, colours[int(rng.integers(3))], int(rng.integers(4, 9)))
        for dx in (-n, 0, n):
            for dy in (-n, 0, n):
                draw(a, (int(cx + dx), int(cy + dy)), motif)


def _dot(a: Image, p: tuple[int, int], m: _Motif) -> None:
    cv2.circle(a, p, int(m.r * 0.6) + 1, m.colour, -1, cv2.LINE_AA)


def _leaf(a: Image, p: tuple[int, int], m: _Motif) -> None:
    blade, stem = (int(m.r) + 1, int(m.r * 0.35) + 1), (int(m.r * 1.6) + 1, int(m.r * 1.3) + 1)
    cv2.ellipse(a, p, blade, m.angle, 0, 360, m.colour, -1, cv2.LINE_AA)
    cv2.ellipse(a, p, stem, m.angle, 0, 120, m.colour, 1, cv2.LINE_AA)


def _blossom(a: Image, p: tuple[int, int], m: _Motif) -> None:
    petal = (int(m.r * 0.5) + 1, int(m.r * 0.25) + 1)
    for q in range(m.petals):
        t = 2 * math.pi * q / m.petals + m.angle
        at = (int(p[0] + m.r * 0.5 * math.cos(t)), int(p[1] + m.r * 0.5 * math.sin(t)))
        cv2.ellipse(a, at, petal, math.degrees(t), 0, 360, m.colour, -1, cv2.LINE_AA)


def _slab(a: Image, p: tuple[int, int], m: _Motif) -> None:
    size = (float(m.r * 1.5), float(m.r * 0.8))
    box = cv2.boxPoints(((float(p[0]), float(p[1])), size, float(m.angle)))
    cv2.fillConvexPoly(a, box.astype(np.int32), m.colour, cv2.LINE_AA)


def art_image(rng: Rng, n: int = 128) -> Image:
    """A random picture, n x n x 3: soft colour fields, a horizon, shapes, scribbles."""
    a = np.zeros((n, n, 3), np.float32)
    lo = rng.random((int(rng.integers(2, 6)), int(rng.integers(2, 6)), 3)).astype(
        np.float32
    ) * rng.uniform(0.3, 1)
    a[:] = cv2.resize(
        lo,
        (n, n),
        interpolation=int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_CUBIC, cv2.INTER_LINEAR])),
    )
    if rng.random() < 0.4:
        y = int(rng.uniform(0.3, 0.8) * n)
        a[y:] = a[y:] * 0.4 + 0.6 * any_colour(rng)
    for _ in range(int(rng.integers(0, 12))):
        c = tuple(float(v) for v in any_colour(rng))
        p, q = (tuple(int(v) for v in rng.uniform(0, n, 2)) for _ in range(2))
        k = int(rng.integers(3))
        if k == 0:
            cv2.circle(a, p, int(rng.uniform(3, n / 4)), c, -1, cv2.LINE_AA)
        elif k == 1:
            cv2.line(a, p, q, c, int(rng.integers(1, 8)), cv2.LINE_AA)
        else:
            cv2.rectangle(a, p, q, c, int(rng.choice([-1, 2])))
    if rng.random() < 0.25:
        a[:] = a.mean(-1, keepdims=True)
    return np.clip(a, 0, 1)
