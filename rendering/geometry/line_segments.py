"""Straight line segments of a photo.

LSD (Grompone von Gioi et al., LSD: a line segment detector, IPOL 2012) as OpenCV ships it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F64, U8
from rendering.geometry.lens_distortion import Distortion

# Longest side the detector works at: it finds long edges best when their blur is a pixel or two.
LINE_SIDE = 1024
MIN_LENGTH = 0.018  # of the longest side; shorter ones are texture more often than architecture
MAX_SEGMENTS = 1200


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """N segments in pixels of the working picture, longest first.

    `ends` N x 4 (x0, y0, x1, y1), `middle` N x 2, `direction` N x 2 (unit), `length` N. The ends
    stay where the picture shows them; the others are what a straight lens would show
    (`undistorted`), for vanishing points.
    """

    ends: F64
    middle: F64
    direction: F64
    length: F64

    def __len__(self) -> int:
        return len(self.length)

    def undistorted(self, lens: Distortion) -> Segments:
        """The same segments, in the same order, taken by a lens that bends."""
        a, b = lens.undistort(self.ends[:, :2]), lens.undistort(self.ends[:, 2:])
        length = np.hypot(*(b - a).T)
        return Segments(self.ends, (a + b) / 2, (b - a) / np.maximum(length, 1e-9)[:, None], length)


def detect(photo: U8) -> Segments:
    """Segments of an RGB photo; may be empty, never raises for an odd photo."""
    grey = cv2.cvtColor(np.ascontiguousarray(photo), cv2.COLOR_RGB2GRAY)
    found = None
    if min(grey.shape) >= 8:
        # Two passes: edges of bright and of dark rooms differ in contrast more than one threshold
        # bears, so the second pass looks at the locally equalised picture.
        found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_ADV).detect(grey)[0]
    ends = np.zeros((0, 4)) if found is None else np.asarray(found, np.float64).reshape(-1, 4)
    return from_ends(ends, MIN_LENGTH * max(grey.shape))


def from_ends(ends: F64, shortest: float) -> Segments:
    """Segments from N x 4 end points, the ones shorter than `shortest` left out."""
    delta = ends[:, 2:] - ends[:, :2]
    length = np.hypot(delta[:, 0], delta[:, 1])
    keep = np.flatnonzero(length >= shortest)
    keep = keep[np.argsort(-length[keep], kind="stable")][:MAX_SEGMENTS]
    ends, delta, length = ends[keep], delta[keep], length[keep]
    direction = delta / np.maximum(length, 1e-9)[:, None]
    return Segments(ends, (ends[:, :2] + ends[:, 2:]) / 2, direction, length)
