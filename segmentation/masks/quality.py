"""The quality of a mask: how sure it is, what looks wrong, where one more click would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.clicks.constraints import judge_change
from segmentation.geometry import FloatArray, PhotoGrid
from segmentation.values import Click

_NEARLY_ALL: Final = 0.85
_TINY: Final = 0.005
_STABILITY_LOGIT: Final = 1.0
_SURE_OF_WALL: Final = 1.0  # logit of the wall map beyond which it contradicts a mask
_WORTH_A_CLICK: Final = 0.02  # share of the photo
_ADJOINING: Final = 5  # cells between a mask and what may belong to it
_JUMP: Final = 0.5  # what a click that changed too much leaves of the trust
_LOW: Final = 0.75  # factor of the trust below which it is named as the doubt

WARN_ALL: Final = "Nearly the whole photo is selected. Exclude something that is not wall."
WARN_TINY: Final = "Only a small spot was found. Click on a larger, plainer part of the wall."
WARN_NO_EFFECT: Final = (
    "The last click changed only the spot around it. One more click nearby will make it clear."
)
WARN_SWALLOWED: Final = (
    "The last click added far more than one usually does. Undo brings the wall back as it was."
)
WARN_LOST: Final = "The last click took most of the wall away. Undo brings the wall back as it was."

Doubt = Literal["jump", "not_wall", "edge"]
DOUBTS: Final[tuple[Doubt, ...]] = get_args(Doubt)


@dataclass(frozen=True, slots=True)
class Review:
    """What the quality check found.

    score: how far the mask can be trusted, 0..1. doubt: what speaks most against it, None when
    little does: "jump", the last click changed more than one plausibly does; "not_wall", much of
    the mask is no wall to the wall map; "edge", the mask hangs on the threshold. warning: a
    sentence for the visitor when the mask looks wrong. suggested: a next click that would help.
    """

    score: float
    doubt: Doubt | None
    warning: str | None
    suggested: Click | None


def review(
    logits: FloatArray,
    clicks: Sequence[Click],
    grid: PhotoGrid,
    wall: FloatArray | None,
    previous: FloatArray | None = None,
    proposed: FloatArray | None = None,
) -> Review:
    """Judge a mask.

    logits: float32 256 x 256. wall: the wall map on the same grid, when there is one; it says where
    to click when hardly anything was found, or where it contradicts the mask. previous: the mask's
    logits before the last click. proposed: what the networks proposed before the clicks were forced
    onto it, `logits` when nothing was.
    """
    change = judge_change(previous, logits, clicks[-1], grid) if clicks else None
    score, doubt = _trust(logits, grid, wall, jumped=change is not None)
    columns, rows = grid.mask_extent
    inside = logits[:rows, :columns] > 0
    area = float(inside.mean())
    if area > _NEARLY_ALL:
        weakest = np.where(inside, logits[:rows, :columns], np.inf)
        return Review(score, doubt, WARN_ALL, _click_at(weakest, grid, label=0))
    if area < _TINY:
        suggested = None if wall is None else middle_of_wall(wall, grid)
        return Review(score, doubt, WARN_TINY, suggested)
    doubtful = None if wall is None else most_doubtful(logits, wall, clicks, grid)
    if change is not None:
        warning = WARN_SWALLOWED if change == "swallowed" else WARN_LOST
        return Review(score, doubt, warning, doubtful)
    unforced = logits if proposed is None else proposed
    if clicks and not is_honoured(unforced, clicks[-1], grid):
        return Review(score, doubt, WARN_NO_EFFECT, None)
    return Review(score, doubt, None, doubtful)


def _trust(
    logits: FloatArray, grid: PhotoGrid, wall: FloatArray | None, *, jumped: bool
) -> tuple[float, Doubt | None]:
    """Stability times agreement with the wall map times plausible growth; and the worst."""
    columns, rows = grid.mask_extent
    inside = logits[:rows, :columns] > 0
    if not inside.any():
        return 0.0, "edge"
    factors: dict[Doubt, float] = {
        "jump": _JUMP if jumped else 1.0,
        "not_wall": 1.0,
        "edge": stability(logits, grid),
    }
    if wall is not None:
        # Wall that the mask lacks is no fault: the visitor may want one wall of several.
        factors["not_wall"] = float((wall[:rows, :columns][inside] > -_SURE_OF_WALL).mean())
    worst = min(factors, key=lambda doubt: factors[doubt])
    return float(np.prod(list(factors.values()))), worst if factors[worst] < _LOW else None


def most_doubtful(
    logits: FloatArray, wall: FloatArray, clicks: Sequence[Click], grid: PhotoGrid
) -> Click | None:
    """A click in the largest region where mask and wall map contradict each other, or None.

    Exclude where the map is sure of no wall, include where it is sure of wall beside the mask;
    never where the visitor has already clicked, nor for less than a fiftieth of the photo.
    """
    columns, rows = grid.mask_extent
    mask, known = logits[:rows, :columns] > 0, wall[:rows, :columns]
    beside = cv2.dilate(mask.astype(np.uint8), np.ones((_ADJOINING, _ADJOINING), np.uint8)) > 0
    spilled = _largest(mask & (known < -_SURE_OF_WALL), mask, clicks, grid)
    missed = _largest(~mask & (known > _SURE_OF_WALL), beside, clicks, grid)
    label = 0 if int(spilled.sum()) >= int(missed.sum()) else 1
    region = missed if label else spilled
    if int(region.sum()) < max(1.0, _WORTH_A_CLICK * mask.size):
        return None
    return _click_at(-_depth(region), grid, label=label)


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
        depth = _depth(part)
    return _click_at(-depth, grid, label=1)


def _largest(
    region: npt.NDArray[np.bool_],
    touching: npt.NDArray[np.bool_],
    clicks: Sequence[Click],
    grid: PhotoGrid,
) -> npt.NDArray[np.bool_]:
    """The largest connected part of `region` that meets `touching` and holds no click."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=4)
    areas = np.array(stats[:, cv2.CC_STAT_AREA])
    areas[np.setdiff1d(np.arange(areas.size), np.unique(parts[touching]))] = 0
    areas[0] = 0
    for x, y in grid.photo_to_mask([(click.x, click.y) for click in clicks]):
        row = min(parts.shape[0] - 1, max(0, round(float(y))))
        areas[parts[row, min(parts.shape[1] - 1, max(0, round(float(x))))]] = 0
    best = int(np.argmax(areas))
    return np.asarray((parts == best) & (areas[best] > 0))


def _depth(part: npt.NDArray[np.bool_]) -> FloatArray:
    """How deep in `part` each cell lies; what is beyond the photo is outside."""
    padded = np.pad(part.astype(np.uint8), 1)
    return cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1].astype(np.float32)


def _click_at(field: FloatArray, grid: PhotoGrid, *, label: int) -> Click:
    """A click where `field` (part of the 256 grid) is smallest, in whole photo pixels."""
    row, column = np.unravel_index(int(np.argmin(field)), field.shape)
    [(x, y)] = grid.mask_to_photo([(float(column), float(row))])
    return Click(
        float(np.clip(np.rint(x), 0, grid.width - 1)),
        float(np.clip(np.rint(y), 0, grid.height - 1)),
        label,
    )
