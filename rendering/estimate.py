"""The wall's plane from the photo alone."""

from __future__ import annotations

import numpy as np

from rendering.arrays import U8, check_mask, check_picture
from rendering.plane import WallPlane, plane_from_quad
from rendering.render import bounding_box

DEFAULT_HEIGHT_M = 2.5


def estimate_plane(photo: U8, mask: U8, *, focal_px: float | None = None) -> WallPlane:
    """The plane of the wall that ``mask`` covers."""
    check_picture(photo, "photo")
    check_mask(mask, photo)
    x0, y0, x1, y1 = bounding_box(mask)
    quad = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float64) - 0.5
    size = (DEFAULT_HEIGHT_M * (x1 - x0) / (y1 - y0), DEFAULT_HEIGHT_M)
    plane = plane_from_quad(quad, size)
    return WallPlane(plane.H, plane.quad, plane.size_m, 0.1, "frontal")
