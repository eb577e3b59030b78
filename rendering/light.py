"""The light on the wall: what the photo says about it once the wall's own colour is taken out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, Bool, f32

# Working size of the light estimate, longest side of the wall's box. Light changes slowly except at
# the edges of cast shadows, and those come back through the guide at full resolution.
WORK_SIDE = 640


@dataclass(frozen=True, slots=True)
class LightField:
    """Scene light sent back by the bare wall: ``gain * guide + offset`` per pixel and channel.

    Both are float32 h x w x 3 at the working size and vary slowly, so they may be enlarged.
    He & Sun, Fast guided filter, 2015.
    """

    gain: F32
    offset: F32


def box_mean(values: F32, weight: F32, radius: int) -> F32:
    """Weighted mean over a (2 radius + 1) square; ``values`` h x w x 3, ``weight`` h x w."""
    size = (2 * radius + 1, 2 * radius + 1)
    total = cv2.blur(weight, size, borderType=cv2.BORDER_CONSTANT)
    summed = cv2.blur(values * weight[..., None], size, borderType=cv2.BORDER_CONSTANT)
    return f32(f32(summed) / np.maximum(f32(total), 1e-6)[..., None])


def fill(values: F32, known: F32) -> F32:
    """Values carried from where ``known`` (0..1) into where it is not, smoothly (push-pull).

    Gortler et al., The lumigraph, 1996: average down a pyramid by weight, fill on the way up.
    """
    height, width = known.shape
    if min(height, width) < 2 or float(known.min()) >= 0.999:
        weight = np.maximum(known, 1e-6)[..., None]
        mean = (values * weight).sum(axis=(0, 1)) / weight.sum(axis=(0, 1))
        return f32(np.where(known[..., None] > 1e-3, values, f32(mean)))
    size = ((width + 1) // 2, (height + 1) // 2)
    low_known = f32(cv2.resize(known, size, interpolation=cv2.INTER_AREA))
    low = f32(cv2.resize(values * known[..., None], size, interpolation=cv2.INTER_AREA))
    low /= np.maximum(low_known, 1e-6)[..., None]
    coarse = fill(low, np.minimum(low_known * 2, 1.0))
    up = f32(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))
    return f32(values * known[..., None] + up * (1.0 - known)[..., None])


def estimate_light(guide: F32, core: Bool, radius: int, softness: float = 0.04) -> LightField:
    """Edge-preserving light of the bare wall.

    ``guide``: scene light of the photo, h x w x 3; ``core``: surely wall; ``radius`` pixels of the
    filter; ``softness``: relative contrast below which a variation is taken for surface texture or
    noise and smoothed away, above which it is taken for a shadow's edge and kept.
    """
    weight = f32(core)
    mean = box_mean(guide, weight, radius)
    square = box_mean(guide * guide, weight, radius)
    variance = np.maximum(square - mean * mean, 0.0)
    level = np.maximum(mean.mean(axis=2, keepdims=True), 1e-4)
    gain = variance / (variance + (softness * level) ** 2)
    offset = mean * (1.0 - gain)
    gain, offset = box_mean(gain, weight, radius), box_mean(offset, weight, radius)
    reach = f32(cv2.blur(weight, (2 * radius + 1,) * 2, borderType=cv2.BORDER_CONSTANT))
    known = np.minimum(reach * 4.0, 1.0)
    return LightField(fill(f32(gain), known), fill(f32(offset), known))
