"""People: simple bodies of tubes and rounded boxes, standing or seated, dressed in cloth."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from training.generator.colours import Rng, hsv
from training.generator.materials import cloth, finish, patterned, plain
from training.generator.meshes import box, lathe, soft, tube

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Clothes:
    """What a body is made of."""

    top: bpy.types.Material
    legs: bpy.types.Material
    skin: bpy.types.Material
    hair: bpy.types.Material
    shoes: bpy.types.Material


def _clothes(rng: Rng) -> Clothes:
    skin = hsv(rng.uniform(0.04, 0.08), rng.uniform(0.25, 0.6), rng.uniform(0.25, 0.9))
    return Clothes(
        cloth(rng) if rng.random() < 0.75 else patterned(rng, 0.2, kind="Object"),
        cloth(rng),
        plain(skin, 0.6),
        plain(hsv(rng.uniform(0.03, 0.12), 0.5, rng.uniform(0.03, 0.6)), 0.8),
        plain(np.full(3, rng.uniform(0.03, 0.9)), 0.5),
    )


def standing(T: Matrix, rng: Rng) -> None:
    """Someone on their feet, arms down, bent or raised."""
    h, c = rng.uniform(1.5, 1.88), _clothes(rng)
    for side in (-1, 1):
        knee = (side * 0.1, rng.uniform(-0.02, 0.08), 0.27 * h)
        foot = (side * 0.11, rng.uniform(-0.08, 0.08), 0.05)
        _leg(T, c, (side * 0.09, 0, 0.5 * h), knee, foot)
    _upper_body(T, rng, c, 0.5 * h, h)


def seated(T: Matrix, rng: Rng) -> None:
    """Someone on a plain stool."""
    h, c, seat = rng.uniform(1.2, 1.38), _clothes(rng), 0.46
    m = finish(rng)
    lathe(T, (0, 0, 0), [(0.2, 0), (0.04, 0.03), (0.04, 0.4), (0.2, 0.42), (0.001, 0.43)], m)
    for side in (-1, 1):
        knee = (side * 0.13, 0.45, 0.5)
        _leg(T, c, (side * 0.09, 0.02, seat + 0.06), knee, (side * 0.13, 0.42, 0.06))
    _upper_body(T, rng, c, seat + 0.02, h)


def _leg(T: Matrix, c: Clothes, hip: Point, knee: Point, foot: Point) -> None:
    tube(T, [hip, knee], 0.078, c.legs, 12)
    tube(T, [knee, foot], 0.058, c.legs, 12)
    soft(T, (foot[0], foot[1] + 0.06, 0.045), (0.1, 0.26, 0.09), c.shoes, 3, 0)


def _upper_body(T: Matrix, rng: Rng, c: Clothes, hip: float, h: float) -> None:
    """Trunk, arms, neck and head above a hip height, up to the height h."""
    head = h - 0.12
    shoulder = head - 0.2
    trunk = shoulder - hip + 0.06
    soft(T, (0, 0, hip + trunk / 2), (0.38, 0.23, trunk + 0.06), c.top, 3.4, 0.015, rng=rng)
    tube(T, [(0, 0, shoulder), (0, 0.01, head - 0.05)], 0.05, c.skin, 12)
    soft(T, (0, 0.01, head), (0.16, 0.19, 0.23), c.skin, 2.2, 0)
    hair = rng.uniform(0.2, 0.45)
    soft(T, (0, -0.03, head + 0.06 - hair / 6), (0.19, 0.19, hair), c.hair, 2.4, 0.01, rng=rng)
    for side in (-1, 1):
        start = (side * 0.19, 0, shoulder - 0.03)
        k = rng.random()
        elbow = (side * rng.uniform(0.24, 0.34), rng.uniform(-0.05, 0.1), shoulder - 0.28)
        if k < 0.5:
            hand = (elbow[0], elbow[1] + 0.06, elbow[2] - 0.26)
        elif k < 0.85:
            hand = (elbow[0] * 0.5, elbow[1] + 0.24, elbow[2] + 0.04)
        else:
            elbow = (side * 0.42, 0.05, shoulder + 0.02)
            hand = (side * 0.45, 0.12, shoulder + 0.28)
        tube(T, [start, elbow], 0.05, c.top, 12)
        tube(T, [elbow, hand], 0.038, c.top if rng.random() < 0.6 else c.skin, 12)
        soft(T, hand, (0.075, 0.075, 0.1), c.skin, 2.2, 0)
    if rng.random() < 0.15:
        box(T, (-0.06, 0.06), (0.24, 0.25), (shoulder - 0.2, shoulder - 0.05), c.shoes)
