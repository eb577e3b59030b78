"""A wall plane: the homography between wall metres and photo pixels.

Hartley & Zisserman, Multiple View Geometry, 2nd ed., chapters 2 and 8: the columns of `H` are the
images of the wall's x direction, its y direction and its origin, so the first two are the
vanishing points of the wall's horizontals and verticals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np

from rendering.arrays import F64
from rendering.errors import QuadError
from rendering.geometry.lens_distortion import Distortion

Source = Literal["quad", "estimated", "frontal"]

MAX_SIZE_M = 1000.0
# A corner whose sine of the turn is below this is a straight line for every practical purpose.
MIN_TURN = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Wing:
    """The wall beyond a corner of the room, unrolled into the wall's own metres.

    `H`       3 x 3 float64, as `WallPlane.H`: the x of the main wall runs on round the corner
    `side`    3 float64, the corner's line in the pixels of `H`: side . (x, y, 1) is the distance in
              pixels from it, positive on the wing's side
    `seam_m`  wall x of the corner, metres
    """

    H: F64
    side: F64
    seam_m: float

    def scaled(self, S: F64) -> Wing:
        """The same wing after the photo's pixels went through the 3 x 3 matrix `S`."""
        H, side = S @ self.H, np.linalg.inv(S).T @ self.side
        return Wing(H / H[2, 2], side / np.hypot(side[0], side[1]), self.seam_m)


@dataclass(frozen=True, slots=True, eq=False)
class WallPlane:
    """A plane of the photo.

    `H`           3 x 3 float64, wall metres (x right, y down, origin at the quad's top-left
                  corner) to photo pixels (pixel centres at integers), H[2, 2] = 1
    `quad`        4 x 2 float64 pixels of the photo, TL, TR, BR, BL: a true rectangle on the wall
    `size_m`      that rectangle's width and height in metres
    `confidence`  0..1, 1 for a plane a person drew
    `source`      "quad" (given), "estimated" (from the photo), "frontal" (nothing was seen)
    `wings`       where the mask goes on round corners: from each side outwards, the later ones
                  lying before the earlier where both claim a pixel; empty for one plane
    `span_m`      least and greatest wall x that the mask reaches, with the wings
    `distortion`  None, or the photo's lens bends: then `H` and the wings' lead to the pixels of a
                  straight lens, and from there `distort` leads to the photo's
    """

    H: F64
    quad: F64
    size_m: tuple[float, float]
    confidence: float = 1.0
    source: Source = "quad"
    wings: tuple[Wing, ...] = ()
    span_m: tuple[float, float] | None = None
    distortion: Distortion | None = None

    def undistort(self, points: F64) -> F64:
        """N x 2 pixels of the photo as a straight lens shows them."""
        return points if self.distortion is None else self.distortion.undistort(points)

    def distort(self, points: F64) -> F64:
        """Pixels of the photo of N x 2 points of the straight lens."""
        return points if self.distortion is None else self.distortion.distort(points)

    @property
    def extent_m(self) -> tuple[float, float]:
        """Least and greatest wall x, the wings' included."""
        return self.span_m or (0.0, self.size_m[0])

    @property
    def best_fit_H(self) -> F64:  # noqa: N802
        """The homography from wall metres to the photo's pixels: `H`, or the best fit to a bent
        one.

        Nearest over what the photo shows of the quad, by squared pixels.
        """
        if self.distortion is None:
            return self.H
        x, y = np.meshgrid(*(np.linspace(0.0, side, 17) for side in self.size_m))
        wall = np.column_stack([x.ravel(), y.ravel()])
        shown = self.distortion.distort(project(self.H, wall))
        inside = self.distortion.radius_of(shown) <= 1.0
        chosen = inside if inside.sum() >= 17 else np.ones_like(inside)
        found, _ = cv2.findHomography(wall[chosen], shown[chosen])
        return self.H if found is None else np.asarray(found / found[2, 2], dtype=np.float64)

    @property
    def vanishing_points(self) -> dict[str, F64]:
        """Homogeneous unit 3-vectors: images of the wall's vertical and horizontal direction."""
        H = self.best_fit_H
        return {
            "vertical": H[:, 1] / np.linalg.norm(H[:, 1]),
            "horizontal": H[:, 0] / np.linalg.norm(H[:, 0]),
        }

    def scaled(self, factor: float) -> WallPlane:
        """The same plane for the photo resized by `factor`.

        Pixel centres are at integers, so the edges of the photo lie at -0.5 and a pixel x goes to
        (x + 0.5) * factor - 0.5, as cv2.resize does.
        """
        shift = 0.5 * factor - 0.5
        return self.transformed(np.array([[factor, 0, shift], [0, factor, shift], [0, 0, 1.0]]))

    def transformed(self, S: F64) -> WallPlane:
        """The same plane after the photo's pixels went through the affine 3 x 3 matrix `S`."""
        H = S @ self.H
        wings = tuple(wing.scaled(S) for wing in self.wings)
        lens = self.distortion.transformed(S) if self.distortion else None
        quad = project(S, self.quad)
        return replace(self, H=H / H[2, 2], quad=quad, wings=wings, distortion=lens)

    def locate(self, points: F64) -> F64:
        """Wall metres (N x 2) of N x 2 pixels, round the corners where there are any."""
        points = self.undistort(points)
        found = project(np.asarray(np.linalg.inv(self.H), np.float64), points)
        for wing in self.wings:
            beyond = points @ wing.side[:2] + wing.side[2] > 0
            if beyond.any():
                back = np.asarray(np.linalg.inv(wing.H), np.float64)
                found[beyond] = project(back, points[beyond])
        return found

    def show(self, points: F64) -> F64:
        """Pixels (N x 2) of N x 2 wall metres, round the corners where there are any."""
        shown = project(self.H, points)
        for wing in self.wings:
            right = wing.seam_m > self.size_m[0] / 2
            beyond = points[:, 0] > wing.seam_m if right else points[:, 0] < wing.seam_m
            shown[beyond] = project(wing.H, points[beyond])
        return self.distort(shown)

    def as_json(self) -> dict[str, object]:
        """The plane as plain lists and numbers; `from_json` reads it back.

        `H` is `best_fit_H`: whoever knows nothing of lenses is right with it to a few pixels.
        `distortion` has the exact one.
        """
        points = self.vanishing_points
        lens = self.distortion
        return {
            "quad": [[round(float(v), 3) for v in corner] for corner in self.quad],
            "size_m": [round(float(v), 5) for v in self.size_m],
            "H": [[float(v) for v in row] for row in self.best_fit_H],
            "vanishing_points": {k: [float(v) for v in points[k]] for k in points},
            "confidence": round(float(self.confidence), 4),
            "source": self.source,
            "wings": [
                {"H": w.H.tolist(), "side": w.side.tolist(), "seam_m": w.seam_m} for w in self.wings
            ],
            "span_m": list(self.extent_m),
            "distortion": {**lens.as_json(), "H": self.H.tolist()} if lens else None,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> WallPlane:
        """The plane that `as_json` wrote, exact in H; wings and lens may be absent."""
        span, lens = stored.get("span_m"), stored.get("distortion")
        width, height = stored["size_m"]
        return cls(
            H=np.array((lens or stored)["H"], np.float64),
            quad=np.array(stored["quad"], np.float64),
            size_m=(width, height),
            confidence=stored["confidence"],
            source=stored["source"],
            wings=tuple(
                Wing(np.array(w["H"], np.float64), np.array(w["side"], np.float64), w["seam_m"])
                for w in stored.get("wings", [])
            ),
            span_m=(span[0], span[1]) if span else None,
            distortion=Distortion.from_json(lens) if lens else None,
        )


def plane_from_quad(
    quad: Sequence[Sequence[float]] | F64, size_m: Sequence[float], *, confidence: float = 1.0
) -> WallPlane:
    """The plane of a rectangle of `size_m` (width, height) metres seen at `quad`.

    `quad`: 4 x 2 pixels, TL, TR, BR, BL.

    Raises:
        QuadError: the corners cross, lie on a line, turn inwards or run anticlockwise, or a size
            is not a positive number of metres.
    """
    corners = np.asarray(quad, dtype=np.float64)
    check_quad(corners)
    width, height = _checked_size(size_m)
    wall = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    H = homography(wall, corners)
    return WallPlane(H, corners.copy(), (width, height), confidence, "quad")


def homography(source: F64, target: F64) -> F64:
    """Exact homography (3 x 3, H[2, 2] = 1) of four points (4 x 2) to four points.

    Solved on centred and scaled points (Hartley, In defence of the eight-point algorithm, 1997):
    thousands of pixels beside a handful of metres would cost digits otherwise.
    """
    T0, T1 = _normaliser(source), _normaliser(target)
    a, b = _map(T0, source), _map(T1, target)
    rows = []
    for (x, y), (u, v) in zip(a, b, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
    H = np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3)
    full = np.asarray(np.linalg.inv(T1) @ H @ T0, dtype=np.float64)
    if not np.isfinite(full).all() or abs(full[2, 2]) < 1e-12:
        raise QuadError("These four corners do not describe a wall. Move them apart.")
    return np.asarray(full / full[2, 2], dtype=np.float64)


def project(H: F64, points: F64) -> F64:
    """Points (N x 2) through the homography `H`; N x 2."""
    return _map(H, np.asarray(points, dtype=np.float64))


def check_quad(corners: F64) -> None:
    """Refuse corners that are no convex, clockwise (TL, TR, BR, BL) quadrilateral.

    Raises:
        QuadError: with a sentence that says what is wrong.
    """
    if corners.shape != (4, 2) or not np.isfinite(corners).all():
        raise QuadError("Give four corners, each as two numbers x,y in pixels.")
    if np.abs(corners).max() > 1e7:
        raise QuadError("A corner lies far outside the photo.")
    edges = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    if lengths.min() < 1e-3:
        raise QuadError("Two corners coincide. Place the four corners apart.")
    after = np.roll(edges, -1, axis=0)
    cross = edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0]
    sines = cross / (lengths * np.roll(lengths, -1))
    if np.abs(sines).min() < MIN_TURN:
        raise QuadError("Three corners lie on one line. Place them at the corners of a rectangle.")
    if (sines > 0).all():
        return
    if (sines < 0).all():
        raise QuadError(
            "The corners run the wrong way round: top left, top right, bottom right, bottom left."
        )
    if (sines > 0).sum() == 2:
        raise QuadError(
            "The edges cross. Order the corners: top left, top right, bottom right, bottom left."
        )
    raise QuadError("One corner turns inwards. A wall seen in a photo has four outward corners.")


def _checked_size(size_m: Sequence[float]) -> tuple[float, float]:
    values = [float(v) for v in size_m]
    if len(values) != 2 or not all(math.isfinite(v) and 0 < v <= MAX_SIZE_M for v in values):
        raise QuadError("The rectangle's width and height must be positive numbers of metres.")
    return values[0], values[1]


def _normaliser(points: F64) -> F64:
    centre = points.mean(axis=0)
    spread = np.sqrt(((points - centre) ** 2).sum(axis=1).mean()) or 1.0
    s = math.sqrt(2.0) / spread
    return np.array([[s, 0, -s * centre[0]], [0, s, -s * centre[1]], [0, 0, 1.0]])


def _map(H: F64, points: F64) -> F64:
    q = points @ H[:, :2].T + H[:, 2]
    # A point on the horizon goes very far away instead of dividing by zero.
    w = np.where(np.abs(q[:, 2:]) < 1e-12, 1e-12, q[:, 2:])
    return np.asarray(q[:, :2] / w, dtype=np.float64)
