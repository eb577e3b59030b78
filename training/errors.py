"""Errors that wall networks make on real photos, put into what they say of rendered ones.

On our rooms the wall networks reach IoU 0.94, on real photos 0.71: there they take whole things for
wall (cupboards, panes, ceilings), lose whole walls and waver in patches. A click network that never saw such errors
trusts the walls it is told.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import MASK_SIDE, FloatArray
from training.rooms import WALL, Uint8

BoolArray = npt.NDArray[np.bool_]
Parts = tuple[list[BoolArray], list[BoolArray]]  # things beside the walls, parts of walls

LEAST_CELLS: Final = 60
_UNTOUCHED: Final = 0.15  # share of samples whose walls stay as they are
_SPILLED: Final = 3.6  # number of things taken for wall, where that is worst: half of it on average
_LOST: Final = 2.4  # number of wall parts taken for something else, likewise
_UNREST: Final = 1.6  # factor of the patches of doubt, at most
_BOTH: Final = 0.7  # chance that SAM's head errs with the wall network


def parts_of(labels: Uint8, planes: Uint8) -> Parts:
    """The connected things beside the walls, and the parts of wall planes, bool 256 x 256 each.

    labels: uint8 256 x 256, index into `rooms.CLASSES`. planes: uint8 256 x 256.
    """
    others = [p for k in np.unique(labels) if k != WALL for p in _connected(labels == k)]
    walls = [p for k in np.unique(planes) if k for p in _connected(planes == k)]
    return others, walls


def with_errors(
    wall: FloatArray,
    sam_wall: FloatArray,
    parts: Parts,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """The logits of both wall networks, float32 256 x 256 each, with whole parts wrong and patches of doubt."""
    wall, sam_wall = wall * np.float32(rng.uniform(0.7, 1.2)), sam_wall.copy()
    if rng.random() < _UNTOUCHED:
        return wall, sam_wall
    for logits in (wall, sam_wall):
        logits += _patches(rng) * np.float32(rng.uniform(0, _UNREST))
    bad = rng.random()
    for some, count, sign in (
        (parts[0], rng.poisson(bad * _SPILLED), 1),
        (parts[1], rng.poisson(bad * _LOST), -1),
    ):
        for part in drawn(some, count, rng):
            weight = _soft(part & bound(rng), rng)
            level = np.float32(sign * max(0.3, rng.normal(2.2, 1.5)))
            wall += weight * (level - wall)
            if rng.random() < _BOTH:
                level = np.float32(sign * max(0.3, rng.normal(1.8, 1.2)))
                sam_wall += weight * (level - sam_wall)
    return wall, sam_wall


def drawn(some: list[BoolArray], count: int, rng: np.random.Generator) -> list[BoolArray]:
    """As many different parts, or all there are, the likelier the larger."""
    if not some:
        return []
    sizes = np.sqrt([part.sum() for part in some])
    chosen = rng.choice(len(some), size=min(count, len(some)), replace=False, p=sizes / sizes.sum())
    return [some[int(k)] for k in chosen]


def _connected(region: BoolArray) -> list[BoolArray]:
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        region.astype(np.uint8), connectivity=4
    )
    large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= LEAST_CELLS]
    return [parts == k for k in large]


def bound(rng: np.random.Generator) -> BoolArray:
    """Everything, half a plane, or blotches: what is wrong, or meant, need not end where things do."""
    dice = rng.random()
    if dice < 0.4:
        return np.ones((MASK_SIDE, MASK_SIDE), bool)
    if dice < 0.6:
        yy, xx = np.mgrid[0:MASK_SIDE, 0:MASK_SIDE]
        x, y = rng.uniform(0, MASK_SIDE, 2)
        turn = rng.uniform(0, 2 * np.pi)
        return np.asarray((xx - x) * np.cos(turn) + (yy - y) * np.sin(turn) > 0)
    return np.asarray(_patches(rng) > rng.normal(0, 0.4))


def _patches(rng: np.random.Generator) -> FloatArray:
    """A smooth random field, float32 256 x 256, of deviation 0.7 to 1: 4 to 40 patches across."""
    across = round(float(np.exp(rng.uniform(np.log(4), np.log(40)))))
    coarse = rng.normal(0, 1, (across, across)).astype(np.float32)
    smooth = cv2.resize(coarse, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, np.float32)


def _soft(part: BoolArray, rng: np.random.Generator) -> FloatArray:
    """A part's weight 0..1 with a rim as unsure as the networks'."""
    blurred = cv2.GaussianBlur(part.astype(np.float32), (0, 0), rng.uniform(0.8, 5))
    return np.asarray(blurred, np.float32)
