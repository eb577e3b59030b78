"""The joints between strips of wallpaper: how much light a pixel of the wall loses to them.

Paper is sold in rolls and hung strip beside strip; from near one sees the joints as hairlines. Far
thinner than a pixel, they would alias if they were drawn; so the share of each pixel that a joint
covers is computed: the integral of a train of pulses over the pixel's extent, as Heckbert (Survey
of texture mapping, 1986) does for regular textures. Where pixels become wider than strips it tends
to the joints' mean, and nothing is seen.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rendering.arrays import F32, f32

JOINT_M: Final = 0.001  # a closed joint with its rounded, slightly lifted edges
DARKNESS: Final = 0.6  # of the light that falls on a joint and does not come back


def seam_transmittance(strips: F32, strip_m: float) -> F32:
    """Share of the light that the joints leave each pixel, float32 (h - 2) x (w - 2).

    `strips`: float32 h x w, the place on the wall in strips, one pixel around the wanted ones
    included: joints lie at whole numbers. `strip_m`: a strip's width in metres.
    """
    across = strips[1:-1, 2:] - strips[1:-1, :-2]
    down = strips[2:, 1:-1] - strips[:-2, 1:-1]
    # A box as wide as the pixel's shadow on the strips' axis spreads.
    extent = np.maximum(0.5 * np.hypot(across, down), np.float32(1e-6))
    share = np.float32(JOINT_M / strip_m)
    middle = strips[1:-1, 1:-1] + 0.5 * share
    # Whole strips are taken off first, or float32 would lose what is left of a joint.
    middle = middle - np.floor(middle)
    covered = _integral(middle + 0.5 * extent, share) - _integral(middle - 0.5 * extent, share)
    return f32(1.0 - np.float32(DARKNESS) * covered / extent)


def _integral(place: F32, share: np.float32) -> F32:
    """The length of joints from 0 to `place`, each filling the first `share` of its strip."""
    whole = np.floor(place)
    return f32(whole * share + np.minimum(place - whole, share))
