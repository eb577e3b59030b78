"""Metres on a wall nobody measured.

Defaults, always correctable: a room is 2.5 m high and the camera was held 1.45 m above the floor
(chest to eye height). The horizon crosses every upright wall at the camera's height, so a wall of
which only the floor or only the ceiling is in the picture still has a scale.
"""

from __future__ import annotations

import numpy as np

from rendering.arrays import F64, Bool
from rendering.geometry.plane import project
from rendering.geometry.vanishing_points import Camera

CEILING_M = 2.5
CAMERA_M = 1.45
LOWEST_CAMERA_M, HIGHEST_CAMERA_M = 0.9, 1.75
MIN_HEIGHT_M, MAX_HEIGHT_M = 0.3, 6.0


def metric_quad(H: F64, wall: Bool, camera: Camera) -> tuple[F64, tuple[float, float]]:
    """Bounding rectangle of `wall` on the plane: its pixels (4 x 2, TL first) and metres.

    `H`: plane coordinates of any unit and origin (x right, y down) to pixels. It and the rectangle
    are in the straight lens's pixels, `wall` in the photo's (`Camera.distortion`).
    """
    back = np.asarray(np.linalg.inv(H), dtype=np.float64)
    ys, xs = np.nonzero(wall)
    seen = camera.undistort(np.column_stack([xs, ys]).astype(np.float64))
    points = project(back, seen)
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    # A pixel is a square, not a point.
    beside = camera.undistort(np.array([[xs.mean() + 1, ys.mean()]]))
    grow = 0.5 * np.hypot(*(project(back, beside) - 0).ravel())
    grow = min(float(grow), 0.25 * max(x1 - x0, y1 - y0))
    x0, y0, x1, y1 = x0 - grow, y0 - grow, x1 + grow, y1 + grow
    quad = project(H, np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]))
    unit = _metres_per_unit(points, (y0, y1), wall, back, camera)
    height = float(np.clip((y1 - y0) * unit, MIN_HEIGHT_M, MAX_HEIGHT_M))
    width = float(np.clip((x1 - x0) * height / (y1 - y0), 0.01, 1000.0))
    return quad, (width, height)


def _metres_per_unit(
    points: F64, span: tuple[float, float], wall: Bool, back: F64, camera: Camera
) -> float:
    top, bottom = span
    ceiling, floor = ends_seen(wall)
    eye = _horizon(points, back, camera)
    # The floor lies no higher than the wall's lowest visible point: often far below it, behind a
    # bed or a sofa. So none of these can be exceeded, wherever between knee and eyes the camera
    # was.
    bounds = [CEILING_M / (bottom - top)]
    if bottom > eye:
        bounds.append(HIGHEST_CAMERA_M / (bottom - eye))
    if eye > top:
        bounds.append((CEILING_M - LOWEST_CAMERA_M) / (eye - top))
    if floor and not ceiling and eye < bottom - 0.2 * (bottom - top):
        bounds.append(CAMERA_M / (bottom - eye))
    if ceiling and not floor and eye > top + 0.2 * (bottom - top):
        bounds.append((CEILING_M - CAMERA_M) / (eye - top))
    return min(bounds)


def ends_seen(wall: Bool) -> tuple[bool, bool]:
    """Whether the wall's top and its bottom are in the picture: few of its columns run out of it.

    A wall cut by the photo's border over more than a third of its width there is not seen whole.
    """
    columns = max(1, int(wall.any(axis=0).sum()))
    edge = max(1, round(0.004 * wall.shape[0]))
    return (
        bool(wall[:edge].any(axis=0).sum() < columns / 3),
        bool(wall[-edge:].any(axis=0).sum() < columns / 3),
    )


def _horizon(points: F64, back: F64, camera: Camera) -> float:
    """Plane y of the horizon (where level rays meet the wall)."""
    inward = (
        camera.K @ camera.R[:, 2]
    )  # image of the direction into the wall, horizontal by construction
    if abs(inward[2]) < 1e-9:
        return float(points[:, 1].mean())
    return float(project(back, (inward[:2] / inward[2])[None])[0, 1])
