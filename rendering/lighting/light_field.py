"""The light on the wall: what the photo says about it once the wall's own colour is taken out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, Bool, f32

# Working size of the light estimate, longest side of the wall's box. Light changes slowly except at
# the edges of cast shadows, and those come back through the guide at full resolution.
WORK_SIDE = 640
SOFTNESS = 0.04  # relative contrast of paint's own unevenness and of noise
PAINTED, PATTERNED = 0.055, 0.1  # texture of painted and of patterned walls, see `texture_strength`
MOTIF = 0.05  # window on patterned walls, of the wall's longest side
COLOUR_REACH = 0.2  # window of the light's colour on patterned walls
SUPPRESS = 8  # pattern contrasts below this many times the usual one are not light
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True, slots=True)
class LightField:
    """Scene-linear light sent back by the bare wall: `gain * guide + offset` per pixel and channel.

    Both are float32 h x w x 3 at the working size and vary slowly, so they may be enlarged.
    He & Sun, Fast guided filter, 2015.
    """

    gain: F32
    offset: F32


class BoxFilter:
    """Weighted means over (2 radius + 1) squares; `weight` float32 h x w.

    Several fields are averaged by one weight: what depends on it alone is made once.
    """

    def __init__(self, weight: F32, radius: int) -> None:
        self._size = (2 * radius + 1, 2 * radius + 1)
        self._weight = weight
        self.total_weight = f32(cv2.blur(weight, self._size, borderType=cv2.BORDER_CONSTANT))
        self._inverse = f32(1.0 / np.maximum(self.total_weight, 1e-6))

    def mean(self, values: F32) -> F32:
        """The mean of `values`, h x w x c."""
        channels = values.shape[2]
        heavy = values * repeat_channels(self._weight, channels)
        summed = f32(cv2.blur(heavy, self._size, borderType=cv2.BORDER_CONSTANT))
        summed = summed.reshape(values.shape)
        summed *= repeat_channels(self._inverse, channels)
        return summed


def box_mean(values: F32, weight: F32, radius: int) -> F32:
    """Weighted mean over a (2 radius + 1) square; `values` h x w x c, `weight` h x w."""
    return BoxFilter(weight, radius).mean(values)


def repeat_channels(weight: F32, channels: int) -> F32:
    """The weight once per channel, h x w x c: broadcasting 3 channels takes six times as long."""
    if channels == 1:
        return weight[..., None]
    return f32(cv2.merge([weight] * channels))


def channel_mean(values: F32, weights: F32 | None = None) -> F32:
    """Weighted sum over three channels (by default the mean), h x w; NumPy's is 20 times slower."""
    row = np.full(3, 1 / 3, np.float32) if weights is None else weights
    return f32(cv2.transform(values, row[None, :]))


def fill(values: F32, known: F32) -> F32:
    """Values carried from where `known` (0..1) into where it is not, smoothly (push-pull).

    Gortler et al., The lumigraph, 1996: average down a pyramid by weight, fill on the way up.
    """
    height, width = known.shape
    if min(height, width) < 2 or float(known.min()) >= 0.999:
        weight = np.maximum(known, 1e-6)[..., None]
        mean = (values * weight).sum(axis=(0, 1)) / weight.sum(axis=(0, 1))
        return f32(np.where(known[..., None] > 1e-3, values, f32(mean)))
    size = ((width + 1) // 2, (height + 1) // 2)
    channels = values.shape[2]
    share = repeat_channels(known, channels)
    low_known = f32(cv2.resize(known, size, interpolation=cv2.INTER_AREA))
    low = f32(cv2.resize(values * share, size, interpolation=cv2.INTER_AREA))
    low *= repeat_channels(f32(1.0 / np.maximum(low_known, 1e-6)), channels)
    coarse = fill(low, np.minimum(low_known * 2, 1.0))
    up = f32(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))
    filled = values - up
    filled *= share
    filled += up
    return filled


def texture_strength(guide: F32, core: Bool) -> tuple[float, float]:
    """How patterned the bare wall is, 0 (paint) .. 1 (wallpaper, brick), and its contrast.

    The lower quartile, over the wall, of the standard deviation of log luminance in small windows:
    shadows and lamps touch few windows, a pattern touches nearly all. Painted walls of the
    development photos stay below 0.055, wallpapered ones begin at 0.085.
    """
    radius = max(2, round(0.012 * max(core.shape)))
    log = f32(cv2.log(channel_mean(guide, LUMA) + np.float32(0.01)))[..., None]
    window = BoxFilter(f32(core), radius)
    one, two = window.mean(log), window.mean(log * log)
    spread = np.sqrt(np.maximum(two - one * one, 0.0))[..., 0][core]
    if spread.size == 0:
        return 0.0, 0.0
    low, middle = np.quantile(spread, [0.25, 0.5])
    t = float(np.clip((low - PAINTED) / (PATTERNED - PAINTED), 0.0, 1.0))
    return t * t * (3 - 2 * t), float(middle)


def estimate_light(guide: F32, core: Bool) -> LightField:
    """Edge-preserving light of the bare wall, its old pattern left out.

    `guide`: scene-linear light of the photo, h x w x 3; `core`: surely wall. On paint, contrasts
    below 4 % are taken for noise and smoothed away and anything above is a shadow's edge and kept;
    on a patterned wall only contrasts well above the pattern's own survive, in windows wide enough
    to average a motif.
    """
    patterned, contrast = texture_strength(guide, core)
    side = max(core.shape)
    plain = _filtered(guide, core, max(2, round(0.012 * side)), SOFTNESS)
    if patterned == 0.0:
        return plain
    radius = max(3, round(MOTIF * side))
    calm = _filtered(
        _with_mean_colour(guide, core), core, radius, max(SOFTNESS, SUPPRESS * contrast)
    )
    mix = np.float32(patterned)
    return LightField(
        plain.gain + mix * (calm.gain - plain.gain),
        plain.offset + mix * (calm.offset - plain.offset),
    )


def mean_light(light: LightField, core: Bool) -> F32:
    """The mean of the bare wall's light, 3 float32: what every pixel gets of an evenly lit wall."""
    here = core.astype(np.uint8)
    bare, kept = (np.array(cv2.mean(f, here)[:3]) for f in (light.offset, light.gain))
    return f32(bare / np.maximum(1.0 - kept, 0.05))


def scale_shadows(light: LightField, mean: F32, strength: float) -> LightField:
    """The light with its unevenness scaled: 1 as seen, 0 even, above 1 deeper.

    Linear in the field, so it may be applied before enlarging: l' = m + s (l - m), m the wall's
    mean light.
    """
    if strength == 1.0:
        return light
    s = np.float32(strength)
    return LightField(light.gain * s, f32(light.offset * s + (1.0 - s) * mean))


def unguided_light(pattern_free: F32, trust: F32, core: Bool) -> LightField:
    """The light of a wall whose pattern was divided out, without the photo as a guide.

    `pattern_free`: scene-linear light without the pattern, h x w x 3; `trust`, h x w, 0..1: less at
    the pattern's edges, where a part of a pixel's misfit leaves lines; what is carried in from
    beside them takes their place, and a median of 5 x 5 their last specks. Edges of shadows survive
    both.
    """
    log = cv2.log(fill(pattern_free, trust) + np.float32(0.002))
    clean = f32(cv2.exp(cv2.medianBlur(log, 5)) - np.float32(0.002))
    light = estimate_light(clean, core)
    return LightField(np.zeros_like(light.gain), f32(light.gain * clean + light.offset))


def _with_mean_colour(guide: F32, core: Bool) -> F32:
    """The guide with its colour averaged over a large part of the wall, its luminance kept.

    A motif's colour would otherwise tint the light wherever the motif fills the window.
    """
    wide = box_mean(guide, f32(core), max(3, round(COLOUR_REACH * max(core.shape))))
    ratio = channel_mean(guide, LUMA) / np.maximum(channel_mean(wide, LUMA), np.float32(1e-5))
    return f32(wide * repeat_channels(f32(ratio), 3))


def _filtered(guide: F32, core: Bool, radius: int, softness: float) -> LightField:
    window = BoxFilter(f32(core), radius)
    mean = window.mean(guide)
    variance = np.maximum(window.mean(guide * guide) - mean * mean, 0.0)
    noise = np.float32(softness) * np.maximum(channel_mean(mean), np.float32(1e-4))
    # Squared on both sides: a steeper choice between texture and shadow than the guided filter.
    variance *= variance
    gain = variance / (variance + repeat_channels(f32((noise * noise) ** 2), 3))
    offset = mean * (1.0 - gain)
    known = f32(np.minimum(window.total_weight * 4.0, 1.0))
    return LightField(fill(window.mean(f32(gain)), known), fill(window.mean(f32(offset)), known))
