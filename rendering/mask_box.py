"""Where the mask lies in the photo."""

from __future__ import annotations

import cv2
import numpy as np

from rendering.arrays import U8
from rendering.errors import NothingSelectedError


def bounding_box(mask: U8) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 (exclusive) of the mask's non-zero pixels.

    Raises:
        NothingSelectedError: there is none.
    """
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    if width == 0 or height == 0:
        raise NothingSelectedError
    return x, y, x + width, y + height
