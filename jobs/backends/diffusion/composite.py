"""Laying a service's picture over the photo, through our mask.

What a service returns is smaller than the photo, re-encoded, and changed everywhere. Only its
*change* to what it was sent is taken: enlarged, weighted by the mask's coverage, and added to the
local render. So the pattern keeps the render's sharpness, soft edges stay those of the render
(itself composited by the same mask), a service that returns what it got changes nothing at all, and
where the mask is 0 the photo stays bit for bit.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from jobs.backends.diffusion.region import Region

Pixels = npt.NDArray[np.uint8]

STRIP_PIXELS: Final = 1 << 20  # per strip: about 30 MB of float32 temporaries


def composite(
    photo: Pixels, mask: Pixels, render: Pixels, sent: Pixels, edited: Pixels, region: Region
) -> Pixels:
    """The photo with the render, changed as the service changed it.

    photo, render: uint8 H x W x 3 RGB; mask: uint8 H x W, 0..255 coverage. sent, edited: uint8 RGB
    at the region's work size: the render as sent, and what came back. Returns uint8 H x W x 3.
    """
    change = edited.astype(np.float32) - sent.astype(np.float32)
    picture = render.copy()
    target, cover = region.cut(picture), region.cut(mask)
    step = max(1, STRIP_PIXELS // region.width)
    for top in range(0, region.height, step):
        end = min(region.height, top + step)
        alpha = cover[top:end].astype(np.float32)[..., None] * np.float32(1 / 255)
        strip = target[top:end]
        changed = strip + alpha * _enlarged(change, region, top, end - top)
        np.copyto(strip, np.clip(np.rint(changed), 0, 255).astype(np.uint8), where=alpha > 0)
    np.copyto(picture, photo, where=(mask == 0)[..., None])
    return picture


def _enlarged(
    change: npt.NDArray[np.float32], region: Region, top: int, rows: int
) -> npt.NDArray[np.float32]:
    """Rows `top`.. of the change at the region's own size, bilinear, pixel centres at integers."""
    sx, sy = region.work_width / region.width, region.work_height / region.height
    M = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, (top + 0.5) * sy - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (region.width, rows)
    enlarged = cv2.warpAffine(change, M, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return enlarged.astype(np.float32, copy=False)
