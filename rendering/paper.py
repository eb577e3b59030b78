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
from rendering.colour import srgb_table
from rendering.distortion import Distortion
from rendering.placement import Placement
from rendering.plane import WallPlane, project
from rendering.seams import light_left

BLOCK = 128  # pixels; small enough that one level fits a block, large enough for OpenCV's speed
MAX_SAMPLES = 12  # per axis and pixel, before a coarser level is taken instead
HORIZON = 1e-4  # least depth ratio to the quad's middle: beyond it a wall shows no pattern
FINENESS = 0.55  # longest texel, of a pixel's short side
DENSITY = 1.0  # samples per texel
STEPS = 4  # levels per halving: few samples serve where the level fits the pixel closely
PAD = 3  # texels around each level: bicubic reads two beyond


@dataclass(frozen=True, slots=True)
class Layout:
    """Placement resolved on a plane: ``A`` (2 x 3) maps wall metres to repeats (u right, v down).

    ``strips`` (3) maps them to strips, joints at whole numbers; None: joints are not shown.
    """

    A: F64
    drop: float
    wrap: tuple[bool, bool]
    strips: F64 | None = None


def lay_out(placement: Placement, plane: WallPlane, picture_size: tuple[int, int]) -> Layout:
    """Metres to repeats for a wallpaper of ``picture_size`` (width, height) pixels."""
    aspect = picture_size[1] / picture_size[0]
    wall_h = plane.size_m[1]
    # A mural has one ribbon to fill, round the corners.
    left, right = plane.reach_m
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
class _Wall:
    """One wall: pixels to repeats, and the corner's line (None for the main wall).

    Of a straight lens's pixels; a ``lens`` that bends adds a column for r^2 to both. ``strips``: pixels to strips, in
    the scale of ``G``.
    """

    G: F64
    side: F64 | None
    lens: Distortion | None = None
    strips: F64 | None = None

    def share(self, x0: int, y0: int, width: int, height: int) -> F32 | None:
        """How much of each pixel lies on the wall, 0..1; None: all of the block."""
        if self.side is None:
            return None
        x, y = x0 + np.arange(width), y0 + np.arange(height)
        return f32(np.clip(self.spread(self.side, x, y) + np.float32(0.5), 0.0, 1.0))

    def spread(self, row: F64, x: F64 | Ints, y: F64 | Ints) -> F32:
        """row . (x, y, 1) on a grid of the photo's pixels, float32; but for scale where the lens bends.

        The division model is linear in (x, y, 1, r^2) and r^2 is a sum of one part for x and one for y, so the bend
        costs nothing per pixel.
        """
        across, down = row[0] * x, row[1] * y + row[2]
        if self.lens is not None:
            bend, (square_x, square_y) = self.lens.lifted(row), self.lens.squares(x, y)
            across, down = across + bend * square_x, down + bend * square_y
        return f32(f32(across)[None, :] + f32(down)[:, None])

    def near(self, x0: int, y0: int, width: int, height: int) -> F64:
        """Pixels to repeats round the middle of a block: exact for a straight lens, else touching the true map."""
        if self.lens is None:
            return self.G
        middle = np.array([x0 + width / 2, y0 + height / 2])
        return np.asarray(self.G @ self.lens.tangent(middle), dtype=np.float64)


def _to_repeats(lift: F64, H: F64, near: F64) -> tuple[F64, F64 | None]:
    """Pixels to repeats; the third coordinate is 1 at the pixel ``near``. ``lift``'s fourth row, if any, comes apart.

    Positive on the wall's side of the horizon, which lets the far side be cut off by its sign.
    """
    G = np.asarray(lift @ np.linalg.inv(H), dtype=np.float64)
    G = np.asarray(G / (float(G[2] @ np.append(near, 1.0)) or 1.0), dtype=np.float64)
    return G[:3], G[3] if len(G) > 3 else None


class Paper:
    """A wallpaper laid on a plane; ``sample`` gives its reflectance for a rectangle of the photo."""

    def __init__(self, wallpaper: U8, plane: WallPlane, placement: Placement) -> None:
        height, width = wallpaper.shape[:2]
        self._layout = lay_out(placement, plane, (width, height))
        lift = np.vstack([self._layout.A, [0, 0, 1.0]])
        lens = plane.distortion
        middle = plane.straight(plane.quad).mean(axis=0)
        strips = self._layout.strips
        self._strip_m = placement.strip_width_m
        if strips is not None:
            lift = np.vstack([lift, strips])
        G, joints = _to_repeats(lift, plane.H, middle)
        self._walls = [_Wall(G, None, lens, joints)]
        for wing in plane.wings:
            seam = project(wing.H, np.array([[wing.seam_m, plane.size_m[1] / 2]]))[0]
            G, joints = _to_repeats(lift, wing.H, seam)
            self._walls.append(_Wall(G, wing.side, lens, joints))
        self._mirror_drop = -1.0 if placement.mirror else 1.0
        self._levels: dict[int, U16 | F32] = {}
        self._octaves: dict[int, U16] = {}
        self._base = wallpaper
        self._max_level = max(0, math.ceil(math.log2(max(width, height))))

    def sample(
        self, x0: int, y0: int, width: int, height: int, *, wanted: Bool | None = None
    ) -> F32:
        """Linear reflectance, float32 height x width x 3 in 0..1, of that part of the photo.

        ``wanted`` (height x width): blocks without any such pixel are left black.
        """
        out = np.zeros((height, width, 3), np.float32)
        for top in range(0, height, BLOCK):
            for left in range(0, width, BLOCK):
                h, w = min(BLOCK, height - top), min(BLOCK, width - left)
                if wanted is not None and not wanted[top : top + h, left : left + w].any():
                    continue
                out[top : top + h, left : left + w] = self._block(x0 + left, y0 + top, w, h)
        out *= 1.0 / 65535.0
        return f32(np.clip(out, 0.0, 1.0, out=out))

    def _block(self, x0: int, y0: int, width: int, height: int) -> F32:
        """One block: the wall it lies on, or several where a corner crosses it."""
        out = np.zeros((height, width, 3), np.float32)
        empty = True
        shares = [(wall, wall.share(x0, y0, width, height)) for wall in self._walls]
        for k, (wall, share) in enumerate(shares):
            covered = any(s is None or float(s.min()) >= 1.0 for _, s in shares[k + 1 :])
            if covered or (share is not None and float(share.max()) <= 0.0):
                continue
            values = self._read(wall, x0, y0, width, height)
            if wall.strips is not None:
                values *= self._joints(wall, wall.strips, x0, y0, width, height)[..., None]
            if empty or share is None:
                out, empty = values, False
            else:
                out += share[..., None] * (values - out)
        return out

    def _read(self, wall: _Wall, x0: int, y0: int, width: int, height: int) -> F32:
        G = wall.near(x0, y0, width, height)
        level, nx, ny = self._density(G, x0, y0, width, height)
        u, v = self._coordinates(wall, x0, y0, width, height, nx, ny)
        texture = self._level(level)
        rows, columns = texture.shape[0] - 2 * PAD, texture.shape[1] - 2 * PAD
        wrap_u, wrap_v = self._layout.wrap
        if self._layout.drop:
            v -= np.floor(u) * np.float32(self._layout.drop * self._mirror_drop)
        u = u - np.floor(u) if wrap_u else np.clip(u, 0.0, 1.0)
        v = v - np.floor(v) if wrap_v else np.clip(v, 0.0, 1.0)
        u *= columns
        u += PAD - 0.5
        v *= rows
        v += PAD - 0.5
        smooth = level == 0 and nx == 1 and ny == 1
        how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
        values = cv2.remap(texture, u, v, how, borderMode=cv2.BORDER_REPLICATE)
        if nx > 1 or ny > 1:
            values = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)
        return f32(values[..., :3])

    def _joints(self, wall: _Wall, strips: F64, x0: int, y0: int, width: int, height: int) -> F32:
        """What the joints between the strips leave of the light, float32 height x width."""
        x, y = np.arange(x0 - 1, x0 + width + 1), np.arange(y0 - 1, y0 + height + 1)
        depth = np.maximum(wall.spread(wall.G[2], x, y), np.float32(HORIZON))
        return light_left(f32(wall.spread(strips, x, y) / depth), self._strip_m)

    def _coordinates(
        self, wall: _Wall, x0: int, y0: int, width: int, height: int, nx: int, ny: int
    ) -> tuple[F32, F32]:
        """u, v in repeats at every subsample, float32 (height * ny) x (width * nx)."""
        G = wall.G
        x = x0 - 0.5 + (np.arange(width * nx) + 0.5) / nx
        y = y0 - 0.5 + (np.arange(height * ny) + 0.5) / ny
        # Whole repeats are taken off at the block's first point in float64, so that float32 keeps
        # its digits for the place within a repeat.
        at = np.array([[x[0], y[0]]])
        x00, y00 = (at if wall.lens is None else wall.lens.straight(at))[0]
        w00 = G[2, 0] * x00 + G[2, 1] * y00 + G[2, 2]
        base_u = math.floor((G[0, 0] * x00 + G[0, 1] * y00 + G[0, 2]) / w00)
        base_v = math.floor((G[1, 0] * x00 + G[1, 1] * y00 + G[1, 2]) / w00)
        if not (self._layout.wrap[0]):
            base_u = 0
        if not (self._layout.wrap[1]):
            base_v = 0
        row_u = G[0] - base_u * G[2]
        row_v = G[1] - base_v * G[2]
        w = wall.spread(G[2], x, y)
        np.maximum(w, np.float32(HORIZON), out=w)
        np.divide(1.0, w, out=w)
        u = wall.spread(row_u, x, y) * w
        v = wall.spread(row_v, x, y) * w
        if self._layout.drop:
            v -= np.float32((self._layout.drop * self._mirror_drop * base_u) % 1.0)
        return u, v

    def _density(self, G: F64, x0: int, y0: int, width: int, height: int) -> tuple[int, int, int]:
        """Mip level and samples per pixel along x and y for a block."""
        fx, fy = self._footprint(G, x0, y0, width, height)
        # The level fits the block's nearest pixel, or its far end would blur the near one; the
        # number of samples fits the farthest. Texels of 0.46 to 0.55 of a pixel's short side make
        # two or three samples an axis do; the mean error against 16x supersampling on an oblique wall is 1.0
        # of 255. Levels a whole octave apart, up to 0.7, gave 0.8 for twice the time.
        short = float(np.minimum(fx, fy).min())
        long = float(max(fx.max(), fy.max()))
        fine = max(short, long / MAX_SAMPLES, 1e-9)
        level = math.floor(STEPS * math.log2(fine * FINENESS))
        # Reducing by less than half would blur as much as it saves.
        level = 0 if level < STEPS else min(level, STEPS * self._max_level)
        texel = 2.0 ** (level / STEPS)
        return level, _samples(float(fx.max()) / texel), _samples(float(fy.max()) / texel)

    def _footprint(self, G: F64, x0: int, y0: int, width: int, height: int) -> tuple[F64, F64]:
        """Lengths, in texels of the full picture, of a pixel's step along x and along y.

        At nine points of the block.
        """
        xs = np.array([x0, x0 + width / 2, x0 + width])
        ys = np.array([y0, y0 + height / 2, y0 + height])
        X, Y = (a.ravel() for a in np.meshgrid(xs, ys))
        p = np.stack([X, Y, np.ones_like(X)])
        q = G @ p
        size = np.array([[self._base.shape[1]], [self._base.shape[0]]], dtype=np.float64)
        # d(q/w)/dx = (G[:, x] - (q/w) G[2, x]) / w
        q[2] = np.maximum(q[2], HORIZON)
        uv = q[:2] / q[2]
        dx = (G[:2, :1] - uv * G[2, 0]) / q[2] * size
        dy = (G[:2, 1:2] - uv * G[2, 1]) / q[2] * size
        return np.asarray(np.hypot(*dx), np.float64), np.asarray(np.hypot(*dy), np.float64)

    def _level(self, k: int) -> U16 | F32:
        if k not in self._levels:
            padded = self._padded(self._reduced(k))
            # Read and averaged in fours, OpenCV is twice as fast as in threes.
            self._levels[k] = (
                padded if k == 0 else f32(cv2.cvtColor(_compensated(padded), cv2.COLOR_RGB2RGBA))
            )
        return self._levels[k]

    def _reduced(self, k: int) -> U16:
        height, width = self._base.shape[:2]
        if k == 0:
            return np.asarray(cv2.LUT(self._base, srgb_table()), dtype=np.uint16)
        scale = 2.0 ** (k / STEPS)
        size = (max(1, round(width / scale)), max(1, round(height / scale)))
        source = k // STEPS - 1
        if source < 1:
            return _reduce_in_strips(self._base, size)
        # From a level twice to four times finer: its own texels then add little blur.
        finer = self._octave(source)
        return np.asarray(cv2.resize(finer, size, interpolation=cv2.INTER_AREA), dtype=np.uint16)

    def _octave(self, k: int) -> U16:
        if k not in self._octaves:
            self._octaves[k] = self._reduced(k * STEPS)  # halves exactly, each from the one before
        return self._octaves[k]

    def _padded(self, level: U16) -> U16:
        wrap_u, wrap_v = self._layout.wrap
        drop = self._layout.drop * self._mirror_drop
        tall = cv2.BORDER_WRAP if wrap_v else cv2.BORDER_REPLICATE
        wide = cv2.BORDER_WRAP if wrap_u else cv2.BORDER_REPLICATE
        body = cv2.copyMakeBorder(level, 0, 0, PAD, PAD, wide)
        if drop:
            # The neighbouring columns of a drop pattern hang lower and higher.
            shift = round(drop * level.shape[0])
            body[:, :PAD] = np.roll(body[:, :PAD], -shift, axis=0)
            body[:, -PAD:] = np.roll(body[:, -PAD:], shift, axis=0)
        return np.asarray(cv2.copyMakeBorder(body, PAD, PAD, 0, 0, tall), dtype=np.uint16)


def _samples(texels: float) -> int:
    """Samples along one axis of a pixel that spans so many texels; one at the picture's own size."""
    return 1 if texels <= 1.1 else min(math.ceil(texels * DENSITY), 2 * MAX_SAMPLES)


def _compensated(level: U16) -> F32:
    """The level sharpened by what reading it blurs.

    A texel's own box (variance 1/12 texel^2) and the triangle of bilinear reading (1/6) widen the
    filter by 1/4; the kernel (-1, 10, -1) / 8 has variance -1/4, so the whole is the pixel's box
    again to second order. Against 16x supersampling this halves the error and more.
    """
    kernel = np.array([-0.125, 1.25, -0.125], dtype=np.float32)
    return f32(cv2.sepFilter2D(f32(level), -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE))


def _reduce_in_strips(picture: U8, size: tuple[int, int]) -> U16:
    """Linear-light area reduction of an 8-bit picture without a full 16-bit copy of it."""
    width, height = size
    out = np.empty((height, width, 3), np.uint16)
    step = max(1, (1 << 20) // max(1, picture.shape[1] * picture.shape[0] // height))
    ratio = picture.shape[0] / height
    for top in range(0, height, step):
        end = min(height, top + step)
        a, b = math.floor(top * ratio), math.ceil(end * ratio)
        linear = cv2.LUT(picture[a:b], srgb_table())
        out[top:end] = cv2.resize(linear, (width, end - top), interpolation=cv2.INTER_AREA)
    return out
