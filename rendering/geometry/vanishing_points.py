"""The camera's attitude and focal length from a room's line segments.

Rooms are boxes: most long edges point at one of three orthogonal vanishing points (Coughlan &
Yuille, Manhattan world, 1999). The frame and the focal length are fitted together to the segments'
directions: a coarse search, then iteratively reweighted Gauss-Newton (expectation-maximisation over
which direction each segment belongs to; Kosecka & Zhang, Video compass, 2002).

Camera coordinates: x right, y down, z forward; the principal point is the picture's middle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rendering.arrays import F64
from rendering.geometry.lens_distortion import Distortion
from rendering.geometry.line_segments import Segments

# Focal length over the longest side: 0.68 is a 24 mm lens on full frame, as phones (24..28 mm) and
# interior photographers (16..35 mm) use. The spread is in natural logarithms.
FOCAL_PRIOR, FOCAL_SPREAD = 0.68, 0.22
FOCAL_STARTS = (0.5, 0.62, 0.76, 0.95, 1.25)  # of the longest side
PITCH_SPREAD, ROLL_SPREAD = math.radians(9), math.radians(2.5)
END_NOISE = 0.6  # pixels: how well an end of a segment is known across it


@dataclass(frozen=True, slots=True)
class Camera:
    """Attitude (radians) and focal length (pixels) with principal point (cx, cy).

    `yaw` turns one horizontal direction of the room against the picture's x axis, -45..45 degrees
    for the room's frame, any value for a wall's. `K` and `R` speak of a straight lens's pixels;
    `distortion` leads there from the photo's (None: they are the same).
    """

    focal: float
    pitch: float
    roll: float
    yaw: float
    cx: float
    cy: float
    distortion: Distortion | None = None

    def undistort(self, points: F64) -> F64:
        """N x 2 pixels of the photo as a straight lens shows them."""
        return points if self.distortion is None else self.distortion.undistort(points)

    def distort(self, points: F64) -> F64:
        """Pixels of the photo of N x 2 points of the straight lens."""
        return points if self.distortion is None else self.distortion.distort(points)

    @property
    def K(self) -> F64:  # noqa: N802
        """3 x 3 intrinsic matrix."""
        return np.array([[self.focal, 0, self.cx], [0, self.focal, self.cy], [0, 0, 1.0]])

    @property
    def R(self) -> F64:  # noqa: N802
        """3 x 3; columns: the room's horizontal, down and depth directions in camera axes."""
        return rotation(self.pitch, self.roll, self.yaw)


def rotation(pitch: float, roll: float, yaw: float) -> F64:
    """Roll about z after pitch about x after yaw about y."""
    c, s = math.cos(yaw), math.sin(yaw)
    Y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = math.cos(pitch), math.sin(pitch)
    X = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    c, s = math.cos(roll), math.sin(roll)
    Z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    return np.asarray(Z @ X @ Y, dtype=np.float64)


def sines(segments: Segments, points: F64) -> F64:
    """Sine of the angle between each segment and the line from its middle to each point.

    `points`: 3 x M homogeneous; returns N x M, signed.
    """
    mx, my = segments.middle[:, :1], segments.middle[:, 1:]
    # direction from the middle to the point, homogeneous: v_xy - v_w * m
    tx = points[0][None, :] - points[2][None, :] * mx
    ty = points[1][None, :] - points[2][None, :] * my
    norm = np.maximum(np.hypot(tx, ty), 1e-9)
    dx, dy = segments.direction[:, :1], segments.direction[:, 1:]
    return np.asarray((dx * ty - dy * tx) / norm, dtype=np.float64)


def tolerance(segments: Segments, angle: float) -> F64:
    """Standard deviation of each segment's sine: model angle (radians) and end-point noise."""
    return np.sqrt(angle**2 + (END_NOISE / segments.length) ** 2)


def weights(segments: Segments) -> F64:
    """Each segment's say: its length, the longest ones capped so that none decides alone."""
    cap = np.quantile(segments.length, 0.97) if len(segments) else 1.0
    return np.minimum(segments.length, cap)


def prior(camera: Camera, longest: float, focal: float | None) -> float:
    """Log prior of a camera, in units of segments' squared deviations."""
    spread = 0.02 if focal else FOCAL_SPREAD
    centre = focal if focal else FOCAL_PRIOR * longest
    return -0.5 * (
        (math.log(camera.focal / centre) / spread) ** 2
        + (camera.pitch / PITCH_SPREAD) ** 2
        + (camera.roll / ROLL_SPREAD) ** 2
    )


def score(segments: Segments, camera: Camera, angle: float) -> float:
    """Weighted share (0..1) of the segments that point at one of the camera's three directions."""
    e = sines(segments, camera.K @ camera.R) / tolerance(segments, angle)[:, None]
    w = weights(segments)
    return float((w * np.exp(-0.5 * (e**2).min(axis=1))).sum() / max(w.sum(), 1e-9))


def fit(
    segments: Segments,
    size: tuple[int, int],
    focal: float | None = None,
    starts: tuple[float, ...] = FOCAL_STARTS,
) -> Camera:
    """The camera of a photo of `size` (width, height) from its segments.

    `focal`: pixels, when it is known; else it is sought from `starts`, in longest sides. With no
    segments: the prior's camera, looking level.
    """
    longest = float(max(size))
    start = Camera(focal or FOCAL_PRIOR * longest, 0, 0, 0, (size[0] - 1) / 2, (size[1] - 1) / 2)
    if len(segments) < 4:
        return start
    best: list[tuple[float, Camera]] = []
    for f in [focal] if focal else [r * longest for r in starts]:
        levelled = _fit_pitch_and_roll(segments, replace(start, focal=float(f)), longest, focal)
        for yaw in _yaws(segments, levelled):
            camera = refine(segments, replace(levelled, yaw=yaw), longest, focal)
            best.append((objective(segments, camera, longest, focal), camera))
    top = max(best, key=lambda pair: pair[0])[1]
    turned = (top.yaw + math.pi / 4) % (math.pi / 2) - math.pi / 4
    return replace(top, yaw=turned)


def objective(segments: Segments, camera: Camera, longest: float, focal: float | None) -> float:
    """What `fit` maximises: the segments explained and how usual the camera is."""
    # A prior's deviation of one sigma weighs as much as 1.5 % of the segments.
    return score(segments, camera, math.radians(0.5)) + 0.015 * prior(camera, longest, focal)


def _fit_pitch_and_roll(
    segments: Segments, start: Camera, longest: float, focal: float | None
) -> Camera:
    """Pitch and roll for a given focal length, from the steep segments."""
    steep = np.abs(segments.direction[:, 1]) > math.cos(math.radians(35))
    if not steep.any():
        return start
    chosen = Segments(*(a[steep] for a in _parts(segments)))
    w, tol = weights(chosen), tolerance(chosen, math.radians(1.0))
    pitches = np.radians(np.arange(-36, 36.1, 1.5))
    rolls = np.radians(np.arange(-8, 8.1, 1.0))
    best, found = -math.inf, start
    usual = np.array([prior(replace(start, pitch=float(p)), longest, focal) for p in pitches])
    for roll in rolls:
        # The second column of rotation(pitch, roll, 0).
        c, s = math.cos(roll), math.sin(roll)
        down = np.stack([-s * np.cos(pitches), c * np.cos(pitches), np.sin(pitches)])
        e = sines(chosen, start.K @ down) / tol[:, None]
        support = (w[:, None] * np.exp(-0.5 * e**2)).sum(axis=0) / w.sum()
        objectives = support + 0.015 * (usual - 0.5 * (roll / ROLL_SPREAD) ** 2)
        top = int(np.argmax(objectives))
        if objectives[top] > best:
            best = float(objectives[top])
            found = replace(start, pitch=float(pitches[top]), roll=float(roll))
    return found


def _yaws(segments: Segments, levelled: Camera) -> list[float]:
    """The best few turns of the room's frame about the vertical."""
    steps = np.radians(np.arange(-45, 45, 1.5))
    w, tol = weights(segments), tolerance(segments, math.radians(1.2))
    R = np.stack([rotation(levelled.pitch, levelled.roll, float(y)) for y in steps])
    points = levelled.K @ R  # steps x 3 x 3
    flat = points.transpose(1, 0, 2).reshape(3, -1)
    e = (sines(segments, flat) / tol[:, None]).reshape(len(segments), len(steps), 3)
    support = (w[:, None] * np.exp(-0.5 * (e**2).min(axis=2))).sum(axis=0)
    peaks = [
        i
        for i in range(len(steps))
        if support[i] >= support[i - 1] and support[i] >= support[(i + 1) % len(steps)]
    ]
    peaks.sort(key=lambda i: -support[i])
    return [float(steps[i]) for i in peaks[:3]]


def refine(
    segments: Segments,
    camera: Camera,
    longest: float,
    focal: float | None,
    factors: F64 | None = None,
) -> Camera:
    """Gauss-Newton over focal length, pitch, roll and yaw, the tolerance narrowing as it goes.

    `factors` (N) multiplies the segments' weights.
    """
    w = weights(segments) * (1.0 if factors is None else factors)
    w = w / max(float(w.max(initial=0.0)), 1e-9)
    low, high = math.log(0.3 * longest), math.log(4 * longest)
    for degrees in (2.0, 1.4, 1.0, 0.7, 0.5, 0.4, 0.4, 0.4):
        x = np.array([math.log(camera.focal), camera.pitch, camera.roll, camera.yaw])
        step = _gauss_newton_step(segments, camera, x, w, math.radians(degrees), longest, focal)
        f, pitch, roll, yaw = x + np.clip(step, -0.1, 0.1)
        f = float(np.clip(f, low, high))
        camera = replace(camera, focal=math.exp(f), pitch=float(pitch), roll=float(roll), yaw=yaw)
    return replace(camera, yaw=float(camera.yaw))


def _gauss_newton_step(
    segments: Segments,
    camera: Camera,
    x: F64,
    w: F64,
    angle: float,
    longest: float,
    focal: float | None,
) -> F64:
    """The step of `x` (log focal length, pitch, roll, yaw) for segments weighted by `w` (N)."""
    tol = tolerance(segments, angle)
    residuals = _residuals(segments, camera, x) / tol[:, None]
    nearest = (residuals**2).argmin(axis=1)
    rows = np.arange(len(segments))
    e = residuals[rows, nearest]
    trust = w * np.exp(-0.5 * e**2)
    J = np.empty((len(segments), 4))
    for k in range(4):
        moved = x.copy()
        moved[k] += 1e-5
        shifted = (_residuals(segments, camera, moved) / tol[:, None])[rows, nearest]
        J[:, k] = (shifted - e) / 1e-5
    # Segments of one edge share their errors: the sum counts for at most twenty.
    trust *= min(1.0, 20.0 / max(float(trust.sum()), 1e-9))
    centre = focal if focal else FOCAL_PRIOR * longest
    spread = 0.02 if focal else FOCAL_SPREAD
    target = np.array([math.log(centre), 0.0, 0.0, camera.yaw])
    P = np.diag([1 / spread**2, 1 / PITCH_SPREAD**2, 1 / ROLL_SPREAD**2, 1e-6])
    A = J.T @ (J * trust[:, None]) + P
    step = np.linalg.solve(A, -(J.T @ (trust * e)) - P @ (x - target))
    return np.asarray(step, dtype=np.float64)


def _residuals(segments: Segments, camera: Camera, x: F64) -> F64:
    f, pitch, roll, yaw = (float(v) for v in x)
    moved = replace(camera, focal=math.exp(f), pitch=pitch, roll=roll, yaw=yaw)
    return sines(segments, moved.K @ moved.R)


def _parts(segments: Segments) -> tuple[F64, F64, F64, F64]:
    return segments.ends, segments.middle, segments.direction, segments.length
