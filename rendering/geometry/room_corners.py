"""Where a wall turns a corner of the room.

A mask often covers several walls. In a room that is a box (`vanishing_points`) each of them runs
along one of two horizontal directions, so the walls form a chain: seen from the camera, its pieces
follow each other in azimuth, each along the room's x or its z, and a corner is an upright line at
which the direction changes. The labels of the azimuths are the cheapest path (Viterbi, 1967)
between the evidence of the segments on the wall and on its outline and a price for every corner
(compare Delage, Lee & Ng, A dynamic Bayesian network for autonomous 3D reconstruction, 2006).
Unrolled, the chain has one system of wall coordinates, in which the paper continues round its
corners.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, Bool, f32
from rendering.geometry.line_segments import Segments
from rendering.geometry.vanishing_points import Camera, sines, tolerance

BINS = 240
CORNER_COST = 0.05
LEAST_SHARE = 0.04  # of the wall's pixels, for a piece of its own
OBLIQUE = math.radians(7)  # a wall along the line of sight is seen as a line
WIDEST = math.radians(82)  # beyond it, a wall across the line of sight


@dataclass(frozen=True, slots=True)
class WallPiece:
    """One wall of the chain, azimuths `start` .. `end` (radians, to the right positive).

    Room coordinates are x right, y down, z deep, the main wall at z = 1; `H` (3 x 3) maps unrolled
    wall coordinates (s, y) in the same unit to photo pixels, the straight lens's where the photo's
    bends.
    """

    start: float
    end: float
    H: F64


@dataclass(frozen=True, slots=True)
class WallChain:
    """The pieces from left to right, the index of the main one, and the camera facing that one."""

    pieces: tuple[WallPiece, ...]
    main: int
    camera: Camera


def unroll_walls(
    photo: U8, wall: Bool, segments: Segments, overlap: F64, camera: Camera
) -> WallChain | None:
    """The pieces of a wall that spans corners; None when it is one wall.

    `photo` uint8 RGB and `wall` bool, same size; `overlap` as `plane_estimation.outline_overlap`
    gives it; `camera`: the room's, its yaw within 45 degrees.
    """
    runs = _runs(wall, segments, overlap, camera)
    if len(runs) < 2:
        return None
    grey = f32(np.log(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) + 4.0))
    cuts = [_sharpest_corner(grey, wall, camera, a.free[1], b.free[0]) for a, b in _pairs(runs)]
    azimuth = np.sort(azimuths(camera, _pixels(wall)))
    at = np.searchsorted(azimuth, cuts)
    sizes = np.diff([0, *at, len(azimuth)])
    main = int(np.argmax(sizes))
    edges = [float(azimuth[0]), *cuts, float(azimuth[-1])]
    turn = 0.0
    if not runs[main].across:
        # Face it: the room's frame a quarter turn on.
        turn = math.copysign(math.pi / 2, edges[main] + edges[main + 1])
    facing = replace(camera, yaw=camera.yaw + turn)
    turned = [e - turn for e in edges]
    if max(abs(turned[main]), abs(turned[main + 1])) > math.radians(86):
        return None
    return WallChain(_chain_homographies(facing, turned, main), main, facing)


def azimuths(camera: Camera, points: F64) -> F64:
    """Azimuth (radians) in the camera's room frame of N x 2 pixels of the photo."""
    rays = _rays(camera, points)
    return np.asarray(np.arctan2(rays[:, 0], rays[:, 2]), dtype=np.float64)


def _rays(camera: Camera, points: F64) -> F64:
    """N x 3 directions in the room's frame of N x 2 pixels of the photo."""
    seen = np.column_stack([camera.undistort(points), np.ones(len(points))])
    return np.asarray(seen @ np.linalg.inv(camera.K).T @ camera.R, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring azimuths along one direction; `free`: where its evidence begins and ends."""

    across: bool
    free: tuple[float, float]


def _pairs(runs: list[_Run]) -> list[tuple[_Run, _Run]]:
    return list(itertools.pairwise(runs))


def _pixels(wall: Bool) -> F64:
    ys, xs = np.nonzero(wall)
    step = max(1, len(xs) // 40000)
    return np.column_stack([xs[::step], ys[::step]]).astype(np.float64)


def _runs(wall: Bool, segments: Segments, overlap: F64, camera: Camera) -> list[_Run]:
    azimuth = azimuths(camera, _pixels(wall))
    edges = np.linspace(azimuth.min() - 1e-6, azimuth.max() + 1e-6, BINS + 1)
    share = np.histogram(azimuth, edges)[0] / len(azimuth)
    evidence = _evidence(wall, segments, overlap, camera, edges)
    middle = (edges[:-1] + edges[1:]) / 2
    while True:
        labels = _cheapest_path(evidence, middle)
        cuts = np.flatnonzero(np.diff(labels)) + 1
        spans = list(zip([0, *cuts], [*cuts, BINS], strict=True))
        small = [(a, b) for a, b in spans if share[a:b].sum() < LEAST_SHARE]
        if not small or len(spans) == 1:
            break
        # Too small to be a wall: its evidence is furniture's. The rest decides anew.
        a, b = min(small, key=lambda s: share[s[0] : s[1]].sum())
        if not evidence[a:b].any():
            return []
        evidence[a:b] = 0.0
    runs = []
    for a, b in spans:
        sign = 1.0 if labels[a] else -1.0
        told = np.flatnonzero(sign * evidence[a:b] > 0.1 * CORNER_COST * (edges[1] - edges[0]))
        if len(told) == 0:
            return []
        runs.append(
            _Run(bool(labels[a]), (float(edges[a + told[0]]), float(edges[a + told[-1] + 1])))
        )
    return runs


def _evidence(wall: Bool, segments: Segments, overlap: F64, camera: Camera, edges: F64) -> F64:
    """Per azimuth: length of the segments across (positive) less that of those along the sight."""
    inside = _inside(wall, segments)
    factors = np.maximum(overlap, 0.6 * inside)
    tol = tolerance(segments, math.radians(0.9))[:, None]
    fits = np.exp(-0.5 * (sines(segments, camera.K @ camera.R) / tol) ** 2)
    lead = (fits[:, 0] - fits[:, 2]) * (1.0 - fits[:, 1]) * factors
    ends = segments.ends.reshape(-1, 2)
    a = azimuths(camera, ends).reshape(-1, 2)
    low, high = a.min(axis=1), a.max(axis=1)
    total = np.zeros(len(edges) - 1)
    amount = lead * segments.length / max(wall.shape)
    for k in np.flatnonzero(np.abs(amount) > 1e-4):
        cover = np.clip(np.minimum(edges[1:], high[k]) - np.maximum(edges[:-1], low[k]), 0, None)
        if cover.sum() > 0:
            total += amount[k] * cover / max(high[k] - low[k], 1e-9)
    return np.asarray(total, dtype=np.float64)


def _inside(wall: Bool, segments: Segments) -> F64:
    t = np.linspace(0.05, 0.95, 7)
    x = np.round(segments.ends[:, :1] * (1 - t) + segments.ends[:, 2:3] * t).astype(int)
    y = np.round(segments.ends[:, 1:2] * (1 - t) + segments.ends[:, 3:] * t).astype(int)
    height, width = wall.shape
    hit = wall[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    return np.asarray(hit.mean(axis=1), dtype=np.float64)


def _cheapest_path(evidence: F64, azimuth: F64) -> Bool:
    """Labels, True across: the path of least cost."""
    cost = np.stack([np.maximum(evidence, 0.0), np.maximum(-evidence, 0.0)], axis=1)
    cost[np.abs(azimuth) < OBLIQUE, 0] = 1e3
    cost[np.abs(azimuth) > WIDEST, 1] = 1e3
    best = cost[0].copy()
    came = np.zeros(cost.shape, dtype=np.int64)
    for i in range(1, len(cost)):
        other = best[::-1] + CORNER_COST
        came[i] = np.where(other < best, [1, 0], [0, 1])
        best = np.minimum(best, other) + cost[i]
    labels = np.zeros(len(cost), dtype=np.bool_)
    state = int(np.argmin(best))
    for i in range(len(cost) - 1, -1, -1):
        labels[i] = bool(state)
        state = int(came[i, state])
    return labels


def _sharpest_corner(grey: F32, wall: Bool, camera: Camera, low: float, high: float) -> float:
    """The azimuth between two pieces' evidence where the wall's tone jumps most."""
    pad = math.radians(1.0)
    low, high = min(low, high) - pad, max(low, high) + pad
    rays = _rays(camera, _pixels(wall))
    slope = rays[:, 1] / np.hypot(rays[:, 0], rays[:, 2])
    lowest, highest = (float(v) for v in np.quantile(slope, [0.01, 0.99]))
    slopes = np.linspace(lowest, highest, 80)
    step = 2.5 / camera.focal
    best, found = 0.02, (low + high) / 2
    for azimuth in np.arange(low, high, 0.5 / camera.focal):
        left, seen_left = _column(grey, wall, camera, azimuth - step, slopes)
        right, seen_right = _column(grey, wall, camera, azimuth + step, slopes)
        both = seen_left & seen_right
        if both.sum() >= 6:
            score = abs(float((left - right)[both].mean())) * math.sqrt(both.mean())
            if score > best:
                best, found = score, float(azimuth)
    return found


def _column(grey: F32, wall: Bool, camera: Camera, azimuth: float, slopes: F64) -> tuple[F64, Bool]:
    d = np.stack(
        [np.full_like(slopes, math.sin(azimuth)), slopes, np.full_like(slopes, math.cos(azimuth))]
    )
    p = camera.K @ camera.R @ d
    height, width = wall.shape
    shown = camera.distort(np.column_stack([p[k] / np.maximum(p[2], 1e-6) for k in (0, 1)]))
    x, y = (np.round(shown[:, k]).astype(int) for k in (0, 1))
    seen = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (p[2] > 1e-6)
    x, y = np.where(seen, x, 0), np.where(seen, y, 0)
    return np.asarray(grey[y, x], np.float64), np.asarray(seen & wall[y, x], np.bool_)


def _chain_homographies(camera: Camera, edges: list[float], main: int) -> tuple[WallPiece, ...]:
    """Homographies of all pieces; `edges` are the azimuths of their ends, `main` at z = 1."""
    pieces: dict[int, WallPiece] = {}
    A = camera.K @ camera.R
    pieces[main] = WallPiece(edges[main], edges[main + 1], A.copy())
    for step in (1, -1):
        across, x, z, s = True, 0.0, 1.0, 0.0
        index = main
        while 0 <= index + step < len(edges) - 1:
            corner = edges[index + 1] if step == 1 else edges[index]
            if across:
                s += z * math.tan(corner) - x
                x = z * math.tan(corner)
            else:
                deep = x / math.tan(corner)
                s += (deep - z) * -math.copysign(1.0, x)
                z = deep
            across = not across
            index += step
            pieces[index] = WallPiece(
                edges[index], edges[index + 1], _wall_homography(A, across=across, x=x, z=z, s=s)
            )
    return tuple(pieces[i] for i in range(len(edges) - 1))


def _wall_homography(A: F64, *, across: bool, x: float, z: float, s: float) -> F64:
    """Unrolled (s, y) to pixels for the wall through the corner (x, z), where the chain is at s.

    Along the sight, s to the right runs towards the camera on its right and away from it on its
    left: d z / d s = -sign(x).
    """
    if across:
        return np.asarray(A @ np.array([[1, 0, x - s], [0, 1, 0], [0, 0, z]], dtype=np.float64))
    toward = -math.copysign(1.0, x)
    return np.asarray(
        A @ np.array([[0, 0, x], [0, 1, 0], [toward, 0, z - toward * s]], dtype=np.float64)
    )
