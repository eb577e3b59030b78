"""A lens that bends straight lines: the one-parameter division model.

A point at the distance r_d from the picture's centre is what a straight lens shows at `r_u = r_d /
(1 - k r_d^2)` (Fitzgibbon, Simultaneous linear estimation of multiple view geometry and lens
distortion, 2001). One parameter serves wide lenses as well as a polynomial's two or three, both
directions are closed formulas, and it is a projective map of (x, y, 1, r^2), so that a homography
takes it in without a division of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.arrays import F64, Ints

LEAST_DEPTH = 0.05  # of 1 - k r^2; points far outside the photo stop there


@dataclass(frozen=True, slots=True)
class Distortion:
    """How far a photo's lens bends.

    `k`       0 straight, 0.03 a good phone, 0.2 an action camera; above 0 barrel: lines bulge
              outwards
    `centre`  x, y of the axis in pixels of the photo
    `radius`  pixels, along x and y, at which r = 1: half the photo's diagonal. Two numbers, since a
              photo resized to whole pixels may be scaled a little more along one side
    """

    k: float
    centre: tuple[float, float]
    radius: tuple[float, float]

    @classmethod
    def of_photo(cls, k: float, width: int, height: int) -> Distortion:
        """The lens of a photo that was not cropped: its axis goes through the middle."""
        half = math.hypot(width, height) / 2
        return cls(k, ((width - 1) / 2, (height - 1) / 2), (half, half))

    def undistort(self, points: F64) -> F64:
        """Where a straight lens would show N x 2 pixels of the photo; the centre stays."""
        offset = points - np.asarray(self.centre)
        squared = ((offset / np.asarray(self.radius)) ** 2).sum(axis=1, keepdims=True)
        depth = np.maximum(1.0 - self.k * squared, LEAST_DEPTH)
        return np.asarray(self.centre + offset / depth, dtype=np.float64)

    def distort(self, points: F64) -> F64:
        """Pixels of the photo of N x 2 points of the straight lens: the inverse of `undistort`."""
        offset = points - np.asarray(self.centre)
        squared = ((offset / np.asarray(self.radius)) ** 2).sum(axis=1, keepdims=True)
        root = np.sqrt(np.maximum(1.0 + 4.0 * self.k * squared, 0.0))
        return np.asarray(self.centre + offset * (2.0 / (1.0 + root)), dtype=np.float64)

    def radius_of(self, points: F64) -> F64:
        """r (N) of N x 2 pixels of the photo: 0 in the middle, 1 in the corners."""
        offset = (points - np.asarray(self.centre)) / np.asarray(self.radius)
        return np.asarray(np.hypot(offset[:, 0], offset[:, 1]), dtype=np.float64)

    def transformed(self, S: F64) -> Distortion:
        """The same lens after the photo's pixels were scaled and shifted by `S` (3 x 3)."""
        (cx, cy), (rx, ry) = self.centre, self.radius
        return Distortion(
            self.k,
            (float(S[0, 0] * cx + S[0, 2]), float(S[1, 1] * cy + S[1, 2])),
            (float(S[0, 0] * rx), float(S[1, 1] * ry)),
        )

    def lift_row(self, row: F64) -> float:
        """What the lens adds to a row (3) of a map of straight pixels.

        `row . (x_u, y_u, 1)` is, but for the scale 1 - k r^2, `row . (x, y, 1) + lifted r^2` of the
        photo's (x, y).
        """
        return -self.k * float(row @ np.array([*self.centre, 1.0]))

    def squared_radius_parts(self, x: F64 | Ints, y: F64 | Ints) -> tuple[F64, F64]:
        """The parts of r^2 that the photo's columns `x` and rows `y` have: r^2 is their sum."""
        (cx, cy), (rx, ry) = self.centre, self.radius
        across, down = (x - cx) / rx, (y - cy) / ry
        return np.asarray(across**2, np.float64), np.asarray(down**2, np.float64)

    def local_homography(self, point: F64) -> F64:
        """The homography (3 x 3) that is tangent to `undistort` at `point`."""
        offset = (point - np.asarray(self.centre)) / np.asarray(self.radius)
        squared, slope = float((offset**2).sum()), 2 * offset / np.asarray(self.radius)
        # (x, y, 1) - k r^2 (cx, cy, 1), with r^2 = squared + slope . (p - point)
        plain = np.array([*slope, squared - float(slope @ point)])
        return np.asarray(np.eye(3) - self.k * np.outer([*self.centre, 1.0], plain), np.float64)

    def as_json(self) -> dict[str, object]:
        """Plain numbers; `from_json` reads them back."""
        return {"k": self.k, "centre": list(self.centre), "radius": list(self.radius)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Distortion:
        """What `as_json` wrote."""
        (cx, cy), (rx, ry) = stored["centre"], stored["radius"]
        return cls(stored["k"], (cx, cy), (rx, ry))
