"""Everything known about clicks as maps on the mask grid: the click network's input.

32 maps, all of them on half of the mask grid, those that tell where an edge runs on the whole of it
as well: the network reads the first at its beginning, the second at its last step alone. Grids end
where the photo does (`covered`): what SAM and the network imagine beside it would feed back from
click to click. `training/` makes its samples with the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import FEATURE_SIDE, MASK_SIDE, FloatArray, PhotoGrid, coarse_cell
from segmentation.wall_net_io import WALL_MAPS_SIDE, enlarge

MAPS: Final = 32  # convolutions work on blocks of 16 channels
# What the last, finest step sees besides the coarse output: the walls, the mask so far, the newest
# click and its masks, likeness of paint, and the photo.
FINE: Final = (0, 1, 2, 4, 5, 14, 15, 16, 17, 24, 25, 26)
_STEP: Final = 8  # cells of the mask grid in one of the network's coarsest
_OF_PHOTO: Final = (0, 1, 24, 25, 26)  # the maps that no click changes
# By includes, by excludes.
_OF_EARLIER: Final = ((6, 9, 12, 30, 18, 19, 20), (7, 10, 13, 31, 21, 22, 23))

_DISC_VARIANCE: Final = 32.0  # cells^2: a click speaks for about six cells round it
PLANE_BIAS: Final = 3.0  # squared distance of plane vectors at which cells may share a plane or not
_PAINT_VARIANCE: Final = 2 * 0.08**2  # of RGB from 0 to 1: two shades of one paint are this near
_PAINT_REACH: Final = 2  # cells round a click whose mean is the colour clicked on
_CELLS = np.arange(MASK_SIDE, dtype=np.float32)


class Scope(IntEnum):
    """Which walls are meant: inferred from the clicks, the plane clicked on, or all of them."""

    AUTO = 0
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

    def part(self, rows: int, columns: int) -> PhotoEvidence:
        """The top left of it."""
        here = slice(rows), slice(columns)
        return PhotoEvidence(self.wall[here], self.sam_wall[here], self.rgb[here])


@dataclass(frozen=True, slots=True, eq=False)
class PhotoMaps:
    """The maps that no click changes: float32 5 x H x W, and 5 x H/2 x W/2."""

    fine: FloatArray
    coarse: FloatArray

    @classmethod
    def of(cls, photo: PhotoEvidence) -> PhotoMaps:
        """Both wall networks' opinions and the photo."""
        fine = np.empty((len(_OF_PHOTO), *photo.wall.shape), np.float32)
        np.tanh(photo.wall / 3, out=fine[0])
        np.tanh(photo.sam_wall / 3, out=fine[1])
        fine[2:] = photo.rgb.transpose(2, 0, 1)
        fine[2:] -= np.float32(0.5)
        return cls(fine, np.stack([halved(one) for one in fine]))


@dataclass(frozen=True, slots=True, eq=False)
class ClickEvidence:
    """What one click says. label: 1 include, 0 exclude. x, y: on the mask grid.

    affinity: H/2 x W/2, probability of being on the clicked plane. similarity: H/2 x W/2, cosine of
    SAM's features to those clicked. likeness: the same of the wall network's tokens. masks: 3 x H x
    W, SAM's logits of what was clicked on, as tanh of a quarter. masks_coarse: the same, 3 x H/2 x
    W/2.
    """

    label: int
    x: float
    y: float
    affinity: FloatArray
    similarity: FloatArray
    likeness: FloatArray
    masks: FloatArray
    masks_coarse: FloatArray

    @classmethod
    def of(
        cls,
        label: int,
        place: tuple[float, float],
        *,
        affinity: FloatArray,
        similarity: FloatArray,
        likeness: FloatArray,
        logits: npt.NDArray[np.floating],
    ) -> ClickEvidence:
        """logits: SAM's three masks, 3 x H x W of any precision."""
        masks = np.multiply(logits, np.float32(0.25), dtype=np.float32)
        np.tanh(masks, out=masks)
        coarse = np.stack([halved(one) for one in masks])
        return cls(label, *place, affinity, similarity, likeness, masks, coarse)


@dataclass(frozen=True, slots=True, eq=False)
class EarlierClicks:
    """The evidence of the clicks before the newest, by label: the largest value counts.

    includes, excludes: float16 7 x H/2 x W/2, None without such a click: disc, plane affinity,
    similarity, likeness, SAM's three masks. At most a quarter of a megabyte a label, however many
    clicks there were.
    """

    includes: npt.NDArray[np.float16] | None = None
    excludes: npt.NDArray[np.float16] | None = None

    @property
    def affinity_of_includes(self) -> npt.NDArray[np.float16] | None:
        """Probability H/2 x W/2 of being on a plane that was included; None without an include."""
        return None if self.includes is None else self.includes[1]

    def with_one_more(self, click: ClickEvidence) -> EarlierClicks:
        """These and another."""
        joint = np.empty((len(_OF_EARLIER[0]), *click.affinity.shape), np.float16)
        joint[0] = halved(disc(click.x, click.y, click.masks.shape[1:]))
        joint[1], joint[2], joint[3] = click.affinity, click.similarity, click.likeness
        joint[4:] = click.masks_coarse
        before = self.includes if click.label == 1 else self.excludes
        if before is not None:
            np.maximum(joint, before, out=joint)
        joint.setflags(write=False)
        if click.label == 1:
            return EarlierClicks(joint, self.excludes)
        return EarlierClicks(self.includes, joint)


@dataclass(frozen=True, slots=True, eq=False)
class ClickMaps:
    """The click network's input, with `MAPS` in this order:

    0 wall; 1 sam_wall; 2 previous; 3 first click; 4, 5 disc at the newest click, as include and as
    exclude; 6, 7 discs at earlier includes and excludes; 8-10 plane affinity of the newest click,
    of earlier includes, of earlier excludes; 11-13 similarity; 14 likeness of paint to the newest
    click; 15-17, 18-20, 21-23 SAM's masks; 24-26 the photo; 27 this wall; 28 all walls; 29-31
    likeness. Absent clicks leave zeros.

    coarse: float32 32 x H/2 x W/2, all of them. fine: float32 12 x H x W, those of
    `FINE`.
    """

    coarse: FloatArray
    fine: FloatArray

    def as_one(self) -> FloatArray:
        """All on the mask grid, float32 32 x H x W: the coarse ones in blocks of two by two.

        Their means over such blocks are the coarse maps again.
        """
        maps = self.coarse.repeat(2, axis=1).repeat(2, axis=2)
        maps[list(FINE)] = self.fine
        return maps


def covered(grid: PhotoGrid) -> tuple[int, int]:
    """Rows and columns of the mask grid that the network reads of a photo."""
    columns, rows = grid.mask_extent
    return -(-rows // _STEP) * _STEP, -(-columns // _STEP) * _STEP


def covered_features(features: FloatArray, grid: PhotoGrid) -> FloatArray:
    """What the network reads of SAM's features 1 x 256 x 64 x 64: a view 1 x 256 x H/4 x W/4."""
    rows, columns = (side * FEATURE_SIDE // MASK_SIDE for side in covered(grid))
    return features[:, :, :rows, :columns]


def continued(
    maps: npt.NDArray[np.floating], grid: PhotoGrid, shape: tuple[int, int] = (MASK_SIDE, MASK_SIDE)
) -> FloatArray:
    """Maps ... x h x w on a larger part of the mask grid: beside the photo its edge is repeated.

    h, w: at least what the photo covers. What SAM and the networks imagine beside it is left out.
    """
    columns, rows = grid.mask_extent
    beside = ((0, shape[0] - rows), (0, shape[1] - columns))
    photo = np.asarray(maps[..., :rows, :columns], np.float32)
    return np.pad(photo, (*((0, 0) for _ in photo.shape[2:]), *beside), mode="edge")


def halved(grid: FloatArray) -> FloatArray:
    """A map of the mask grid on half of it: means of two by two cells."""
    size = (grid.shape[1] // 2, grid.shape[0] // 2)
    return np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_AREA), np.float32)


def doubled(grid: FloatArray) -> FloatArray:
    """A map h x w on a grid twice as fine, bilinear."""
    size = (grid.shape[1] * 2, grid.shape[0] * 2)
    return np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR), np.float32)


def disc(x: float, y: float, shape: tuple[int, ...] = (MASK_SIDE, MASK_SIDE)) -> FloatArray:
    """A bump of height 1 round a place on the mask grid, or on its top left part of a shape."""
    down, across = (
        np.exp((_CELLS[:side] - np.float32(place)) ** 2 / np.float32(-_DISC_VARIANCE))
        for side, place in zip(shape, (y, x), strict=True)
    )
    return np.asarray(np.multiply.outer(down, across), np.float32)


def plane_affinity(planes: FloatArray, x: float, y: float) -> FloatArray:
    """Probability 128 x 128 that a cell shares the plane under (x, y) of the mask grid.

    planes: plane vectors 8 x 128 x 128; logistic on their squared distance, as they were trained.
    """
    row, column = coarse_cell(x, y, MASK_SIDE // WALL_MAPS_SIDE, (WALL_MAPS_SIDE, WALL_MAPS_SIDE))
    apart = planes - planes[:, row : row + 1, column : column + 1]
    distance2 = np.einsum("kyx,kyx->yx", apart, apart)
    affinity = np.float32(1) / (1 + np.exp(np.clip(distance2 - PLANE_BIAS, -30, 30)))
    # As it looks on the mask grid, where it was drawn until only the coarse network read it.
    return halved(enlarge(np.asarray(affinity, np.float32)))


def paint_likeness(rgb: FloatArray, x: float, y: float) -> FloatArray:
    """How near every cell's colour is to that around (x, y), H x W, 1 for the same.

    rgb: float32 3 x H x W, full scale 1.
    """
    shape = rgb.shape[1:]
    row, column = (
        min(side - 1, max(0, round(value))) for side, value in zip(shape, (y, x), strict=True)
    )
    around = (
        slice(max(0, row - _PAINT_REACH), row + _PAINT_REACH + 1),
        slice(max(0, column - _PAINT_REACH), column + _PAINT_REACH + 1),
    )
    distance2 = np.zeros(shape, np.float32)
    for plane in rgb:
        apart = plane - plane[around].mean()
        apart *= apart
        distance2 += apart
    distance2 *= np.float32(-1 / _PAINT_VARIANCE)
    return np.asarray(np.exp(distance2, out=distance2))


def click_maps(
    photo: PhotoMaps,
    newest: ClickEvidence,
    earlier: EarlierClicks,
    previous: FloatArray,
    scope: Scope,
) -> ClickMaps:
    """The click network's input for the newest click.

    previous: logits float32 256 x 256 of the mask that this click corrects; for the first click, of
    the wall that is seen without one. All else covers the photo's part of the mask grid.
    """
    shape = photo.fine.shape[1:]
    seen = disc(newest.x, newest.y, shape)
    before = np.multiply(previous[: shape[0], : shape[1]], np.float32(0.25), dtype=np.float32)
    np.tanh(before, out=before)
    paint = paint_likeness(photo.fine[2:], newest.x, newest.y)
    coarse = np.zeros((MAPS, *photo.coarse.shape[1:]), np.float32)
    coarse[list(_OF_PHOTO)] = photo.coarse
    coarse[2], coarse[14], coarse[15:18] = halved(before), halved(paint), newest.masks_coarse
    coarse[3] = earlier.includes is None and earlier.excludes is None
    coarse[4 if newest.label == 1 else 5] = halved(seen)
    coarse[8], coarse[11], coarse[29] = newest.affinity, newest.similarity, newest.likeness
    for numbers, joint in zip(_OF_EARLIER, (earlier.includes, earlier.excludes), strict=True):
        if joint is not None:
            coarse[list(numbers)] = joint
    coarse[27], coarse[28] = scope is Scope.THIS_WALL, scope is Scope.ALL_WALLS
    nothing = np.float32(0)
    fine = np.empty((len(FINE), *shape), np.float32)
    parts = (
        *photo.fine[:2],
        before,
        *((seen, nothing) if newest.label == 1 else (nothing, seen)),
        paint,
        *newest.masks,
        *photo.fine[2:],
    )
    for place, part in zip(fine, parts, strict=True):
        place[:] = part
    return ClickMaps(coarse, fine)
