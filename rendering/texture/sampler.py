"""The wallpaper as a filtered texture, sampled at wall metres.

A pixel of the photo shows a small quadrilateral of the wall; its colour is the mean of the paper
over it, in linear light. Here that mean is taken by regular supersampling of the pixel from a mip
level whose texels are finer than the pixel's short side, so the number of samples follows the
footprint's anisotropy (as in Heckbert, Survey of texture mapping, 1986, and the hardware
anisotropic filters since), chosen per block of pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, U16, Bool, Ints, f32
from rendering.geometry.lens_distortion import Distortion
from rendering.geometry.plane import WallPlane, project
from rendering.placement import Placement
from rendering.texture.mipmaps import PAD, STEPS, Level, Mipmaps
from rendering.texture.seams import seam_transmittance

BLOCK = 128  # pixels; small enough that one level fits a block, large enough for OpenCV's speed
MAX_SAMPLES = 12  # per axis and pixel, before a coarser level is taken instead
HORIZON = 1e-4  # least depth ratio to the quad's middle: beyond it a wall shows no pattern
FINENESS = 0.55  # longest texel, of a pixel's short side
DENSITY = 0.85  # samples per texel: two an axis do where 1.0 asked for three, without more error


@dataclass(frozen=True, slots=True)
class Layout:
    """Placement resolved on a plane: `A` (2 x 3) maps wall metres to repeats (u right, v down).

    `strips` (3) maps them to strips, joints at whole numbers; None: joints are not shown.
    """

    A: F64
    drop: float
    wrap: tuple[bool, bool]
    strips: F64 | None = None


def resolve_placement(
    placement: Placement, plane: WallPlane, picture_size: tuple[int, int]
) -> Layout:
    """Metres to repeats for a wallpaper of `picture_size` (width, height) pixels."""
    aspect = picture_size[1] / picture_size[0]
    wall_h = plane.size_m[1]
    # A mural fills all walls of the chain, round the corners.
    left, right = plane.extent_m
    wall_w = right - left
    x0, y0 = placement.origin_m
    width, wrap = placement.repeat_width_m, (True, True)
    if placement.mode == "fit-height":
        width, wrap = wall_h / aspect, (True, False)
    elif placement.mode == "fit-width":
        width, wrap = wall_w, (False, True)
        x0 += left
    elif placement.mode == "cover":
        width, wrap = max(wall_w, wall_h / aspect), (False, False)
        x0, y0 = x0 + left + (wall_w - width) / 2, y0 + (wall_h - width * aspect) / 2
    height = width * aspect
    angle = math.radians(placement.rotation_deg)
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c / width, s / width], [-s / height, c / height]])
    A = np.column_stack([turn, -turn @ np.array([x0, y0])])
    strips = A[0] * (width / placement.strip_width_m) if placement.seams else None
    if placement.mirror:
        A[0] = -A[0]
        A[0, 2] += 1.0
    return Layout(A, placement.drop if placement.mode == "tile" else 0.0, wrap, strips)


@dataclass(frozen=True, slots=True, eq=False)
class _WallMap:
    """One wall: pixels to repeats, and the corner's line (None for the main wall).

    Of a straight lens's pixels; a `lens` that bends adds a column for r^2 to both. `strips`: pixels
    to strips, in the scale of `G`.
    """

    G: F64
    side: F64 | None
    lens: Distortion | None = None
    strips: F64 | None = None

    def coverage(self, x0: int, y0: int, width: int, height: int) -> F32 | None:
        """How much of each pixel lies on the wall, 0..1; None: all of the block."""
        if self.side is None:
            return None
        x, y = x0 + np.arange(width), y0 + np.arange(height)
        return f32(np.clip(self.evaluate(self.side, x, y) + np.float32(0.5), 0.0, 1.0))

    def evaluate(self, row: F64, x: F64 | Ints, y: F64 | Ints) -> F32:
        """row . (x, y, 1) on a grid of the photo's pixels, float32; up to scale with a distortion.

        The division model is linear in (x, y, 1, r^2) and r^2 is a sum of one part for x and one
        for y, so the bend costs nothing per pixel.
        """
        across, down = row[0] * x, row[1] * y + row[2]
        if self.lens is not None:
            bend, (square_x, square_y) = (
                self.lens.lift_row(row),
                self.lens.squared_radius_parts(x, y),
            )
            across, down = across + bend * square_x, down + bend * square_y
        return f32(f32(across)[None, :] + f32(down)[:, None])

    def local_homography(self, x0: int, y0: int, width: int, height: int) -> F64:
        """Pixels to repeats round the middle of a block: exact, or tangent where the lens bends."""
        if self.lens is None:
            return self.G
        middle = np.array([x0 + width / 2, y0 + height / 2])
        return np.asarray(self.G @ self.lens.local_homography(middle), dtype=np.float64)


def _to_repeats(lift: F64, H: F64, reference: F64) -> tuple[F64, F64 | None]:
    """Pixels to repeats; the third coordinate is 1 at the pixel `reference`.

    A fourth row of `lift` comes back by itself.

    Positive on the wall's side of the horizon, which lets the far side be cut off by its sign.
    """
    G = np.asarray(lift @ np.linalg.inv(H), dtype=np.float64)
    G = np.asarray(G / (float(G[2] @ np.append(reference, 1.0)) or 1.0), dtype=np.float64)
    return G[:3], G[3] if len(G) > 3 else None


class TextureSampler:
    """A wallpaper laid on a plane; `sample` gives its reflectance for a rectangle of the photo."""

    def __init__(self, wallpaper: U8, plane: WallPlane, placement: Placement) -> None:
        height, width = wallpaper.shape[:2]
        self._layout = resolve_placement(placement, plane, (width, height))
        lift = np.vstack([self._layout.A, [0, 0, 1.0]])
        lens = plane.distortion
        middle = plane.undistort(plane.quad).mean(axis=0)
        strips = self._layout.strips
        self._strip_m = placement.strip_width_m
        if strips is not None:
            lift = np.vstack([lift, strips])
        G, joints = _to_repeats(lift, plane.H, middle)
        self._walls = [_WallMap(G, None, lens, joints)]
        for wing in plane.wings:
            seam = project(wing.H, np.array([[wing.seam_m, plane.size_m[1] / 2]]))[0]
            G, joints = _to_repeats(lift, wing.H, seam)
            self._walls.append(_WallMap(G, wing.side, lens, joints))
        self._drop = -self._layout.drop if placement.mirror else self._layout.drop
        self._size = (width, height)
        self._levels = Mipmaps(wallpaper, self._layout.wrap, self._drop)

    def sample(
        self, x0: int, y0: int, width: int, height: int, *, wanted: Bool | None = None
    ) -> F32:
        """Linear reflectance, float32 height x width x 3 in 0..1, of that part of the photo.

        `wanted` (height x width): blocks without any such pixel are left black.
        """
        out = np.zeros((height, width, 3), np.float32)
        for top in range(0, height, BLOCK):
            for left in range(0, width, BLOCK):
                h, w = min(BLOCK, height - top), min(BLOCK, width - left)
                if wanted is not None and not wanted[top : top + h, left : left + w].any():
                    continue
                out[top : top + h, left : left + w] = self._block(x0 + left, y0 + top, w, h)
        return out

    def _block(self, x0: int, y0: int, width: int, height: int) -> F32:
        """One block: the wall it lies on, or several where a corner crosses it."""
        out = np.zeros((height, width, 3), np.float32)
        empty = True
        shares = [(wall, wall.coverage(x0, y0, width, height)) for wall in self._walls]
        for k, (wall, coverage) in enumerate(shares):
            covered = any(s is None or float(s.min()) >= 1.0 for _, s in shares[k + 1 :])
            if covered or (coverage is not None and float(coverage.max()) <= 0.0):
                continue
            values = self._read(wall, x0, y0, width, height)
            if wall.strips is not None:
                values *= self._seam_transmittance(wall, wall.strips, x0, y0, width, height)[
                    ..., None
                ]
            if empty or coverage is None:
                out, empty = values, False
            else:
                out += coverage[..., None] * (values - out)
        return out

    def _read(self, wall: _WallMap, x0: int, y0: int, width: int, height: int) -> F32:
        k, nx, ny = self._density(
            wall.local_homography(x0, y0, width, height), x0, y0, width, height
        )
        level = self._levels.level(k)
        how = cv2.INTER_CUBIC if k == 0 and nx == 1 and ny == 1 else cv2.INTER_LINEAR
        found = None
        if wall.lens is None:  # a bent block is no homography
            found = self._window(wall.G, level, x0, y0, width, height)
        if found is None:
            u, v = self._coordinates(wall, x0, y0, width, height, nx, ny)
            values = self._remapped(level, u, v, how)
            if nx > 1 or ny > 1:
                values = f32(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA))
            values *= np.float32(1.0 / 65535.0)
        else:
            values = _sum_of_warps(*found, (width, height), (nx, ny), how)
            values *= np.float32(1.0 / (65535.0 * nx * ny))
        values = f32(cv2.cvtColor(values, cv2.COLOR_RGBA2RGB))
        return f32(np.clip(values, 0.0, 1.0, out=values))

    def _window(
        self, G: F64, level: Level, x0: int, y0: int, width: int, height: int
    ) -> tuple[F32 | U16, F64] | None:
        """The texels that a block shows, and the homography from its pixels to them.

        None where the block reaches the horizon, or shows too much.
        """
        seen = _texture_bounds(G, x0 - 0.5, y0 - 0.5, x0 + width - 0.5, y0 + height - 0.5)
        if seen is None:
            return None
        # Whole repeats are taken off in float64, so that OpenCV's float32 keeps its digits for the
        # rest.
        low_u, low_v, high_u, high_v = seen
        column = math.floor(low_u) if level.wrap[0] else 0
        shift = self._drop * column
        row = math.floor(low_v - shift) if level.wrap[1] else 0
        found = level.window(
            (
                math.floor((low_u - column) * level.columns - 0.5) - 2,
                math.floor((low_v - shift - row) * level.rows - 0.5) - 2,
                math.ceil((high_u - column) * level.columns - 0.5) + 3,
                math.ceil((high_v - shift - row) * level.rows - 0.5) + 3,
            )
        )
        if found is None:
            return None
        texels, first_x, first_y = found
        T = np.array(
            [
                [level.columns, 0, -level.columns * column - 0.5 - first_x],
                [0, level.rows, -level.rows * (shift + row) - 0.5 - first_y],
                [0, 0, 1.0],
            ]
        )
        M = T @ G
        M[:, 2] += M[:, 0] * x0 + M[:, 1] * y0
        return texels, np.asarray(M / M[2, 2], dtype=np.float64)

    def _remapped(self, level: Level, u: F32, v: F32, how: int) -> F32:
        """The level at places given in repeats, each wrapped by itself."""
        wrap_u, wrap_v = self._layout.wrap
        if self._drop:
            v -= np.floor(u) * np.float32(self._drop)
        u = u - np.floor(u) if wrap_u else np.clip(u, 0.0, 1.0)
        v = v - np.floor(v) if wrap_v else np.clip(v, 0.0, 1.0)
        u *= level.columns
        u += PAD - 0.5
        v *= level.rows
        v += PAD - 0.5
        return f32(cv2.remap(level.texels, u, v, how, borderMode=cv2.BORDER_REPLICATE))

    def _seam_transmittance(
        self, wall: _WallMap, strips: F64, x0: int, y0: int, width: int, height: int
    ) -> F32:
        """What the joints between the strips leave of the light, float32 height x width."""
        x, y = np.arange(x0 - 1, x0 + width + 1), np.arange(y0 - 1, y0 + height + 1)
        depth = np.maximum(wall.evaluate(wall.G[2], x, y), np.float32(HORIZON))
        return seam_transmittance(f32(wall.evaluate(strips, x, y) / depth), self._strip_m)

    def _coordinates(
        self, wall: _WallMap, x0: int, y0: int, width: int, height: int, nx: int, ny: int
    ) -> tuple[F32, F32]:
        """u, v in repeats at every subsample, float32 (height * ny) x (width * nx)."""
        G = wall.G
        x = x0 - 0.5 + (np.arange(width * nx) + 0.5) / nx
        y = y0 - 0.5 + (np.arange(height * ny) + 0.5) / ny
        # Whole repeats are taken off at the block's first point in float64, so that float32 keeps
        # its digits for the place within a repeat.
        at = np.array([[x[0], y[0]]])
        x00, y00 = (at if wall.lens is None else wall.lens.undistort(at))[0]
        w00 = G[2, 0] * x00 + G[2, 1] * y00 + G[2, 2]
        base_u = math.floor((G[0, 0] * x00 + G[0, 1] * y00 + G[0, 2]) / w00)
        base_v = math.floor((G[1, 0] * x00 + G[1, 1] * y00 + G[1, 2]) / w00)
        if not (self._layout.wrap[0]):
            base_u = 0
        if not (self._layout.wrap[1]):
            base_v = 0
        row_u = G[0] - base_u * G[2]
        row_v = G[1] - base_v * G[2]
        w = wall.evaluate(G[2], x, y)
        np.maximum(w, np.float32(HORIZON), out=w)
        np.divide(1.0, w, out=w)
        u = wall.evaluate(row_u, x, y) * w
        v = wall.evaluate(row_v, x, y) * w
        if self._drop:
            v -= np.float32((self._drop * base_u) % 1.0)
        return u, v

    def _density(self, G: F64, x0: int, y0: int, width: int, height: int) -> tuple[int, int, int]:
        """Mip level and samples per pixel along x and y for a block."""
        fx, fy = self._footprint(G, x0, y0, width, height)
        # The level fits the block's nearest pixel, or its far end would blur the near one; the
        # number of samples fits the farthest. With texels of about half a pixel's short side two
        # samples an axis are enough. Levels a whole octave apart gave little better pictures for
        # twice the time.
        short, long = min(*fx, *fy), max(*fx, *fy)
        fine = max(short, long / MAX_SAMPLES, 1e-9)
        level = math.floor(STEPS * math.log2(fine * FINENESS))
        # Reducing by less than half would blur as much as it saves.
        level = 0 if level < STEPS else min(level, self._levels.most)
        texel = 2.0 ** (level / STEPS)
        return level, _samples(max(fx) / texel), _samples(max(fy) / texel)

    def _footprint(
        self, G: F64, x0: int, y0: int, width: int, height: int
    ) -> tuple[list[float], list[float]]:
        """Lengths, in texels of the full picture, of a pixel's step along x and along y.

        At nine points of the block; in plain numbers, NumPy's calls on nine take ten times as long.
        """
        (a, b, c), (d, e, f), (g, h, i) = G.tolist()
        columns, rows = self._size
        fx, fy = [], []
        for y in (y0, y0 + height / 2, y0 + height):
            for x in (x0, x0 + width / 2, x0 + width):
                w = max(g * x + h * y + i, HORIZON)
                u, v = (a * x + b * y + c) / w, (d * x + e * y + f) / w
                # d(q/w)/dx = (G[:, x] - (q/w) G[2, x]) / w
                fx.append(math.hypot((a - u * g) * columns, (d - v * g) * rows) / w)
                fy.append(math.hypot((b - u * h) * columns, (e - v * h) * rows) / w)
        return fx, fy


def _texture_bounds(
    G: F64, x0: float, y0: float, x1: float, y1: float
) -> tuple[float, float, float, float] | None:
    """Least and greatest u, v of a rectangle of the photo; None where the horizon is in it."""
    (a, b, c), (d, e, f), (g, h, i) = G.tolist()
    us, vs = [], []
    for x, y in ((x0, y0), (x1, y0), (x0, y1), (x1, y1)):
        w = g * x + h * y + i
        if w <= HORIZON:
            return None
        us.append((a * x + b * y + c) / w)
        vs.append((d * x + e * y + f) / w)
    return min(us), min(vs), max(us), max(vs)


def _sum_of_warps(
    texels: F32 | U16, M: F64, size: tuple[int, int], samples: tuple[int, int], how: int
) -> F32:
    """The sum of the samples in each pixel, float32 height x width x 4; `M`: pixels to texels.

    One warp per sample and no picture of all of them: OpenCV computes the coordinates as it reads,
    at no cost beside the reading, and its area mean takes longer than the sums unless two samples
    an axis are all.
    """
    flags, (nx, ny) = how | cv2.WARP_INVERSE_MAP, samples
    total, at = None, M.copy()
    for k in range(nx * ny):
        dx, dy = (k % nx + 0.5) / nx - 0.5, (k // nx + 0.5) / ny - 0.5
        at[:, 2] = M[:, 0] * dx + M[:, 1] * dy + M[:, 2]
        part = f32(
            cv2.warpPerspective(texels, at, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        )
        total = part if total is None else f32(cv2.accumulate(part, total))
    return f32(total)


def _samples(texels: float) -> int:
    """Samples along one axis of a pixel that spans so many texels; one at full size."""
    return 1 if texels <= 1.1 else min(math.ceil(texels * DENSITY), 2 * MAX_SAMPLES)
