"""Which walls a visitor means who does not say so: what their clicks lie on tells."""

from __future__ import annotations

from typing import Final

import numpy as np

from segmentation.click_maps import ClickEvidence, EarlierClicks, Scope
from segmentation.geometry import FloatArray, coarse_cell

# Who points at a wall that is twice as much as all others in view together means that one.
MAIN_WALL: Final = 2 / 3  # of all wall that is seen
_ON_PLANE: Final = 0.5  # probability of sharing a clicked plane from which a cell counts to it
_OFF_PLANE: Final = 0.25  # below which an include means more walls than the one clicked on before


def understood(
    said: Scope,
    before: Scope | None,
    newest: ClickEvidence,
    earlier: EarlierClicks,
    walls: FloatArray,
) -> Scope:
    """What the clicks mean with the newest, where the visitor said `said`.

    Unsaid, a first click on the main wall means it, and so do further ones until something is included that
    is not on it; all else the network weighs. before: what they meant without the newest, None when that is the first
    include. walls: logits H x W or more of the wall that is seen without a click.
    """
    if said is not Scope.UNSAID:
        return said
    if before is None:
        is_main = share_of_wall(walls, newest.affinity) >= MAIN_WALL
        return Scope.THIS_WALL if is_main else Scope.UNSAID
    if before is Scope.THIS_WALL and newest.label == 1 and _is_on_another_wall(newest, earlier):
        return Scope.UNSAID
    return before


def share_of_wall(walls: FloatArray, affinity: FloatArray) -> float:
    """How much of the wall that is seen lies on the plane clicked on, 0..1.

    walls: logits H x W or more; affinity: H/2 x W/2, probability of being on that plane.
    """
    rows, columns = (2 * side for side in affinity.shape)
    seen = walls[:rows:2, :columns:2] > 0
    return float(np.mean(affinity[seen] > _ON_PLANE)) if seen.any() else 0.0


def _is_on_another_wall(newest: ClickEvidence, earlier: EarlierClicks) -> bool:
    """Whether a click surely lies on none of the planes that were included before."""
    affinity = earlier.affinity_of_includes
    if affinity is None:
        return False
    row, column = coarse_cell(newest.x, newest.y, 2, (affinity.shape[0], affinity.shape[1]))
    return bool(affinity[row, column] < _OFF_PLANE)
