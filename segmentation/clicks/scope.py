"""Infer which walls a visitor means, from what their clicks lie on."""

from __future__ import annotations

from typing import Final

from segmentation.clicks.features import ClickEvidence, EarlierClicks, Scope
from segmentation.geometry import FloatArray, coarse_cell

# Of all wall that is seen, from which a wall is the main one: twice as much as all others together
# (training/EXPERIMENTS.md).
MAIN_WALL_SHARE: Final = 2 / 3
ON_PLANE: Final = 0.5  # probability of sharing a clicked plane from which a cell counts to it
_OFF_PLANE: Final = 0.25  # below which an include means more walls than the one clicked on before
_AFFINITY_CELL: Final = 2  # cells of the mask grid in one of an affinity's


def infer_scope(
    stated: Scope,
    previous: Scope | None,
    newest: ClickEvidence,
    earlier: EarlierClicks,
    walls: FloatArray,
) -> Scope:
    """The scope of the clicks with the newest one, where the visitor stated `stated`.

    AUTO: a first include on the main wall means that wall, and so do further clicks until another
    wall is included; everything else stays AUTO and is left to the click network. previous: the
    scope without the newest click, None when that is the first include. walls: logits h x w of the
    wall predicted without a click, of the photo's part of the mask grid alone.
    """
    if stated is not Scope.AUTO:
        return stated
    if previous is None:
        is_main = share_of_wall(walls, newest.affinity) >= MAIN_WALL_SHARE
        return Scope.THIS_WALL if is_main else Scope.AUTO
    if (
        previous is Scope.THIS_WALL
        and newest.label == 1
        and _is_another_wall(newest, earlier, walls)
    ):
        return Scope.AUTO
    return previous


def share_of_wall(walls: FloatArray, affinity: FloatArray) -> float:
    """How much of the wall that is seen lies on the plane clicked on, 0..1.

    walls: logits h x w of the photo's part of the mask grid; affinity: probability of being on that
    plane, on half of that grid or more of it.
    """
    seen = walls[::_AFFINITY_CELL, ::_AFFINITY_CELL] > 0
    on_plane = affinity[: seen.shape[0], : seen.shape[1]] > ON_PLANE
    return float(on_plane[seen].mean()) if seen.any() else 0.0


def _is_another_wall(newest: ClickEvidence, earlier: EarlierClicks, walls: FloatArray) -> bool:
    """Whether a click lies on wall and surely on none of the planes included before.

    A picture on the main wall, or a bit of it that is not seen, is not another wall.
    """
    affinity = earlier.affinity_of_includes
    cell = coarse_cell(newest.x, newest.y, 1, (walls.shape[0], walls.shape[1]))
    if affinity is None or walls[cell] <= 0:
        return False
    row, column = (side // _AFFINITY_CELL for side in cell)
    return bool(affinity[row, column] < _OFF_PLANE)
