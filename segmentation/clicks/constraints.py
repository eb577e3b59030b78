"""Clicks as hard constraints: an include only adds, an exclude only takes away.

Pure functions on logits, float32 256 x 256, above 0 is wall. The networks see all clicks anew each
time and may change their mind anywhere; the visitor pointed at one place. So of what a new click
would change, only what fits the click is let in:

- an include never loses what was wall, an exclude never adds any;
- what does change hangs together with the click, or the networks are very sure of it;
- an exclude takes less of what is unlike the thing, and of what looks more like wall than it;
- the rest stays as it was.

A first click corrects the wall that the networks see without one, and adds to it by the same rule.

Every function takes O(grid) and is deterministic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.clicks.features import doubled
from segmentation.geometry import MASK_SIDE, FloatArray, PhotoGrid
from segmentation.values import Click

BoolArray = npt.NDArray[np.bool_]
Flag = Literal["swallowed", "lost"]

TOUCH_CELLS: Final = 4.0  # a change this near a click belongs to it; 4 cells are 1.6 % of the photo
# Mean logit at which a change elsewhere is let in too: with less more clicks lose wall, with more
# masks stay incomplete. This value and the next ones were chosen on real photos
# (training/EXPERIMENTS.md, "Clicks").
FAR_LOGIT: Final = 1.5
# The same for a first click, about which less is known: it has to be surer.
FIRST_FAR_LOGIT: Final = 2.0
# The networks fill less of real walls than of the rendered ones they learnt from; an include makes
# up for it.
INCLUDE_GAIN: Final = 0.5
# Wall that is unlike what an exclude points at goes only against this many logits for each unit of
# likeness (`tokens`) below that which speaks neither for nor against it, and what is more alike
# goes sooner: else a click on a cupboard also takes the wall beside it.
UNLIKE_GAIN: Final = 2.0
_ALIKE: Final = 0.4
# And against this much of what it looks more like wall than the place pointed at does, without any
# click. More helps photos and costs rendered rooms a little.
MORE_WALL_GAIN: Final = 1.5
_MOST_MORE_WALL: Final = 4.0  # logits of difference that count
SWALLOWED_OF_PHOTO: Final = 0.25  # an include that adds more than this and
SWALLOWED_OF_WALL: Final = 1.0  # more than the wall that there was, is doubtful
LOST_OF_WALL: Final = 0.5  # so is an exclude that takes more than this
# Every click decides over the cells around it; 2.5 cells are 1 % of the photo's long side.
_HONOUR_RADIUS_CELLS: Final = 2.5
_HONOUR_LOGIT: Final = 4.0
_UNTRUSTED_CELLS: Final = 1.5

_YY, _XX = np.mgrid[0:MASK_SIDE, 0:MASK_SIDE].astype(np.float32)


def apply_proposal(
    previous: FloatArray | None,
    proposed: FloatArray,
    click: Click,
    grid: PhotoGrid,
    *,
    walls: FloatArray | None = None,
    likeness: FloatArray | None = None,
) -> FloatArray:
    """The logits after `click`: of what `proposed` changes, that which fits the click.

    previous: before the click, None when it is the first. proposed: what the networks propose for
    all clicks with the new one. walls: what is predicted without a click; without them a first one
    is taken as proposed. likeness: float32 H/2 x W/2, how alike everything is to what was clicked
    on, on the part of the grid that the photo covers or all of it. The click's own neighbourhood
    ends up as its label asks.
    """
    if previous is None:
        return honour_clicks(_first(proposed, click, grid, walls), [click], grid)
    sign = np.float32(1 if click.label == 1 else -1)
    if click.label == 1:
        proposed = proposed + np.float32(INCLUDE_GAIN)
    else:
        proposed = proposed + _kept_from_excludes(click, grid, walls, likeness)
    wanted = (sign * proposed > 0) & (sign * previous <= 0)
    unwanted = (sign * proposed <= 0) & (sign * previous > 0)
    allowed = _fitting(wanted, sign * proposed, click, grid, FAR_LOGIT)
    # Where both agree on the side the newer logits count: they know of more clicks. What an exclude
    # spares keeps what it was spared with, so that the next one spares it too.
    stays = unwanted | (wanted & ~allowed)
    kept = np.where(stays, previous, proposed).astype(np.float32)
    return honour_clicks(kept, [click], grid)


def honour_clicks(logits: FloatArray, clicks: Sequence[Click], grid: PhotoGrid) -> FloatArray:
    """The same logits with a small disc around each click on the side that its label asks for.

    Later clicks win where discs meet.
    """
    honoured = np.array(logits, np.float32)
    places = grid.photo_to_mask([(click.x, click.y) for click in clicks])
    for click, (x, y) in zip(clicks, places, strict=True):
        here = _window(x, y, _HONOUR_RADIUS_CELLS)
        distance = np.sqrt((_XX[here] - np.float32(x)) ** 2 + (_YY[here] - np.float32(y)) ** 2)
        _press(
            honoured[here],
            distance,
            click.label,
            radius=_HONOUR_RADIUS_CELLS,
            height=_HONOUR_LOGIT,
        )
    return honoured


def judge_change(
    previous: FloatArray | None, logits: FloatArray, click: Click, grid: PhotoGrid
) -> Flag | None:
    """Whether a click changed more than a click plausibly does."""
    if previous is None:
        return None
    columns, rows = grid.mask_extent
    before = previous[:rows, :columns] > 0
    after = logits[:rows, :columns] > 0
    wall = int(before.sum())
    if click.label == 1:
        gained = int((after & ~before).sum())
        doubtful = max(SWALLOWED_OF_PHOTO * before.size, SWALLOWED_OF_WALL * wall)
        return "swallowed" if gained > doubtful else None
    return "lost" if int((before & ~after).sum()) > LOST_OF_WALL * wall else None


def click_trust(clicks: Sequence[Click], grid: PhotoGrid) -> FloatArray:
    """Float32 256 x 256 for `edges.refine`: 0 at clicks, where colour moves no edge, else 1.

    A thing of the wall's colour, pointed at and taken out, would be coloured in again.
    """
    trust = np.ones((MASK_SIDE, MASK_SIDE), np.float32)
    for x, y in grid.photo_to_mask([(click.x, click.y) for click in clicks]):
        here = _window(x, y, _UNTRUSTED_CELLS)
        distance = np.hypot(_XX[here] - np.float32(x), _YY[here] - np.float32(y))
        trust[here][distance < _UNTRUSTED_CELLS] = 0
    return trust


def _press(
    logits: FloatArray, distance: FloatArray, label: int, *, radius: float, height: float
) -> None:
    """Force cells nearer than `radius` onto the label's side, in place: a dome, zero at its rim."""
    inside = distance < radius
    dome = np.float32(height) * (1 - distance[inside] / np.float32(radius))
    if label == 1:
        logits[inside] = np.maximum(logits[inside], dome)
    else:
        logits[inside] = np.minimum(logits[inside], -dome)


def _first(
    proposed: FloatArray, click: Click, grid: PhotoGrid, walls: FloatArray | None
) -> FloatArray:
    """What a first click proposes, without the additions to `walls` that do not fit it.

    Nor does it add doubtful parts that adjoin a wall seen already: masks of photos were worse with
    those that are connected with the click through what SAM sees of the wall.
    """
    if walls is None:
        return proposed
    added = (proposed > 0) & (walls <= 0)
    allowed = _fitting(added, proposed, click, grid, FIRST_FAR_LOGIT)
    return np.where(added & ~allowed, walls, proposed).astype(np.float32)


def _kept_from_excludes(
    click: Click, grid: PhotoGrid, walls: FloatArray | None, likeness: FloatArray | None
) -> FloatArray:
    """What must speak for an exclude to take a cell, logits float32 256 x 256.

    Below 0 where less is enough.
    """
    kept = np.zeros((MASK_SIDE, MASK_SIDE), np.float32)
    if likeness is not None:
        alike = doubled(likeness)
        kept[: alike.shape[0], : alike.shape[1]] = np.float32(UNLIKE_GAIN) * (_ALIKE - alike)
    if walls is not None:
        [(x, y)] = grid.photo_to_mask([(click.x, click.y)])
        columns, rows = grid.mask_extent
        more = walls - walls[:rows, :columns][_window(x, y, TOUCH_CELLS / 2)].mean()
        kept += np.float32(MORE_WALL_GAIN) * np.clip(more, 0, _MOST_MORE_WALL)
    return kept


def _fitting(
    wanted: BoolArray, logits: FloatArray, click: Click, grid: PhotoGrid, least: float
) -> BoolArray:
    """The connected parts of `wanted` at the click, or with a mean logit above `least`.

    On the photo alone: what lies beside it joins nothing and counts for nothing, and stays as it
    was.
    """
    [(x, y)] = grid.photo_to_mask([(click.x, click.y)])
    columns, rows = grid.mask_extent
    wanted = wanted.copy()
    wanted[rows:], wanted[:, columns:] = False, False
    near = np.zeros(wanted.shape, bool)
    here = _window(x, y, TOUCH_CELLS)
    near[here] = (_XX[here] - np.float32(x)) ** 2 + (_YY[here] - np.float32(y)) ** 2 <= (
        TOUCH_CELLS**2
    )
    either = (wanted | near).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(either)
    box = slice(top, top + height), slice(left, left + width)
    count, parts = cv2.connectedComponents(np.ascontiguousarray(either[box]), connectivity=8)
    labels = parts.ravel()
    weight = wanted[box].ravel().astype(np.float64)
    cells = np.bincount(labels, weight, count)
    sums = np.bincount(labels, weight * logits[box].ravel(), count)
    fits = sums > least * np.maximum(cells, 1)
    fits[np.unique(parts[near[box]])] = True
    allowed = np.zeros(wanted.shape, bool)
    allowed[box] = fits[parts] & wanted[box]
    return allowed


def _window(x: float, y: float, reach: float) -> tuple[slice, slice]:
    """Rows and columns of the grid that hold all within `reach` of a place on it."""
    return (
        slice(max(0, math.floor(y - reach)), max(0, math.ceil(y + reach) + 1)),
        slice(max(0, math.floor(x - reach)), max(0, math.ceil(x + reach) + 1)),
    )
