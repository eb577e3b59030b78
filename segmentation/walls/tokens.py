"""What the wall network's patch tokens say of likeness: which parts of a photo are the same thing.

The tokens of a vision transformer that learnt from photos without labels are near each other on one
thing, in light and in shade (Amir et al. 2022, "Deep ViT Features as Dense Visual Descriptors").
They tell what belongs to the thing clicked on better than SAM's features do
(training/EXPERIMENTS.md).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from segmentation.clicks.features import covered
from segmentation.geometry import (
    FEATURE_SIDE,
    MASK_SIDE,
    MODEL_SIDE,
    FloatArray,
    PhotoGrid,
    coarse_cell,
)
from segmentation.wall_net_io import token_grid

_FEATURE_CELL: Final = MODEL_SIDE // FEATURE_SIDE
_CELLS_EACH: Final = MASK_SIDE // FEATURE_SIDE


def tokens_on_features(tokens: FloatArray, grid: PhotoGrid) -> FloatArray:
    """An embedding's tokens 64 x 33 x 33 on the grid of SAM's features, 64 x H/4 x W/4.

    Bilinear; beside the photo its edge is repeated.
    """
    rows, columns = (side // _CELLS_EACH for side in covered(grid))
    width, height = grid.resized
    patch_rows, patch_columns = token_grid(grid.height, grid.width)
    left = _bilinear(rows, patch_rows, patch_rows * _FEATURE_CELL / height)
    right = _bilinear(columns, patch_columns, patch_columns * _FEATURE_CELL / width)
    here = tokens[:, :patch_rows, :patch_columns]
    return np.ascontiguousarray(left @ here @ right.T, np.float32)


def unit_length(tokens: FloatArray) -> FloatArray:
    """Every cell's token C x h x w at length 1."""
    lengths = np.sqrt(np.einsum("kyx,kyx->yx", tokens, tokens)) + np.float32(1e-6)
    return np.asarray(tokens / lengths, np.float32)


def likeness(unit: FloatArray, x: float, y: float) -> FloatArray:
    """Cosine of every cell's token with that under (x, y) of the mask grid, h x w.

    unit: `unit_length` of `tokens_on_features`.
    """
    row, column = coarse_cell(x, y, _CELLS_EACH, (unit.shape[1], unit.shape[2]))
    return np.asarray(np.tensordot(unit[:, row, column], unit, 1), np.float32)


def _bilinear(cells: int, patches: int, patches_a_cell: float) -> FloatArray:
    """Weights cells x patches that draw each cell from the two patches beside its middle."""
    places = np.clip((np.arange(cells) + 0.5) * patches_a_cell - 0.5, 0, patches - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(patches))), np.float32)
