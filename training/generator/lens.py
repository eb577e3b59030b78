"""Barrel distortion, the same for a photo and all its maps.

A pixel at distance r_d from the centre (1 at the corners) shows what a straight lens shows at r_u =
r_d (1 - k) / (1 - k r_d^2): the corners stay, the centre grows by 1 / (1 - k), lines bend outwards.
This is the one-parameter division model (Fitzgibbon 2001) scaled to keep the corners.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Array = npt.NDArray[Any]


def sources(width: int, height: int, k: float) -> tuple[Float32, Float32]:
    """Where each pixel of the bent picture lies in the straight one: x and y, float32 H x W."""
    cx, cy = (width - 1) / 2, (height - 1) / 2
    x, y = np.meshgrid(np.arange(width) - cx, np.arange(height) - cy)
    squared = (x * x + y * y) / (cx * cx + cy * cy)
    scale = (1 - k) / (1 - k * squared)
    return (cx + x * scale).astype(np.float32), (cy + y * scale).astype(np.float32)


def bend(picture: Array, k: float, *, mix: bool) -> Array:
    """The picture (H x W or H x W x C) through such a lens; mix=False keeps labels whole."""
    if k == 0:
        return picture
    x, y = sources(picture.shape[1], picture.shape[0], k)
    how = cv2.INTER_LINEAR if mix else cv2.INTER_NEAREST
    return cv2.remap(picture, x, y, how, borderMode=cv2.BORDER_REPLICATE)
