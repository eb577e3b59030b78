"""The one place where photo pixels, model pixels and mask cells are converted into each other.

SAM sees the photo resized so that its long side is 1024, in the top-left corner of a 1024 x 1024
square whose rest is padding. Its masks live on a 256 x 256 grid over that square.

Two conventions meet here and are kept apart on purpose:

- prompts follow SAM's `ResizeLongestSide.apply_coords`: coordinates are multiplied by the ratio of
  the sizes, with no half-pixel shift (the decoder graph adds 0.5 itself);
- rasters (masks, outlines) are aligned by pixel edges, as `interpolate(align_corners=False)` does
  in SAM's post-processing: photo pixel x covers [x - 0.5, x + 0.5].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

MODEL_SIDE: Final = 1024
MASK_SIDE: Final = 256
FEATURE_SIDE: Final = 64
CELL: Final = MODEL_SIDE // MASK_SIDE

FloatArray = npt.NDArray[np.float32]


def coarse_cell(x: float, y: float, cells_each: int, shape: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the coarse cell that a place lies in.

    x, y: in cells of the mask grid, `cells_each` of which a coarse cell is wide. shape: rows and
    columns of the coarser grid, or of the part of it in use; a place beside it gets the nearest
    cell.
    """
    row, column = (
        min(side - 1, max(0, math.floor(value + 0.5) // cells_each))
        for side, value in zip(shape, (y, x), strict=True)
    )
    return row, column


@dataclass(frozen=True, slots=True)
class PhotoGrid:
    """How a photo of `width` x `height` pixels lies on the model's square."""

    width: int
    height: int

    @property
    def resized(self) -> tuple[int, int]:
        """Width and height of the photo on the 1024 grid; formula of SAM's ResizeLongestSide."""
        scale = MODEL_SIDE / max(self.width, self.height)
        return max(1, int(self.width * scale + 0.5)), max(1, int(self.height * scale + 0.5))

    @property
    def mask_extent(self) -> tuple[int, int]:
        """Columns and rows of the 256 grid that hold any of the photo."""
        width, height = self.resized
        return -(-width // CELL), -(-height // CELL)

    @property
    def feature_extent(self) -> tuple[int, int]:
        """Columns and rows of the 64 grid that the photo's masks depend on.

        One more than hold any of the photo: enlarging a mask looks half a cell of the 256 grid
        further, and the click network reads up to seven of them (`clicks.features.covered`).
        """
        width, height = self.resized
        side = MODEL_SIDE // FEATURE_SIDE
        return min(FEATURE_SIDE, -(-width // side) + 1), min(FEATURE_SIDE, -(-height // side) + 1)

    def prompt_to_model(self, points: npt.ArrayLike) -> FloatArray:
        """(N, 2) photo pixels (x, y) to prompt coordinates on the 1024 grid."""
        width, height = self.resized
        ratio = np.array([width / self.width, height / self.height], np.float64)
        return np.asarray(np.asarray(points, np.float64).reshape(-1, 2) * ratio, np.float32)

    def photo_to_mask(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(N, 2) photo pixels to positions on the 256 grid (cell centres at integers)."""
        width, height = self.resized
        ratio = np.array([width / self.width, height / self.height]) / CELL
        return np.asarray((np.asarray(points, np.float64).reshape(-1, 2) + 0.5) * ratio - 0.5)

    def mask_to_photo(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Inverse of `photo_to_mask`."""
        width, height = self.resized
        ratio = np.array([self.width / width, self.height / height]) * CELL
        return np.asarray((np.asarray(points, np.float64).reshape(-1, 2) + 0.5) * ratio - 0.5)

    def contains(self, x: float, y: float) -> bool:
        """True when (x, y) lies on the photo, its outermost pixels' edges included."""
        return -0.5 <= x <= self.width - 0.5 and -0.5 <= y <= self.height - 0.5
