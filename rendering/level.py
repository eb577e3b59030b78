"""How light the paint is: what part of the wall's brightness is paint and what is light."""

from __future__ import annotations

import numpy as np

from rendering.arrays import F32, F64


def wall_albedo(wall: F32) -> F64:
    """Scene light that unit light would send back off this wall, per channel, from wall pixels.

    ``wall``: N x 3 scene light of wall pixels.
    """
    middle = np.median(wall, axis=0).astype(np.float64)
    return np.maximum(middle / 0.6, 1e-4)
