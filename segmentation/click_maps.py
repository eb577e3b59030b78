"""Everything known about clicks as maps on the mask grid: the click network's input.

`training/` makes its samples with the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from segmentation.geometry import MASK_SIDE, FloatArray
from segmentation.scene import SCENE_SIDE, enlarge

MAPS: Final = 19

_DISC_VARIANCE: Final = 32.0  # cells^2: a click speaks for about six cells round it
PLANE_BIAS: Final = 3.0  # squared distance of plane vectors at which cells may share a plane or not
_YY, _XX = np.mgrid[0:MASK_SIDE, 0:MASK_SIDE].astype(np.float32)


class Scope(IntEnum):
    """Which walls are meant: the clicks tell, the one plane clicked on, or all of the photo."""

    UNSAID = 0
    THIS_WALL = 1
    ALL_WALLS = 2


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


def click_maps(
    wall: FloatArray,
    sam_wall: FloatArray,
    rgb: npt.NDArray[np.uint8],
    clicks: Sequence[ClickEvidence],
    scope: Scope,
) -> FloatArray:
    """Float32 19 x 256 x 256.

    wall, sam_wall: logits 256 x 256 of the wall network and of the head on SAM's features. rgb:
    uint8 256 x 256 x 3.

    0 wall; 1, 2 discs at include and exclude clicks; 3, 4 plane affinity; 5, 6 similarity; 7-9,
    10-12 SAM's masks; 13-15 the photo; 16 sam_wall; 17 this wall; 18 all walls. Of several clicks
    the largest value counts; absent clicks leave zeros.
    """
    maps = np.zeros((MAPS, MASK_SIDE, MASK_SIDE), np.float32)
    np.tanh(wall / 3, out=maps[0])
    for side, label in enumerate((1, 0)):
        some = [click for click in clicks if click.label == label]
        if not some:
            continue
        maps[1 + side] = np.max([disc(click.x, click.y) for click in some], axis=0)
        maps[3 + side] = np.max([click.affinity for click in some], axis=0)
        maps[5 + side] = np.max([click.similarity for click in some], axis=0)
        first = 7 + 3 * side
        # tanh grows with its argument: the largest logit gives the largest tanh.
        np.tanh(np.max([click.masks for click in some], axis=0) / 4, out=maps[first : first + 3])
    maps[13:16] = rgb.transpose(2, 0, 1) / np.float32(255) - np.float32(0.5)
    np.tanh(sam_wall / 3, out=maps[16])
    maps[17], maps[18] = scope is Scope.THIS_WALL, scope is Scope.ALL_WALLS
    return maps
