"""Everything known about clicks as maps on the mask grid: the click network's input.

`training/` makes its samples with the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from segmentation.geometry import MASK_SIDE, FloatArray
from segmentation.scene import SCENE_SIDE, enlarge

MAPS: Final = 29

_DISC_VARIANCE: Final = 32.0  # cells^2: a click speaks for about six cells round it
PLANE_BIAS: Final = 3.0  # squared distance of plane vectors at which cells may share a plane or not
_PAINT_VARIANCE: Final = 2 * 0.08**2  # of RGB from 0 to 1: two shades of one paint are this near
_PAINT_REACH: Final = 2  # cells round a click whose mean is the colour clicked on
_YY, _XX = np.mgrid[0:MASK_SIDE, 0:MASK_SIDE].astype(np.float32)


class Scope(IntEnum):
    """Which walls are meant: the clicks tell, the one plane clicked on, or all of the photo."""

    UNSAID = 0
    THIS_WALL = 1
    ALL_WALLS = 2


@dataclass(frozen=True, slots=True, eq=False)
class PhotoEvidence:
    """What is known of a photo before any click.

    wall, sam_wall: logits float32 256 x 256 of the wall network and of the head on SAM's features.
    rgb: float32 256 x 256 x 3, 0..1, the photo on the mask grid.
    """

    wall: FloatArray
    sam_wall: FloatArray
    rgb: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ClickEvidence:
    """What one click says. label: 1 include, 0 exclude. x, y: on the mask grid.

    affinity: 256 x 256, probability of being on the clicked plane. similarity: 256 x 256, cosine of
    SAM's features to those clicked. masks: 3 x 256 x 256, SAM's logits for this click alone.
    """

    label: int
    x: float
    y: float
    affinity: FloatArray
    similarity: FloatArray
    masks: FloatArray


def disc(x: float, y: float) -> FloatArray:
    """A bump of height 1 round a place on the mask grid."""
    distance2 = (_XX - np.float32(x)) ** 2 + (_YY - np.float32(y)) ** 2
    return np.asarray(np.exp(-distance2 / np.float32(_DISC_VARIANCE)), np.float32)


def plane_affinity(planes: FloatArray, x: float, y: float) -> FloatArray:
    """Probability 256 x 256 that a cell shares the plane under (x, y) of the mask grid.

    planes: plane vectors 8 x 128 x 128; logistic on their squared distance, as they were trained.
    """
    last = SCENE_SIDE - 1
    row, column = min(last, max(0, int(y) // 2)), min(last, max(0, int(x) // 2))
    distance2 = ((planes - planes[:, row : row + 1, column : column + 1]) ** 2).sum(0)
    return enlarge(np.float32(1) / (1 + np.exp(np.clip(distance2 - PLANE_BIAS, -30, 30))))


def paint_likeness(rgb: FloatArray, x: float, y: float) -> FloatArray:
    """How near every cell's colour is to that around (x, y), 256 x 256, 1 for the same.

    rgb: float32 256 x 256 x 3, 0..1.
    """
    row, column = (min(MASK_SIDE - 1, max(0, round(value))) for value in (y, x))
    around = (
        slice(max(0, row - _PAINT_REACH), row + _PAINT_REACH + 1),
        slice(max(0, column - _PAINT_REACH), column + _PAINT_REACH + 1),
    )
    apart = rgb - rgb[around].mean((0, 1))
    distance2 = np.einsum("yxc,yxc->yx", apart, apart)
    return np.asarray(np.exp(-distance2 / np.float32(_PAINT_VARIANCE)), np.float32)


def click_maps(
    photo: PhotoEvidence,
    clicks: Sequence[ClickEvidence],
    previous: FloatArray,
    scope: Scope,
) -> FloatArray:
    """Float32 29 x 256 x 256 for the newest of `clicks`, the last one; at least one.

    previous: logits of the mask that this click corrects; for the first click, of the wall that is
    seen without one.

    0 wall; 1 sam_wall; 2 previous; 3 first click; 4, 5 disc at the newest click, as include and as
    exclude; 6, 7 discs at earlier includes and excludes; 8-10 plane affinity of the newest click, of
    earlier includes, of earlier excludes; 11-13 similarity; 14 likeness of paint to the newest
    click; 15-17, 18-20, 21-23 SAM's masks; 24-26 the photo; 27 this wall; 28 all walls. Of several
    earlier clicks the largest value counts; absent clicks leave zeros.
    """
    newest, earlier = clicks[-1], clicks[:-1]
    maps = np.zeros((MAPS, MASK_SIDE, MASK_SIDE), np.float32)
    np.tanh(photo.wall / 3, out=maps[0])
    np.tanh(photo.sam_wall / 3, out=maps[1])
    np.tanh(previous / 4, out=maps[2])
    maps[3] = not earlier
    maps[4 if newest.label == 1 else 5] = disc(newest.x, newest.y)
    maps[8], maps[11] = newest.affinity, newest.similarity
    maps[14] = paint_likeness(photo.rgb, newest.x, newest.y)
    np.tanh(newest.masks / 4, out=maps[15:18])
    for side, label in enumerate((1, 0)):
        some = [click for click in earlier if click.label == label]
        if not some:
            continue
        maps[6 + side] = np.max([disc(click.x, click.y) for click in some], axis=0)
        maps[9 + side] = np.max([click.affinity for click in some], axis=0)
        maps[12 + side] = np.max([click.similarity for click in some], axis=0)
        first = 18 + 3 * side
        # tanh grows with its argument: the largest logit gives the largest tanh.
        np.tanh(np.max([click.masks for click in some], axis=0) / 4, out=maps[first : first + 3])
    maps[24:27] = photo.rgb.transpose(2, 0, 1) - np.float32(0.5)
    maps[27], maps[28] = scope is Scope.THIS_WALL, scope is Scope.ALL_WALLS
    return maps
