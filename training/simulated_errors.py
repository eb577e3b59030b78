"""Errors that wall networks make on real photos, simulated in their output for rendered ones.

On real photos the wall networks take whole objects for wall (cupboards, panes, ceilings), miss
whole walls and are unsure in patches; on rendered rooms they are right far more often
(training/EXPERIMENTS.md). A click network that never saw such errors trusts the wall networks more
than the click.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import MASK_SIDE, FloatArray
from training.dataset import WALL, Uint8

BoolArray = npt.NDArray[np.bool_]
Parts = tuple[
    list[BoolArray], list[BoolArray]
]  # objects beside the walls, parts of walls; bool 256 x 256 each

LEAST_CELLS: Final = 60
_WITHOUT_ERRORS: Final = 0.15  # share of samples without any
_FALSE_WALLS: Final = 3.6  # largest mean number of objects taken for wall
_MISSED_WALLS: Final = 2.4  # largest mean number of wall parts missed
_LARGEST_NOISE: Final = 1.6  # largest factor of the smooth noise
_SHARED_ERRORS: Final = 0.7  # chance that SAM's head makes the same error


def parts_of(labels: Uint8, planes: Uint8) -> Parts:
    """The connected objects beside the walls, and the connected parts of wall planes.

    labels: uint8 256 x 256, index into `dataset.CLASSES`. planes: uint8 256 x 256, number of the
    plane.
    """
    objects = [p for k in np.unique(labels) if k != WALL for p in _connected(labels == k)]
    walls = [p for k in np.unique(planes) if k for p in _connected(planes == k)]
    return objects, walls


def with_errors(
    wall: FloatArray,
    sam_wall: FloatArray,
    parts: Parts,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Both wall networks' logits, float32 256 x 256, with wrong parts and smooth noise."""
    wall, sam_wall = wall * np.float32(rng.uniform(0.7, 1.2)), sam_wall.copy()
    if rng.random() < _WITHOUT_ERRORS:
        return wall, sam_wall
    for logits in (wall, sam_wall):
        logits += _smooth_noise(rng) * np.float32(rng.uniform(0, _LARGEST_NOISE))
    bad = rng.random()
    for some, count, sign in (
        (parts[0], rng.poisson(bad * _FALSE_WALLS), 1),
        (parts[1], rng.poisson(bad * _MISSED_WALLS), -1),
    ):
        for part in draw_parts(some, count, rng):
            weight = _soft(part & random_extent(rng), rng)
            level = np.float32(sign * max(0.3, rng.normal(2.2, 1.5)))
            wall += weight * (level - wall)
            if rng.random() < _SHARED_ERRORS:
                level = np.float32(sign * max(0.3, rng.normal(1.8, 1.2)))
                sam_wall += weight * (level - sam_wall)
    return wall, sam_wall


def draw_parts(some: list[BoolArray], count: int, rng: np.random.Generator) -> list[BoolArray]:
    """Up to `count` different parts, larger ones more often."""
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


def random_extent(rng: np.random.Generator) -> BoolArray:
    """All cells, one side of a line, or blotches, bool 256 x 256: errors cut through objects."""
    dice = rng.random()
    if dice < 0.4:
        return np.ones((MASK_SIDE, MASK_SIDE), bool)
    if dice < 0.6:
        yy, xx = np.mgrid[0:MASK_SIDE, 0:MASK_SIDE]
        x, y = rng.uniform(0, MASK_SIDE, 2)
        turn = rng.uniform(0, 2 * np.pi)
        return np.asarray((xx - x) * np.cos(turn) + (yy - y) * np.sin(turn) > 0)
    return np.asarray(_smooth_noise(rng) > rng.normal(0, 0.4))


def _smooth_noise(rng: np.random.Generator) -> FloatArray:
    """A smooth random field, float32 256 x 256, of deviation 0.7 to 1, 4 to 40 patches across."""
    across = round(float(np.exp(rng.uniform(np.log(4), np.log(40)))))
    coarse = rng.normal(0, 1, (across, across)).astype(np.float32)
    smooth = cv2.resize(coarse, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, np.float32)


def _soft(part: BoolArray, rng: np.random.Generator) -> FloatArray:
    """A part as weights 0..1, blurred at its edge as the networks' output is."""
    blurred = cv2.GaussianBlur(part.astype(np.float32), (0, 0), rng.uniform(0.8, 5))
    return np.asarray(blurred, np.float32)
