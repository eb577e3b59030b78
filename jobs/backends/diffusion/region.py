"""The part of the photo an image service works on, and the size it works at.

Services work at about one megapixel, so they get the wall with a margin and not the room; the
margin shows them the light around it. Sides are multiples of 8, as latent diffusion needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

MARGIN_SHARE: Final = 0.12  # of the wall's longer side
MIN_MARGIN_PX: Final = 32
MIN_SIDE_PX: Final = 64
MAX_ASPECT: Final = 4.0  # where the photo has the room for it
STEP_PX: Final = 8


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the photo in its pixels, and the work size it is sent at."""

    left: int
    top: int
    width: int
    height: int
    work_width: int
    work_height: int

    def cut(self, pixels: Pixels) -> Pixels:
        """The rectangle of a photo-sized array, as a view."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]

    def at_work_size(self, pixels: Pixels) -> Pixels:
        """The rectangle of a photo-sized array (uint8, H x W or H x W x 3), at the work size."""
        return resized(self.cut(pixels), (self.work_width, self.work_height))


def work_region(mask: Pixels, *, max_side: int) -> Region:
    """The wall's rectangle with its margin.

    mask: uint8 H x W, not all 0. max_side: of the work size, pixels, at least 64.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, right, top, bottom = int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])
    wide, high = right + 1 - left, bottom + 1 - top
    margin = max(MIN_MARGIN_PX, round(MARGIN_SHARE * max(wide, high)))
    least = max(MIN_SIDE_PX, int(max(wide, high) / MAX_ASPECT))
    height, width = mask.shape
    left, width = _stretch(left - margin, right + 1 + margin, least, width)
    top, height = _stretch(top - margin, bottom + 1 + margin, least, height)
    scale = min(1.0, max_side / max(width, height))
    return Region(
        left, top, width, height, _step(width * scale, max_side), _step(height * scale, max_side)
    )


def resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """`pixels` (uint8, H x W or H x W x 3) at `size` (width, height); shrinks by area averages."""
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    shrinks = size[0] * size[1] < width * height
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(pixels, size, interpolation=how).astype(np.uint8, copy=False)


def _stretch(start: int, end: int, least: int, limit: int) -> tuple[int, int]:
    """(start, length) of the span, at least `least` long where it can be, inside 0..limit."""
    missing = max(0, least - (end - start))
    start, end = start - missing // 2, end + missing - missing // 2
    start, end = max(0, start), min(limit, end)
    missing = max(0, least - (end - start))
    start = max(0, start - missing)
    end = min(limit, max(end, start + least))
    return start, end - start


def _step(side: float, max_side: int) -> int:
    largest = max_side // STEP_PX * STEP_PX
    return int(min(largest, max(MIN_SIDE_PX, round(side / STEP_PX) * STEP_PX)))
