"""The boundary of a mask as SVG path data: marching squares on the logits, then simplified.

Drawn in photo pixels. Pixel centres are at integers, so the photo itself covers
[-0.5, W - 0.5] x [-0.5, H - 0.5]: the svg element's viewBox is "-0.5 -0.5 W H", and fill-rule is
evenodd (holes are loops of their own).

The contour is found between samples by linear interpolation (Lorensen and Cline 1987, in two
dimensions), not on a thresholded picture: a thresholded one has steps of several photo pixels.
contourpy does the same, but takes longer on a mask (it visits every cell, here only those that the
line crosses) and joins the two wall corners of a saddle, which these masks keep apart.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import FloatArray, PhotoGrid
from segmentation.masks.edges import speck_area
from segmentation.masks.raster import model_logits, resized
from segmentation.prediction import Prediction

TOLERANCE_VIEW_PX: Final = 0.7
_MIN_LOOP_VIEW_PX2: Final = 6.0
# Samples along a photo's longer side: a view of 1024 pixels has three of them to four of its own,
# and what is simplified by 0.7 of those tells no finer.
OUTLINE_SIDE: Final = 768
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
    scale = min(1.0, OUTLINE_SIDE / max(photo.shape[:2]))
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
    for loop in _loops(samples, xs, ys, least):
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
    """The field at the centres of its pixels, on the photo's edges, and in a ring outside.

    Returns the samples (rows x columns) and the nodes' x and y in photo pixels; the ring lies on
    the edge too, so that the contour of a wall that runs out of the photo runs along its edge.
    """
    step = max(field.shape) / OUTLINE_SIDE
    if step > 1:
        size = max(1, round(field.shape[1] / step)), max(1, round(field.shape[0] / step))
        field = np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_AREA), np.float32)
    on_edge = cv2.copyMakeBorder(field, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    samples = cv2.copyMakeBorder(
        on_edge, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(_OUTSIDE_LOGIT,) * 4
    )
    rows, columns = field.shape
    return (
        np.asarray(samples, np.float32),
        _nodes(columns, grid.width),
        _nodes(rows, grid.height),
    )


def _nodes(samples: int, pixels: int) -> npt.NDArray[np.float64]:
    """Where the samples of a line of pixels lie, with two on its end at either side."""
    middles = (np.arange(samples) + 0.5) * (pixels / samples) - 0.5
    return np.concatenate([[-0.5, -0.5], middles, [pixels - 0.5, pixels - 0.5]])


def _loops(
    samples: FloatArray,
    xs: npt.NDArray[np.float64],
    ys: npt.NDArray[np.float64],
    least: float,
) -> list[npt.NDArray[np.float64]]:
    """Closed contours at level 0 of at least that area, each (N, 2) in photo pixels."""
    starts, ends = _segments(samples > 0)
    if not starts.size:
        return []
    order, lengths = _cycles(np.searchsorted(starts, ends).tolist())
    points = _crossings(starts, samples, xs, ys)[order]
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    following = np.arange(1, len(points) + 1)
    following[first + np.array(lengths) - 1] = first
    x, y = points[:, 0], points[:, 1]
    # Twice the signed area, as the sum over a loop's sides.
    areas = np.abs(np.add.reduceat(x * y[following] - y * x[following], first)) / 2
    return [
        points[start : start + length]
        for start, length, area in zip(first.tolist(), lengths, areas.tolist(), strict=True)
        if area >= least
    ]


def _cycles(follows: list[int]) -> tuple[list[int], list[int]]:
    """Where each number leads to, as its cycles one after the other, and how long each is."""
    order: list[int] = []
    lengths: list[int] = []
    left = bytearray(b"\x01") * len(follows)
    for start in range(len(follows)):
        if left[start]:
            before, number = len(order), start
            while left[number]:
                left[number] = 0
                order.append(number)
                number = follows[number]
            lengths.append(len(order) - before)
    return order, lengths


def _segments(
    inside: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which crossed grid edge follows which along the contours, by number, sorted by the first.

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
    found: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    for pattern, segments in enumerate(_SEGMENTS):
        node = nodes[codes == pattern] if segments else nodes[:0]
        edges = (node, offset + node + 1, node + columns, offset + node)
        found += [(edges[start], edges[end]) for start, end in segments]
    starts, ends = (np.concatenate(side) for side in zip(*found, strict=True))
    order = np.argsort(starts)
    return starts[order], ends[order]


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


def _path(points: npt.NDArray[np.float64], decimals: int) -> str:
    # One format for all: a third of the time of one for each point.
    pair = f"%.{decimals}f,%.{decimals}f"
    text = " ".join([pair] * len(points)) % tuple(points.ravel().tolist())
    return f"M{text}Z".replace(".0", "")
