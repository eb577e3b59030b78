"""The boundary of a mask as SVG path data: marching squares on the logits, then simplified.

Drawn in photo pixels. Pixel centres are at integers, so the photo itself covers
[-0.5, W - 0.5] x [-0.5, H - 0.5]: the svg element's viewBox is "-0.5 -0.5 W H", and fill-rule is
evenodd (holes are loops of their own).

The contour is found between samples by linear interpolation (Lorensen and Cline 1987, in two
dimensions), not on a thresholded picture: a thresholded one has steps of several photo pixels.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.edges import speck_area
from segmentation.geometry import MODEL_SIDE, FloatArray, PhotoGrid
from segmentation.prediction import Prediction
from segmentation.raster import model_logits, resized

TOLERANCE_VIEW_PX: Final = 0.7
_MIN_LOOP_VIEW_PX2: Final = 6.0
_NODES_MAX: Final = 768
_OUTSIDE_LOGIT: Final = -1e4

_ALL_INSIDE: Final = 15

# For each of the 16 corner patterns (bit 0 top-left, 1 top-right, 2 bottom-right, 3 bottom-left)
# the edges entered and left, wall on the right hand; edges are 0 top, 1 right, 2 bottom, 3 left.
# Saddles (5, 10) keep the two wall corners apart, as OpenCV's 4-connected regions do.
_SEGMENTS: Final[tuple[tuple[tuple[int, int], ...], ...]] = (
    (), ((3, 0),), ((0, 1),), ((3, 1),),
    ((1, 2),), ((3, 0), (1, 2)), ((0, 2),), ((3, 2),),
    ((2, 3),), ((2, 0),), ((0, 1), (2, 3)), ((2, 1),),
    ((1, 3),), ((1, 0),), ((0, 3),), (),
)  # fmt: skip


def outline_path(
    prediction: Prediction,
    *,
    view_size: tuple[int, int],
    photo: npt.NDArray[np.uint8] | None = None,
) -> str:
    """SVG path data ("M...Z M...Z") of the prediction's boundary, "" when there is none.

    photo: uint8 H x W x 3 RGB, the whole photo at any size; with it the boundary is that of
    `Prediction.mask(photo=photo)` at a size that fits the outline's detail.

    view_size: (width, height) in which it will be shown, in pixels: detail below about 0.7 of
    those is left out. Coordinates are photo pixels with at most one decimal.
    """
    if photo is None:
        return path_of_logits(prediction.logits, prediction.grid, view_size=view_size)
    scale = min(1.0, MODEL_SIDE / max(photo.shape[:2]))
    size = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    field, grid = prediction.field(resized(photo, size)), prediction.grid
    return path_of_field(
        field, grid, view_size=view_size, least=speck_area((grid.height, grid.width))
    )


def path_of_logits(logits: FloatArray, grid: PhotoGrid, *, view_size: tuple[int, int]) -> str:
    """`outline_path` for bare logits float32 256 x 256."""
    return path_of_field(model_logits(logits, grid), grid, view_size=view_size)


def path_of_field(
    field: FloatArray, grid: PhotoGrid, *, view_size: tuple[int, int], least: float = 0
) -> str:
    """`outline_path` for a field over the whole photo, float32 h x w, above 0 wall.

    least: photo pixels, the area below which a loop is left out however well it would be seen.
    """
    view_px = max(grid.width / max(1, view_size[0]), grid.height / max(1, view_size[1]))
    samples, xs, ys = _sample(field, grid)
    least = max(least, _MIN_LOOP_VIEW_PX2 * view_px**2)
    decimals = 0 if view_px >= 4 else 1
    parts = []
    for loop in _loops(samples, xs, ys):
        if _area(loop) < least:
            continue
        simple = cv2.approxPolyDP(
            loop.astype(np.float32)[:, None], TOLERANCE_VIEW_PX * view_px, True
        )
        points = np.asarray(simple, np.float64).reshape(-1, 2)
        if len(points) >= 3:
            parts.append(_path(points, decimals))
    return "".join(parts)


def _sample(
    field: FloatArray, grid: PhotoGrid
) -> tuple[FloatArray, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The field at nodes spread over the photo's rectangle, its edges included, and a ring outside.

    Returns the samples (rows x columns) and the nodes' x and y in photo pixels; the ring lies on
    the edge too, so that the contour of a wall that runs out of the photo runs along its edge.
    """
    rows, columns = field.shape
    step = max(1.0, max(rows, columns) / _NODES_MAX)
    across, down = max(2, round(columns / step) + 1), max(2, round(rows / step) + 1)
    u = np.linspace(-0.5, columns - 0.5, across, dtype=np.float32)
    v = np.linspace(-0.5, rows - 0.5, down, dtype=np.float32)
    inner = cv2.remap(
        field,
        np.broadcast_to(u, (down, across)).copy(),
        np.broadcast_to(v[:, None], (down, across)).copy(),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    samples = np.full((down + 2, across + 2), _OUTSIDE_LOGIT, np.float32)
    samples[1:-1, 1:-1] = inner
    xs = np.linspace(-0.5, grid.width - 0.5, across)
    ys = np.linspace(-0.5, grid.height - 0.5, down)
    return samples, np.pad(xs, 1, mode="edge"), np.pad(ys, 1, mode="edge")


def _loops(
    samples: FloatArray, xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64]
) -> list[npt.NDArray[np.float64]]:
    """Closed contours at level 0, each (N, 2) in photo pixels."""
    follows = _follows(samples > 0)
    loops = []
    while follows:
        start, edge = follows.popitem()
        loop = [start]
        while edge != start:
            loop.append(edge)
            edge = follows.pop(edge)
        loops.append(_crossings(np.array(loop), samples, xs, ys))
    return loops


def _follows(inside: npt.NDArray[np.bool_]) -> dict[int, int]:
    """Which crossed grid edge follows which along the contours, by edge number.

    Horizontal edges (to the right of a node) come first, then vertical ones (below it).
    """
    rows, columns = inside.shape
    offset = rows * columns
    side = inside.view(np.uint8)
    code = side[:-1, :-1] | side[:-1, 1:] << 1 | side[1:, 1:] << 2 | side[1:, :-1] << 3
    # Few cells: all else is uniform. Codes 1 to 14, in one comparison of bytes that wrap round.
    cells = np.flatnonzero(code - np.uint8(1) < _ALL_INSIDE - 1)
    codes = code.ravel()[cells]
    nodes = cells + cells // (columns - 1)  # a row has one cell less than it has nodes
    follows: dict[int, int] = {}
    for pattern, segments in enumerate(_SEGMENTS):
        node = nodes[codes == pattern] if segments else nodes[:0]
        edges = (node, offset + node + 1, node + columns, offset + node)
        for start, end in segments:
            follows.update(zip(edges[start].tolist(), edges[end].tolist(), strict=True))
    return follows


def _crossings(
    edges: npt.NDArray[np.int64],
    samples: FloatArray,
    xs: npt.NDArray[np.float64],
    ys: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Where the field is 0 on the edges of these numbers, (N, 2) in photo pixels."""
    columns = samples.shape[1]
    vertical = edges >= samples.size
    row, column = np.divmod(edges - np.where(vertical, samples.size, 0), columns)
    next_row, next_column = row + vertical, column + ~vertical
    here = samples[row, column].astype(np.float64)
    there = samples[next_row, next_column].astype(np.float64)
    share = np.clip(here / (here - there), 0, 1)
    x = xs[column] + share * (xs[next_column] - xs[column])
    y = ys[row] + share * (ys[next_row] - ys[row])
    return np.stack([x, y], axis=1)


def _area(loop: npt.NDArray[np.float64]) -> float:
    x, y = loop[:, 0], loop[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def _path(points: npt.NDArray[np.float64], decimals: int) -> str:
    text = [f"{x:.{decimals}f},{y:.{decimals}f}" for x, y in points.tolist()]
    return f"M{' '.join(text)}Z".replace(".0", "")
