"""A second look at a mask: how sure it is, what looks wrong, where one more click would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from segmentation.geometry import FloatArray, PhotoGrid
from segmentation.values import Click

_NEARLY_ALL: Final = 0.85
_TINY: Final = 0.005
_STABILITY_LOGIT: Final = 1.0

WARN_ALL: Final = "Nearly the whole photo is selected. Exclude something that is not wall."
WARN_TINY: Final = "Only a small spot was found. Click on a larger, plainer part of the wall."
WARN_NO_EFFECT: Final = (
    "The last click changed only the spot around it. One more click nearby will make it clear."
)


@dataclass(frozen=True, slots=True)
class Review:
    """A warning for the visitor or None, and a next click that would help or None."""

    warning: str | None
    suggested: Click | None


def review(
    logits: FloatArray, clicks: Sequence[Click], grid: PhotoGrid, wall: FloatArray | None
) -> Review:
    """Judge a mask before its clicks were forced onto it.

    logits: float32 256 x 256. wall: the wall map on the same grid, when there is one; it says where
    to click when hardly anything was found.
    """
    columns, rows = grid.mask_extent
    inside = logits[:rows, :columns] > 0
    area = float(inside.mean())
    if area > _NEARLY_ALL:
        weakest = np.where(inside, logits[:rows, :columns], np.inf)
        return Review(WARN_ALL, _click_at(weakest, grid, label=0))
    if area < _TINY:
        suggested = None if wall is None else middle_of_wall(wall, grid)
        return Review(WARN_TINY, suggested)
    if clicks and not is_honoured(logits, clicks[-1], grid):
        return Review(WARN_NO_EFFECT, None)
    return Review(None, None)


def stability(logits: FloatArray, grid: PhotoGrid) -> float:
    """How little the mask depends on the threshold, 0..1: SAM's stability score.

    Area of logits above +1 over area above -1 (Kirillov et al. 2023, section 5).
    """
    columns, rows = grid.mask_extent
    field = logits[:rows, :columns]
    loose = int((field > -_STABILITY_LOGIT).sum())
    return int((field > _STABILITY_LOGIT).sum()) / loose if loose else 0.0


def is_honoured(logits: FloatArray, click: Click, grid: PhotoGrid) -> bool:
    """True when the cell under the click is on the side that its label asks for."""
    columns, rows = grid.mask_extent
    [(x, y)] = grid.photo_to_mask([(click.x, click.y)])
    row = min(rows - 1, max(0, round(float(y))))
    column = min(columns - 1, max(0, round(float(x))))
    return bool(logits[row, column] > 0) == (click.label == 1)


def middle_of_wall(wall: FloatArray, grid: PhotoGrid) -> Click:
    """An include click well inside the largest connected part of a wall map (256 x 256 logits).

    Where nothing is wall, the likeliest cell.
    """
    columns, rows = grid.mask_extent
    field = wall[:rows, :columns]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (field > 0).astype(np.uint8), connectivity=4
    )
    depth = field
    if count > 1:
        part = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        padded = np.pad(part.astype(np.uint8), 1)
        depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1].astype(np.float32)
    return _click_at(-depth, grid, label=1)


def _click_at(field: FloatArray, grid: PhotoGrid, *, label: int) -> Click:
    """A click where `field` (part of the 256 grid) is smallest, in whole photo pixels."""
    row, column = np.unravel_index(int(np.argmin(field)), field.shape)
    [(x, y)] = grid.mask_to_photo([(float(column), float(row))])
    return Click(
        float(np.clip(np.rint(x), 0, grid.width - 1)),
        float(np.clip(np.rint(y), 0, grid.height - 1)),
        label,
    )
