"""Logits on the 256 grid with known zero lines, and a photo-sized truth beside them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from segmentation import PhotoGrid, Prediction

Distance = Callable[[npt.NDArray[np.float64], npt.NDArray[np.float64]], npt.NDArray[np.float64]]


def disc(x0: float, y0: float, radius: float) -> Distance:
    """Signed distance to a circle in photo pixels, positive inside."""
    return lambda x, y: radius - np.hypot(x - x0, y - y0)


def ring(x0: float, y0: float, outer: float, inner: float) -> Distance:
    """A disc with a hole."""
    return lambda x, y: np.minimum(
        outer - np.hypot(x - x0, y - y0), np.hypot(x - x0, y - y0) - inner
    )


def half_plane(x0: float) -> Distance:
    """Everything left of x0; runs out of the photo on three sides."""
    return lambda x, y: x0 - x + 0 * y


def logits_of(
    distance: Distance, grid: PhotoGrid, *, steepness: float = 0.05
) -> npt.NDArray[np.float32]:
    """Sample a signed distance at the centres of the mask grid's cells."""
    ys, xs = np.mgrid[0:256, 0:256].astype(np.float64)
    places = grid.mask_to_photo(np.stack([xs.ravel(), ys.ravel()], 1))
    values = distance(places[:, 0], places[:, 1]) * steepness
    return values.reshape(256, 256).astype(np.float32)


def truth_of(distance: Distance, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Which photo pixels have their centre inside."""
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float64)
    return distance(xs, ys) > 0


def prediction_of(distance: Distance, width: int, height: int) -> Prediction:
    """A Prediction made of a shape."""
    logits = logits_of(distance, PhotoGrid(width, height))
    scores = np.ones(1, np.float32)
    return Prediction(logits, logits[None], scores, 1.0, 0, width, height)


def iou(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    """Intersection over union, 1 for two empty masks."""
    union = int((a | b).sum())
    return float((a & b).sum()) / union if union else 1.0
