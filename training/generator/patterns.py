"""Seamless patterns and pictures drawn from random numbers, as sRGB arrays."""

from __future__ import annotations

import math

import cv2
import numpy as np

from training.generator.colours import any_colour


def pattern(rng, base, n=160):
    """A seamless patterned tile: stripes, checks, dots, leaves, blossoms, trellis, blobs (sRGB array)."""
    contrast = rng.uniform(0.08, 0.7)

    def other():
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
        th = rng.uniform(0.05, 0.25)
        a[
            (np.abs(((xx + yy) * f) % 1 - 0.5) < th / 2)
            | (np.abs(((xx - yy) * f) % 1 - 0.5) < th / 2)
        ] = c
    else:
        cols = [tuple(float(v) for v in other()) for _ in range(3)]
        for _ in range(int(rng.integers(2, 26))):
            cx, cy, r, ang = (
                rng.uniform(0, n),
                rng.uniform(0, n),
                rng.uniform(0.03, 0.2) * n,
                rng.uniform(0, 360),
            )
            c, pet = cols[int(rng.integers(3))], int(rng.integers(4, 9))
            for dx in (-n, 0, n):
                for dy in (-n, 0, n):
                    p = (int(cx + dx), int(cy + dy))
                    if kind in (3, 4):
                        cv2.circle(a, p, int(r * 0.6) + 1, c, -1, cv2.LINE_AA)
                    elif kind == 5:
                        cv2.ellipse(
                            a, p, (int(r) + 1, int(r * 0.35) + 1), ang, 0, 360, c, -1, cv2.LINE_AA
                        )
                        cv2.ellipse(
                            a,
                            p,
                            (int(r * 1.6) + 1, int(r * 1.3) + 1),
                            ang,
                            0,
                            120,
                            c,
                            1,
                            cv2.LINE_AA,
                        )
                    elif kind == 6:
                        for q in range(pet):
                            t = 2 * math.pi * q / pet + ang
                            cv2.ellipse(
                                a,
                                (
                                    int(p[0] + r * 0.5 * math.cos(t)),
                                    int(p[1] + r * 0.5 * math.sin(t)),
                                ),
                                (int(r * 0.5) + 1, int(r * 0.25) + 1),
                                math.degrees(t),
                                0,
                                360,
                                c,
                                -1,
                                cv2.LINE_AA,
                            )
                    else:
                        box = cv2.boxPoints(
                            (
                                (float(p[0]), float(p[1])),
                                (float(r * 1.5), float(r * 0.8)),
                                float(ang),
                            )
                        )
                        cv2.fillConvexPoly(a, box.astype(np.int32), c, cv2.LINE_AA)
    if rng.random() < 0.4:
        a = cv2.GaussianBlur(a, (0, 0), rng.uniform(0.5, 3))
    return np.clip(a, 0, 1)


def art_image(rng, n=128):
    """Random picture: soft colour fields, a horizon, shapes, scribbles or a face-like blob."""
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
