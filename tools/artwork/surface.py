"""A drawing surface without edges: whatever leaves it on one side comes back on the other.

Every shape is cut out on a small patch and laid down at wrapped indices, and all noise is made by
filtering white noise in the Fourier domain, so a finished design repeats exactly by construction
and not by patching its seams. Shapes are drawn `OVERSAMPLE` times larger and averaged down.

Coordinates are pixels of the finished design, x right, y down. Colours are `#rrggbb` or sRGB
triples 0..255; mixing happens on sRGB values, as printing inks are chosen by eye on a screen.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Points = NDArray[np.float64]
Colour = str | Sequence[float] | NDArray[np.floating]

OVERSAMPLE = 2


def rgb(colour: Colour) -> Floats:
    """A colour as three float32 values 0..255."""
    if isinstance(colour, str):
        return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    return np.asarray(colour, np.float32)


def mix(first: Colour, second: Colour, share: float) -> Floats:
    """The colour `share` (0..1) of the way from the first to the second."""
    return rgb(first) * (1 - share) + rgb(second) * share


def noise(rng: np.random.Generator, shape: tuple[int, int], x: float, y: float) -> Floats:
    """Periodic Gaussian noise of unit variance, smoothed over about `x` by `y` pixels.

    White noise times the Fourier transform of a Gaussian: the product is periodic in both
    directions because the discrete Fourier transform is.
    """
    fy = np.fft.fftfreq(shape[0])[:, None] * y
    fx = np.fft.rfftfreq(shape[1])[None, :] * x
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * np.exp(-2 * np.pi**2 * (fx**2 + fy**2))
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=shape)
    return np.asarray(field / max(float(field.std()), 1e-9), np.float32)


def cloud(rng: np.random.Generator, shape: tuple[int, int], largest: float, slope: float) -> Floats:
    """Periodic noise with a power-law spectrum (amplitude ~ f^-slope) below one wavelength."""
    fy = np.fft.fftfreq(shape[0])[:, None]
    fx = np.fft.rfftfreq(shape[1])[None, :]
    f = np.sqrt(fx**2 + fy**2)
    f0 = 1.0 / largest
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * (f0**2 + f**2) ** (-slope / 2)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=shape)
    return np.asarray(field / float(field.std()), np.float32)


def smoothstep(low: float, high: float, x: NDArray[np.floating]) -> Floats:
    """0 below `low`, 1 above `high`, a smooth ramp (3t^2 - 2t^3) between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def warp(picture: Floats, dx: Floats, dy: Floats) -> Floats:
    """Move every pixel by a periodic displacement field, wrapping at the edges."""
    h, w = picture.shape[:2]
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    return np.asarray(
        cv2.remap(picture, xx + dx, yy + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    )


class Surface:
    """An RGB canvas that wraps around. `rgb` is float32 (H*k) x (W*k) x 3, k = OVERSAMPLE."""

    def __init__(self, width: int, height: int, ground: Colour) -> None:
        self.width, self.height = width, height
        self.rgb: Floats = np.empty((height * OVERSAMPLE, width * OVERSAMPLE, 3), np.float32)
        self.rgb[:] = rgb(ground)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the oversampled canvas."""
        return self.rgb.shape[0], self.rgb.shape[1]

    def polygon(
        self,
        points: Points,
        colour: Colour,
        *,
        alpha: float = 1.0,
        soft: float = 0.0,
        to: Colour | None = None,
        axis: tuple[Sequence[float], Sequence[float]] | None = None,
    ) -> None:
        """Fill a closed outline (N x 2).

        `soft` blurs its edge (pixels, for shadows and washes). With `to` and `axis` the colour
        runs from `colour` at the axis's first point to `to` at its second.
        """
        corners = np.asarray(points, np.float64) * OVERSAMPLE
        margin = 3 + int(3 * soft * OVERSAMPLE)
        left, top = np.floor(corners.min(0)).astype(int) - margin
        right, bottom = np.ceil(corners.max(0)).astype(int) + margin
        mask = np.zeros((bottom - top, right - left), np.uint8)
        # Pixel i of the canvas covers [i, i + 1); OpenCV puts its centre at i, hence the half.
        fixed = np.round((corners - (left, top) - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, shift=4)
        cover = mask.astype(np.float32) / 255
        if soft:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), soft * OVERSAMPLE), np.float32)
        paint = np.broadcast_to(rgb(colour), (*mask.shape, 3))
        if to is not None and axis is not None:
            paint = self._gradient(mask.shape, (left, top), axis, colour, to)
        self._lay(left, top, np.asarray(cover * np.float32(alpha), np.float32), paint)

    def _gradient(
        self,
        shape: tuple[int, ...],
        origin: tuple[int, int],
        axis: tuple[Sequence[float], Sequence[float]],
        colour: Colour,
        to: Colour,
    ) -> Floats:
        start = np.asarray(axis[0], np.float64) * OVERSAMPLE - origin
        run = (np.asarray(axis[1], np.float64) - np.asarray(axis[0], np.float64)) * OVERSAMPLE
        yy, xx = np.mgrid[0 : shape[0], 0 : shape[1]]
        t = ((xx - start[0]) * run[0] + (yy - start[1]) * run[1]) / max(float(run @ run), 1e-9)
        share = smoothstep(0.0, 1.0, t)[..., None]
        return np.asarray(rgb(colour) * (1 - share) + rgb(to) * share, np.float32)

    def _lay(self, left: int, top: int, cover: Floats, paint: NDArray[np.floating]) -> None:
        """Blend a patch in at wrapped indices; a patch larger than the canvas goes in pieces."""
        rows, columns = self.shape
        for y in range(0, cover.shape[0], rows):
            for x in range(0, cover.shape[1], columns):
                piece = cover[y : y + rows, x : x + columns]
                ys = (top + y + np.arange(piece.shape[0])) % rows
                xs = (left + x + np.arange(piece.shape[1])) % columns
                where = np.ix_(ys, xs)
                part = paint[y : y + rows, x : x + columns]
                self.rgb[where] += (part - self.rgb[where]) * piece[..., None]

    def disc(self, x: float, y: float, radius: float, colour: Colour, **how: float) -> None:
        """Fill a circle."""
        turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        ring = np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], 1)
        self.polygon(ring, colour, alpha=how.get("alpha", 1.0), soft=how.get("soft", 0.0))

    def stroke(
        self, line: Points, width: float, colour: Colour, *, end: float = 0.15, alpha: float = 1.0
    ) -> None:
        """A tapering brush stroke along a polyline, `end` of its width left at the tip."""
        self.polygon(ribbon(line, width, end), colour, alpha=alpha)

    def finished(self) -> Floats:
        """The design at its own size, float32 H x W x 3, by area averaging."""
        size = (self.width, self.height)
        return np.asarray(cv2.resize(self.rgb, size, interpolation=cv2.INTER_AREA), np.float32)


def ribbon(line: Points, width: float, end: float = 0.15) -> Points:
    """Outline of a stroke along `line` (N x 2), `width` at its start, width * end at its tip."""
    line = np.asarray(line, np.float64)
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    half = np.linspace(1, end, len(line))[:, None] * width / 2
    return np.concatenate([line + across * half, (line - across * half)[::-1]])


def hand(picture: Floats, rng: np.random.Generator, wobble: float, scale: float = 14) -> Floats:
    """Shake every outline by about `wobble` pixels, as a hand-cut block would."""
    shape = (picture.shape[0], picture.shape[1])
    dx, dy = (noise(rng, shape, scale, scale) * np.float32(wobble) for _ in range(2))
    return warp(picture, dx, dy)


def printed(picture: Floats, ground: Colour, rng: np.random.Generator, amount: float) -> Floats:
    """Let the ground shine through the inks in small uneven spots, as on a hand-printed sheet."""
    shape = (picture.shape[0], picture.shape[1])
    thin = 0.6 * noise(rng, shape, 2.2, 2.2) + 0.8 * noise(rng, shape, 60, 60)
    share = np.clip(amount * (0.5 + 0.5 * thin), 0, 3 * amount)[..., None]
    return np.asarray(picture + (rgb(ground) - picture) * share, np.float32)


def paper(picture: Floats, rng: np.random.Generator, grain: float = 1.1) -> NDArray[np.uint8]:
    """Add the faint fibre of wallpaper stock (`grain` levels, rms) and round to 8 bits."""
    shape = (picture.shape[0], picture.shape[1])
    fibre = 0.8 * noise(rng, shape, 1.6, 0.9) + 0.5 * noise(rng, shape, 0.9, 2.0)
    tone = 0.7 * noise(rng, shape, 90, 90)
    lit = picture + (fibre * np.float32(grain) + tone * np.float32(0.6 * grain))[..., None]
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)
