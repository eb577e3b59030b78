"""The wallpaper in linear light at every size, and any part of its endless repeat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, U8, U16, f32
from rendering.lighting.tone_curve import srgb_table

STEPS = 4  # levels per halving: few samples serve where the level fits the pixel closely
PAD = 3  # texels around each level: bicubic reads two beyond
SHARPEN = 0.1
MOST_TEXELS = 1 << 20  # of a window; a block of 128 x 128 pixels needs a tenth
DROP_ERROR = 0.02  # texels

Corners = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The wallpaper at one size.

    `texels`   padded by `PAD`, with 4 channels (OpenCV reads four twice as fast as three): linear
               reflectance 0..65535, uint16 at full size, else float32
    `wrap`     repeats to the right, downwards
    `drop`     by how many of its heights the next repeat to the right hangs lower
    """

    texels: U16 | F32
    wrap: tuple[bool, bool]
    drop: float

    @property
    def columns(self) -> int:
        """Texels across one repeat."""
        return int(self.texels.shape[1]) - 2 * PAD

    @property
    def rows(self) -> int:
        """Texels down one repeat."""
        return int(self.texels.shape[0]) - 2 * PAD

    def window(self, corners: Corners) -> tuple[U16 | F32, int, int] | None:
        """The endless wallpaper's texels x0 <= x < x1, y0 <= y < y1 and the first one's x, y.

        Fewer where it does not repeat; None where they are too many, or a drop is no whole number
        of them.
        """
        (x0, y0, x1, y1), (wrap_u, wrap_v) = corners, self.wrap
        if not wrap_u:
            x0, x1 = _clamped_range(x0, x1, self.columns)
        if not wrap_v:
            y0, y1 = _clamped_range(y0, y1, self.rows)
        if min(x0, y0) >= -PAD and x1 <= self.columns + PAD and y1 <= self.rows + PAD:
            return self.texels[y0 + PAD : y1 + PAD, x0 + PAD : x1 + PAD], x0, y0
        shift = self.drop * self.rows
        if (x1 - x0) * (y1 - y0) > MOST_TEXELS or abs(shift - round(shift)) > DROP_ERROR:
            return None
        return self._assembled(x0, y0, x1, y1), x0, y0

    def _assembled(self, x0: int, y0: int, x1: int, y1: int) -> U16 | F32:
        one, columns, rows = self.texels[PAD:-PAD, PAD:-PAD], self.columns, self.rows
        out = np.empty((y1 - y0, x1 - x0, 4), self.texels.dtype)
        for left in range(x0 // columns * columns, x1, columns):
            a, b = max(x0, left), min(x1, left + columns)
            lower = round(self.drop * rows) * (left // columns)
            for top in range((y0 - lower) // rows * rows + lower, y1, rows):
                c, d = max(y0, top), min(y1, top + rows)
                out[c - y0 : d - y0, a - x0 : b - x0] = one[c - top : d - top, a - left : b - left]
        return out


def _clamped_range(low: int, high: int, size: int) -> tuple[int, int]:
    """The part of low..high inside 0..size, at least one."""
    first = min(max(low, 0), size - 1)
    return first, max(min(high, size), first + 1)


class Mipmaps:
    """Levels of a wallpaper, made when asked for; `wrap` and `drop` as in `Level`."""

    def __init__(self, wallpaper: U8, wrap: tuple[bool, bool], drop: float) -> None:
        self._base, self._wrap, self._drop = wallpaper, wrap, drop
        self._levels: dict[int, Level] = {}
        self._octaves: dict[int, U16] = {}
        self.most = STEPS * max(0, math.ceil(math.log2(max(wallpaper.shape[:2]))))

    def level(self, k: int) -> Level:
        """The wallpaper reduced to 2 ** (-k / STEPS) of its size."""
        if k not in self._levels:
            threes = self._padded(self._reduced(k))
            fours = np.asarray(cv2.cvtColor(threes, cv2.COLOR_RGB2RGBA), dtype=np.uint16)
            texels = fours if k == 0 else _sharpened(fours)
            self._levels[k] = Level(texels, self._wrap, self._drop)
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
        wide, tall = (cv2.BORDER_WRAP if w else cv2.BORDER_REPLICATE for w in self._wrap)
        body = np.asarray(cv2.copyMakeBorder(level, 0, 0, PAD, PAD, wide), dtype=np.uint16)
        if self._drop:
            # The neighbouring columns of a drop pattern hang lower and higher.
            shift = round(self._drop * level.shape[0])
            body[:, :PAD] = np.roll(body[:, :PAD], -shift, axis=0)
            body[:, -PAD:] = np.roll(body[:, -PAD:], shift, axis=0)
        return np.asarray(cv2.copyMakeBorder(body, PAD, PAD, 0, 0, tall), dtype=np.uint16)


def _sharpened(level: U16) -> F32:
    """The level sharpened by what reading it blurs.

    A texel's own box (variance 1/12 texel^2) and the triangle of bilinear reading (1/6) widen the
    filter by 1/4; samples about a texel apart in place of the pixel's whole box narrow it by 1/12.
    The kernel's variance is -1/5, by which the mean error against 16x supersampling over ten walls
    and papers is least.
    """
    kernel = np.array([-SHARPEN, 1.0 + 2.0 * SHARPEN, -SHARPEN], dtype=np.float32)
    depth, border = cv2.CV_32F, cv2.BORDER_REPLICATE
    return f32(cv2.sepFilter2D(level, depth, kernel, kernel, borderType=border))


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
