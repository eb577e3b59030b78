"""The wall's plane from the photo alone.

The room's frame and the camera come from all line segments (`vanishing_points`). Which of its two
horizontal directions the wall runs along is decided by the wall's own edges: against the ceiling,
the floor and the corners, and those of the pictures and doors in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from rendering.arrays import F64, U8, Bool, check_mask, check_picture, u8
from rendering.errors import QuadError
from rendering.geometry.lens_calibration import fit_with_distortion
from rendering.geometry.line_segments import LINE_SIDE, Segments, detect, from_ends
from rendering.geometry.metric_scale import metric_quad
from rendering.geometry.plane import WallPlane, Wing, plane_from_quad, project
from rendering.geometry.room_corners import WallChain, azimuths, unroll_walls
from rendering.geometry.vanishing_points import Camera, refine, sines, tolerance, weights
from rendering.mask_box import bounding_box

MAX_DEPTH_RATIO = 12.0  # a wall seen more obliquely than this is a wrong estimate, not a wall
OVERLAP_WEIGHT = (
    4.0  # how much more a wall's own edge says about its direction than any other segment
)
FREE_YAW_GAIN = 1.6  # a wall leaves the room's frame only when its own edges insist this much


def estimate_plane(photo: U8, mask: U8, *, focal_px: float | None = None) -> WallPlane:
    """The plane of the wall that `mask` covers.

    `photo` uint8 H x W x 3 RGB, `mask` uint8 H x W; `focal_px`: focal length in pixels of the photo
    when the file told it. The quad is the bounding rectangle of the mask on the plane; its metric
    size follows `rendering.geometry.metric_scale`. When the lines say nothing, the plane is frontal
    with a low confidence. Deterministic.

    Raises:
        NothingSelectedError: the mask is empty.
        ImageError: an array has the wrong shape or type.
    """
    check_picture(photo, "photo")
    check_mask(mask, photo)
    bounding_box(mask)
    longest = max(photo.shape[:2])
    factor = min(1.0, LINE_SIDE / longest)
    if factor < 1.0:
        size = (max(1, round(photo.shape[1] * factor)), max(1, round(photo.shape[0] * factor)))
        photo = u8(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
        small = u8(cv2.resize(mask, size, interpolation=cv2.INTER_AREA))
        mask = small if (small > 127).any() else u8((small >= small.max()) * np.uint8(255))
    wall = mask > 127 if (mask > 127).any() else mask > 0
    focal = focal_px * factor if focal_px and math.isfinite(focal_px) and focal_px > 0 else None
    if focal is not None and not 0.3 * max(wall.shape) <= focal <= 4 * max(wall.shape):
        focal = None
    hypothesis = _best_hypothesis(photo, wall, focal)
    plane = None
    if hypothesis is not None:
        plane = (
            _plane(hypothesis, wall)
            if hypothesis.chain is None
            else _plane_with_wings(hypothesis, hypothesis.chain, wall)
        )
    if plane is None:
        plane = _frontal(wall)
    return plane.scaled(longest / max(wall.shape))


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    camera: Camera
    confidence: float
    chain: WallChain | None = None


def _best_hypothesis(photo: U8, wall: Bool, focal: float | None) -> _Hypothesis | None:
    seen = detect(photo)
    outline = outline_segments(wall)
    both = _join(seen, outline)
    if len(both) < 6:
        return None
    size = (wall.shape[1], wall.shape[0])
    overlap = outline_overlap(both, wall)
    camera, both = fit_with_distortion(both, size, focal)
    hull = homogeneous_hull(wall, camera)
    chain = unroll_walls(photo, wall, both, overlap, camera)
    if chain is not None:
        return _Hypothesis(chain.camera, _confidence(both, overlap, chain.camera), chain)
    faced = _wall_facing_camera(both, overlap, camera, hull)
    if faced is None:
        return None
    longest = float(max(size))
    better = refine(both, faced, longest, focal, 1.0 + OVERLAP_WEIGHT * overlap)
    if not visible(better, hull):
        better = faced
    return _Hypothesis(better, _confidence(both, overlap, better))


def outline_segments(wall: Bool) -> Segments:
    """Straight stretches of the mask's outline, the photo's border left out."""
    height, width = wall.shape
    longest = max(height, width)
    contours, _ = cv2.findContours(wall.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    ends = []
    for contour in contours:
        if len(contour) < 0.1 * longest:
            continue
        corners = cv2.approxPolyDP(contour, 0.004 * longest, True)[:, 0, :]
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            x, y = (np.abs(np.stack([a, b])[:, k]) for k in (0, 1))
            at_side = (x <= 1).all() or (x >= width - 2).all()
            at_end = (y <= 1).all() or (y >= height - 2).all()
            if not at_side and not at_end:
                ends.append([*a, *b])
    found = np.array(ends, dtype=np.float64).reshape(-1, 4)
    return from_ends(found, 0.06 * longest)


def outline_overlap(segments: Segments, wall: Bool) -> F64:
    """0..1 per segment: how much of it runs along the wall's outline, ceiling side first."""
    height, width = wall.shape
    reach = max(2.0, 0.006 * max(height, width))
    inside = cv2.distanceTransform(wall.astype(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~wall).astype(np.uint8), cv2.DIST_L2, 3)
    edge = np.where(wall, inside, outside) <= reach
    t = np.linspace(0.05, 0.95, 9)
    overlap = np.zeros(len(segments))
    for i, (x0, y0, x1, y1) in enumerate(segments.ends):
        x = np.clip(np.round(x0 + (x1 - x0) * t).astype(int), 0, width - 1)
        y = np.clip(np.round(y0 + (y1 - y0) * t).astype(int), 0, height - 1)
        along = float(edge[y, x].mean())
        below = wall[np.clip(y + round(2 * reach), 0, height - 1), x].mean()
        above = wall[np.clip(y - round(2 * reach), 0, height - 1), x].mean()
        # Wall below and none above is the ceiling's edge or a picture's lower one; the other way
        # round it is as often furniture that stands in front at any angle.
        overlap[i] = along * (1.0 if below > above else 0.5)
    return overlap


def homogeneous_hull(wall: Bool, camera: Camera) -> F64:
    """Corners of the wall's hull and its middle last, N x 3 homogeneous undistorted pixels."""
    ys, xs = np.nonzero(wall)
    contours, _ = cv2.findContours(
        wall.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    corners = cv2.convexHull(np.concatenate(contours))[:, 0, :]
    points = camera.undistort(np.vstack([corners, [[xs.mean(), ys.mean()]]]).astype(np.float64))
    return np.column_stack([points, np.ones(len(points))])


def visible(camera: Camera, hull: F64) -> bool:
    """Whether the plane faces the camera and its horizon stays clear of the wall's pixels."""
    normal = camera.R[:, 2] @ np.linalg.inv(camera.K)
    # normal . ray is linear in the pixel and proportional to 1 / depth; negative, it says that the
    # camera would see the wall's back.
    near = hull @ normal
    return bool(near.min() > 0 and near.max() <= MAX_DEPTH_RATIO * near.min())


def _wall_facing_camera(segments: Segments, overlap: F64, room: Camera, hull: F64) -> Camera | None:
    """The wall's yaw: one of the room's two, or, when its own edges insist, its own."""
    tol = tolerance(segments, math.radians(0.8))
    factors = overlap * weights(segments)
    e_down = np.abs(sines(segments, (room.K @ room.R)[:, 1:2]))[:, 0] / tol
    factors = factors * (1.0 - np.exp(-0.5 * e_down**2))

    def support(yaw: float) -> float:
        camera = replace(room, yaw=yaw)
        e = sines(segments, (camera.K @ camera.R)[:, :1])[:, 0] / tol
        return float((factors * np.exp(-0.5 * e**2)).sum())

    def allowed(yaw: float) -> bool:
        return visible(replace(room, yaw=yaw), hull)

    framed = [room.yaw + k * math.pi / 2 for k in (-1, 0, 1)]
    framed = [y for y in framed if abs(y) < math.radians(88) and allowed(y)]
    free = [y for y in np.radians(np.arange(-84, 84.1, 1.0)).tolist() if allowed(y)]
    if not free and not framed:
        return None
    best = max(framed, key=support) if framed else None
    loose = max(free, key=support) if free else None
    if best is None or (loose is not None and support(loose) > FREE_YAW_GAIN * support(best)):
        best = loose
    return replace(room, yaw=best) if best is not None else None


def _confidence(segments: Segments, overlap: F64, camera: Camera) -> float:
    """0..1: how much of the room, and of the wall's own edges, the plane explains."""
    tol = tolerance(segments, math.radians(0.6))[:, None]
    fits = np.exp(-0.5 * (sines(segments, camera.K @ camera.R) / tol) ** 2)
    w = weights(segments)
    room = float((w * fits.max(axis=1)).sum() / w.sum())
    mine = w * overlap
    wall = float((mine * fits[:, :2].max(axis=1)).sum() / max(mine.sum(), 1e-9))
    across = float((mine * fits[:, 0]).sum() / (0.15 * max(2 * camera.cx, 2 * camera.cy)))
    return float(np.clip(0.3 * room + 0.3 * wall + 0.4 * min(1.0, across), 0.05, 0.98))


def _plane(hypothesis: _Hypothesis, wall: Bool) -> WallPlane | None:
    camera = hypothesis.camera
    ys, xs = np.nonzero(wall)
    middle = camera.undistort(np.array([[xs.mean(), ys.mean()]]))[0]
    ray = np.linalg.inv(camera.K) @ np.array([*middle, 1.0])
    R = camera.R
    H = camera.K @ np.column_stack([R[:, 0], R[:, 1], ray])
    quad, size = metric_quad(H / H[2, 2], wall, camera)
    if not np.isfinite(quad).all():
        return None
    try:
        plane = plane_from_quad(quad, size)
    except QuadError:  # a sliver of mask: no rectangle to speak of
        return None
    return WallPlane(
        plane.H,
        camera.distort(plane.quad),
        plane.size_m,
        hypothesis.confidence,
        "estimated",
        distortion=camera.distortion,
    )


def _plane_with_wings(hypothesis: _Hypothesis, chain: WallChain, wall: Bool) -> WallPlane | None:
    """The main wall's plane with the walls round its corners."""
    camera = hypothesis.camera
    ys, xs = np.nonzero(wall)
    azimuth = azimuths(camera, np.column_stack([xs, ys]).astype(np.float64))
    main = chain.pieces[chain.main]
    here = (azimuth >= main.start) & (azimuth <= main.end)
    front = np.zeros_like(wall)
    front[ys[here], xs[here]] = True
    plane = _plane(replace(hypothesis, chain=None), front)
    if plane is None:
        return None
    # The main wall's metres in the chain's unit.
    A = camera.K @ camera.R
    units = np.linalg.inv(A) @ plane.H
    units /= units[2, 2]
    wings = []
    down = A @ np.array([0.0, 1.0, 0.0])
    order = [*range(chain.main + 1, len(chain.pieces)), *range(chain.main - 1, -1, -1)]
    for i in order:
        piece = chain.pieces[i]
        corner = piece.start if i > chain.main else piece.end
        H = piece.H @ units
        at = A @ np.array([math.sin(corner), 0.0, math.cos(corner)])
        inner = A @ np.array([math.sin(corner - 0.1), 0.0, math.cos(corner - 0.1)])
        side = np.cross(at, down)
        side *= np.sign((side @ inner) * inner[2]) * (-1.0 if i > chain.main else 1.0)
        side /= np.hypot(side[0], side[1])
        seam = project(np.asarray(np.linalg.inv(H), np.float64), (at[:2] / at[2])[None])[0, 0]
        wings.append(Wing(H / H[2, 2], side, float(seam)))
    wide = replace(plane, wings=tuple(wings))
    reach = wide.locate(np.column_stack([xs, ys]).astype(np.float64))[:, 0]
    return replace(wide, span_m=(float(reach.min()), float(reach.max())))


def _frontal(wall: Bool) -> WallPlane:
    x0, y0, x1, y1 = bounding_box(wall.astype(np.uint8))
    quad = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float64) - 0.5
    height = 2.5
    plane = plane_from_quad(quad, (min(1000.0, height * (x1 - x0) / (y1 - y0)), height))
    return WallPlane(plane.H, plane.quad, plane.size_m, 0.1, "frontal")


def _join(a: Segments, b: Segments) -> Segments:
    return from_ends(np.concatenate([a.ends, b.ends]), 0.0)
