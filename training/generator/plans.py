"""Floor polygons: rectangle, L, cut corner, niches and chimney breasts."""

from __future__ import annotations

import math

import numpy as np

from training.generator.colours import Rng

Corner = tuple[float, float]


def bump(poly: list[Corner], i: int, t0: float, t1: float, depth: float) -> list[Corner]:
    """Push a part of edge i by depth metres into the room, or out of it where depth < 0."""
    a, b = np.array(poly[i]), np.array(poly[(i + 1) % len(poly)])
    d = b - a
    n = np.array([-d[1], d[0]]) / np.linalg.norm(d)
    p, q = a + d * t0, a + d * t1
    pushed = [tuple(p), tuple(p + n * depth), tuple(q + n * depth), tuple(q)]
    return [*poly[: i + 1], *pushed, *poly[i + 1 :]]


def plan(rng: Rng) -> list[Corner]:
    """A counter-clockwise floor polygon: rectangle, L, niche, chimney breast, cut corner."""
    W, D = rng.uniform(2.1, 6.5), rng.uniform(2.4, 6.0)
    poly = [(0.0, 0.0), (W, 0.0), (W, D), (0.0, D)]
    r = rng.random()
    if r < 0.24:  # L: one corner taken out
        a, b = W * rng.uniform(0.2, 0.55), D * rng.uniform(0.2, 0.55)
        poly = [
            [(0, b), (a, b), (a, 0), (W, 0), (W, D), (0, D)],
            [(0, 0), (W - a, 0), (W - a, b), (W, b), (W, D), (0, D)],
            [(0, 0), (W, 0), (W, D - b), (W - a, D - b), (W - a, D), (0, D)],
            [(0, 0), (W, 0), (W, D), (a, D), (a, D - b), (0, D - b)],
        ][int(rng.integers(4))]
    elif r < 0.36:  # cut corner
        c = rng.uniform(0.5, 1.5)
        poly = [(0, 0), (W, 0), (W, D - c), (W - c, D), (0, D)]
    for _ in range(2):
        if rng.random() < 0.28:
            i = int(rng.integers(len(poly)))
            L = math.dist(poly[i], poly[(i + 1) % len(poly)])
            if L > 2.0:
                w = rng.uniform(0.6, min(2.2, L - 0.8)) / L
                t = rng.uniform(0.3 / L, 1 - w - 0.3 / L)
                poly = bump(
                    poly, i, t, t + w, rng.uniform(0.15, 0.5) * (1 if rng.random() < 0.6 else -1)
                )
    return [(float(x), float(y)) for x, y in poly]


def inside(poly: list[Corner], x: float, y: float) -> bool:
    """Whether a point lies inside a polygon (crossing number)."""
    c = False
    for (x0, y0), (x1, y1) in zip(poly, [*poly[1:], poly[0]], strict=True):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            c = not c
    return c


def edge_distance(poly: list[Corner], x: float, y: float) -> float:
    """Distance of a point to the nearest edge of a polygon."""
    best = 1e9
    for a, b in zip(poly, [*poly[1:], poly[0]], strict=True):
        edge, to_point = np.subtract(b, a), np.subtract((x, y), a)
        t = np.clip(np.dot(to_point, edge) / np.dot(edge, edge), 0, 1)
        best = min(best, float(np.linalg.norm(to_point - t * edge)))
    return best
