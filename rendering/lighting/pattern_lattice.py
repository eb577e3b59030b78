"""How far an old wallpaper is from itself: the shifts that lay a wall's pattern upon the wall.

The wall, seen from the front, is laid over itself at every shift; where pattern falls on pattern
the masked normalised correlation peaks (Padfield, Masked object registration in the Fourier domain,
2012), and the two shortest of the high peaks span the lattice of the repeat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, F64, Bool, f32
from rendering.lighting.light_field import LUMA, box_mean, channel_mean, repeat_channels

FLOOR = 0.004  # scene-linear light added before logarithms: crushed channels have no contrast
LEAST_CONTRAST = 0.1  # of the wall's mean energy, under which a part of it matches nothing
SMALL = 0.03  # what is lit evenly, of the wall's longest side: larger contrasts may be light
LEAST_OVERLAP = 0.15  # of the wall that a shift must leave upon itself
LEAST_MATCH = 0.5  # correlation of a wall with itself one repeat further
AS_GOOD = 0.85  # of the best correlation: shorter shifts this good are the repeat itself
LEAST_SHIFT = 4.0  # pixels when seeking: finer patterns are averaged by any window
LEAST_SINE = 0.3  # between the lattice's two directions
# What is compared: log luminance, log R/G and log B/G.
CONTRASTS = np.array([LUMA, [1, -1, 0], [0, -1, 1]], dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class RectifiedWall:
    """The wall from the front: scene-linear light, sure wall, scale, metres of its first pixel."""

    radiance: F32
    core: Bool
    per_m: float
    first_m: F64


def find_lattice(rectified: RectifiedWall) -> F64 | None:
    """Two shifts (2 x 2, rows of x, y in pixels) that lay the pattern upon itself, or None.

    A wall that repeats in one direction only (stripes, a mural's ribbon) gets a second shift longer
    than the wall.
    """
    match = _autocorrelation(rectified)
    middle = np.array(match.shape)[::-1] // 2
    shifts, heights = _peaks(match)
    far = np.hypot(*(shifts - middle).T) > LEAST_SHIFT
    shifts, heights = shifts[far], heights[far]
    if not len(heights) or heights.max() < LEAST_MATCH:
        return None
    offsets = shifts - middle
    first = _shortest(offsets, heights)
    sine = np.abs(offsets[:, 0] * first[1] - offsets[:, 1] * first[0])
    sine /= np.hypot(*offsets.T) * math.hypot(*first)
    aside = (sine > LEAST_SINE) & (heights > LEAST_MATCH)
    if aside.any():
        second = _refined_shift(match, _shortest(offsets[aside], heights[aside]))
        first = _refined_shift(match, first)
    else:
        first = _refined_shift(match, first)
        beyond = 1.2 * math.hypot(*rectified.core.shape) / math.hypot(*first)
        second = np.array([-first[1], first[0]]) * beyond
    return np.asarray([first, second], dtype=np.float64)


def _shortest(offsets: F64, heights: F64) -> F64:
    """The shortest of the shifts (N x 2) that match about as well as the best."""
    good = heights > AS_GOOD * heights.max()
    return np.asarray(offsets[good][int(np.argmin(np.hypot(*offsets[good].T)))], dtype=np.float64)


def _autocorrelation(rectified: RectifiedWall) -> F32:
    """Correlation (-1..1) of the wall's small contrasts with themselves, shift 0 in the middle."""
    log = f32(cv2.log(rectified.radiance + np.float32(FLOOR)))
    weight = f32(rectified.core)
    values = f32(cv2.transform(log, CONTRASTS))
    values -= box_mean(values, weight, max(2, round(SMALL * max(weight.shape))))
    deviation = cv2.meanStdDev(values, mask=rectified.core.view(np.uint8))[1].ravel()
    most = f32(2.5 * deviation)
    np.clip(values, -most, most, out=values)
    values *= repeat_channels(weight, 3)
    square = channel_mean(values * values, np.ones(3, np.float32))
    shape = tuple(cv2.getOptimalDFTSize(2 * n) for n in weight.shape)
    whole, energy = _spectrum(weight, shape), _spectrum(square, shape)
    spectra = [_spectrum(f32(plane), shape) for plane in cv2.split(values)]
    product = _inverse_dft(
        f32(sum((_cross_power(s, s) for s in spectra[1:]), _cross_power(spectra[0], spectra[0])))
    )
    overlap = _inverse_dft(_cross_power(whole, whole))
    one = _inverse_dft(_cross_power(energy, whole))
    two = np.roll(one[::-1, ::-1], (1, 1), (0, 1))  # the same at the opposite shift
    # Where a bare strip lies on the wall its contrasts are as good as none, and noise would match.
    least = overlap * np.float32(LEAST_CONTRAST * float(square.sum()) / float(weight.sum()))
    match = product / np.maximum(np.sqrt(np.maximum(one * two, 0.0)), np.maximum(least, 1e-4))
    match[overlap < LEAST_OVERLAP * weight.sum()] = -1.0
    return f32(np.fft.fftshift(match))


def _spectrum(values: F32, shape: tuple[int, ...]) -> F32:
    """The real transform, packed as OpenCV does, padded to `shape`; a tenth of NumPy's time."""
    height, width = values.shape
    padded = np.zeros(shape, np.float32)
    padded[:height, :width] = values
    return f32(cv2.dft(padded))


def _cross_power(a: F32, b: F32) -> F32:
    return f32(cv2.mulSpectrums(a, b, 0, conjB=True))


def _inverse_dft(spectrum: F32) -> F32:
    return f32(cv2.dft(spectrum, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE))


def _peaks(match: F32) -> tuple[F64, F64]:
    """Shifts (N x 2: x, y of `match`) and heights of the local maxima of one half plane."""
    top = match == cv2.dilate(match, np.ones((5, 5), np.uint8))
    top[[0, -1]] = False
    top[:, [0, -1]] = False
    top[: match.shape[0] // 2] = False  # a shift and its opposite match alike
    y, x = np.nonzero(top & (match > 0))
    heights = match[y, x].astype(np.float64)
    for dx, dy in ((1, 0), (0, 1)):
        # Between pixels a peak is higher: the vertex of a parabola.
        a, b = match[y - dy, x - dx], match[y + dy, x + dx]
        bend = np.maximum(2.0 * match[y, x] - a - b, 1e-9)
        heights += np.where((a > 0) & (b > 0), np.minimum((b - a) ** 2 / (8 * bend), 0.15), 0.0)
    return np.column_stack([x, y]).astype(np.float64), heights


def _refined_shift(match: F32, offset: F64) -> F64:
    """A shift to parts of a pixel from peaks at its multiples: 8 repeats tell it 8 times better."""
    middle = np.array(match.shape)[::-1] // 2
    near, times = offset, 1
    while True:
        x, y = np.round(near * times + middle).astype(int)
        if not (3 <= x < match.shape[1] - 3 and 3 <= y < match.shape[0] - 3):
            return near
        window = match[y - 2 : y + 3, x - 2 : x + 3]
        j, i = np.unravel_index(int(window.argmax()), window.shape)
        if window.max() < LEAST_MATCH or j in (0, 4) or i in (0, 4):
            return near
        x, y = x - 2 + int(i), y - 2 + int(j)
        part = [
            _parabola_vertex(match[y, x - 1 : x + 2]),
            _parabola_vertex(match[y - 1 : y + 2, x]),
        ]
        near = (np.array([x, y]) - middle + part) / times
        times *= 2


def _parabola_vertex(three: F32) -> float:
    """Where a parabola through three values peaks, -0.5..0.5 from the second."""
    a, b, c = (float(v) for v in three)
    return float(np.clip(0.5 * (a - c) / min(a - 2 * b + c, -1e-9), -0.5, 0.5))
