"""From mask logits on the 256 grid to coverage of photo pixels."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import CELL, MASK_SIDE, MODEL_SIDE, FloatArray, PhotoGrid
from segmentation.runtime import as_float32

# Width of the soft edge, in pixels of the 1024 grid: the decoder knows the edge to about one cell
# of the 256 grid, and a wider ramp would let the old wall shine through at the contour.
EDGE_WIDTH_PX: Final = 1.5
# Logits this close to zero are undecided however flat they are; keeps the quotient finite.
_FLAT_LOGIT_PER_PX: Final = 0.05
_FAR_CELLS: Final = 16.0
_NEAR_CELLS: Final = 0.5
# Samples of `line_distance` to a cell. Four move no edge by more than two do, and cost four times
# as much.
LINE_SAMPLES: Final = 2


def model_logits(logits: FloatArray, grid: PhotoGrid) -> FloatArray:
    """Logits float32 256 x 256 to h x w on the 1024 grid, padding cut off.

    The same step as SAM's `mask_postprocessing`: bilinear with pixel edges aligned.
    """
    width, height = grid.resized
    full = cv2.resize(logits, (MODEL_SIDE, MODEL_SIDE), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(full[:height, :width], np.float32)


def coverage(logits: FloatArray, grid: PhotoGrid, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Soft mask uint8 height x width, 255 inside, 0 outside, a ramp at the edge.

    logits: float32 256 x 256. size: (width, height) of the result, which shows the whole photo.
    The ramp is linear in logit / |gradient of logit|, a first-order estimate of the signed
    distance to the zero line, so that its width does not depend on how sure the decoder is. It is
    made on the 1024 grid and only then enlarged, as bytes: 50 megapixels cost 50 MB, not 200.
    """
    field = _near_distance(model_logits(logits, grid), flat=_FLAT_LOGIT_PER_PX)
    np.multiply(field, 1 / EDGE_WIDTH_PX, out=field)
    field += 0.5
    np.clip(field, 0, 1, out=field)
    field *= 255
    soft = np.rint(field).astype(np.uint8)
    return resized(soft, size)


def resized(picture: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """uint8 h x w or h x w x 3 at `size` (width, height): by area when smaller, else bilinear."""
    height, width = picture.shape[:2]
    if size == (width, height):
        return picture
    shrinks = size[0] < width or size[1] < height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)


def line_distance(logits: FloatArray, grid: PhotoGrid) -> FloatArray:
    """Signed distance to the zero line in cells, float32 h x w, `LINE_SAMPLES` to a cell.

    Positive inside, at most 16 either way. First order in the logits beside the line, where steps
    of whole samples would show; a distance transform further out, where logits are no measure of
    distance.
    """
    columns, rows = (-(-side * LINE_SAMPLES // CELL) for side in grid.resized)
    side = MASK_SIDE * LINE_SAMPLES
    full = cv2.resize(logits, (side, side), interpolation=cv2.INTER_LINEAR)
    field = np.ascontiguousarray(full[:rows, :columns], np.float32)
    inside = (field > 0).astype(np.uint8)
    far = as_float32(cv2.distanceTransform(inside, cv2.DIST_L2, 3))
    far -= as_float32(cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3))
    # From sample centres to the line between them, and from samples to cells.
    far -= inside
    far += np.float32(0.5)
    far *= np.float32(1 / LINE_SAMPLES)
    np.clip(far, -_FAR_CELLS, _FAR_CELLS, out=far)
    near = _near_distance(field, flat=_FLAT_LOGIT_PER_PX * CELL / LINE_SAMPLES)
    near *= np.float32(1 / LINE_SAMPLES)
    np.clip(near, -_NEAR_CELLS, _NEAR_CELLS, out=near)
    np.copyto(far, near, where=np.abs(far) <= _NEAR_CELLS)
    return far


def _near_distance(field: FloatArray, *, flat: float) -> FloatArray:
    """First-order signed distance in samples to the zero line of sampled logits; changes `field`.

    flat: slope per sample below which logits count as flat.
    """
    dx = cv2.Sobel(field, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.Sobel(field, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    slope = cv2.magnitude(dx, dy)
    np.maximum(slope, flat, out=slope)
    np.divide(field, slope, out=field)
    return field
