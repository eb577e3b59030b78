"""One size rule for every smaller copy of a picture."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray


def size_within(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """(width, height) scaled down so that the longer side is at most `max_side`; never up.

    The longer side becomes exactly `max_side`, the other is rounded half up and is at least 1.
    """
    width, height = size
    longest = max(width, height)
    if longest <= max_side:
        return size
    return (
        max(1, (2 * width * max_side + longest) // (2 * longest)),
        max(1, (2 * height * max_side + longest) // (2 * longest)),
    )


def fit_within(pixels: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """`pixels` (H x W or H x W x 3, uint8) by `size_within`, by area means.

    Returns the same array where it fits already. Averages sample values as they are (sRGB), as
    browsers do.
    """
    height, width = pixels.shape[:2]
    target = size_within((width, height), max_side)
    if target == (width, height):
        return pixels
    smaller = cv2.resize(pixels, target, interpolation=cv2.INTER_AREA)
    return smaller.astype(np.uint8, copy=False)


def fit_area(pixels: NDArray[np.uint8], max_pixels: int) -> NDArray[np.uint8]:
    """`pixels` scaled down to at most `max_pixels` in area, by the rule of `fit_within`."""
    height, width = pixels.shape[:2]
    if width * height <= max_pixels:
        return pixels
    longest = int(max(width, height) * math.sqrt(max_pixels / (width * height)))
    return fit_within(pixels, longest)
