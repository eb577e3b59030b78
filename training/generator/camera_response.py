"""From scene light to an 8-bit photo, as a phone or camera would."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from training.generator.colours import Rng
from training.generator.traits import ViewTraits

Float = npt.NDArray[np.floating]
Uint8 = npt.NDArray[np.uint8]
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def develop(light: Float, rng: Rng, traits: ViewTraits) -> Uint8:
    """Linear light (H x W x 3 RGB) to an sRGB photo, uint8 of the same shape.

    White balance, exposure, tone curve, contrast, vignette, softness, noise, in a camera's order.
    """
    a = np.maximum(np.nan_to_num(light), 0)
    a = _tone(_expose(a, rng, traits.exposure), rng)
    a = np.clip(a + (a - a * a) * (2 * a - 1) * rng.uniform(-0.2, 0.8), 0, 1)
    g = a.mean(-1, keepdims=True)
    a = g + (a - g) * rng.uniform(0.7, 1.3)
    a = a * (1 - max(rng.uniform(0, 0.25), traits.vignette) * _distance_squared(a))
    if rng.random() < 0.6:
        a = cv2.GaussianBlur(a.astype(np.float32), (0, 0), rng.uniform(0.3, 0.9))
    grain = rng.normal(0, 1, a.shape) * rng.uniform(0.002, 0.03) * traits.noise
    a = a + grain * (0.4 + np.sqrt(np.clip(a, 0, 1)))
    return (np.clip(a, 0, 1) * 255 + 0.5).astype(np.uint8)


def _expose(a: Float, rng: Rng, stops: float) -> Float:
    """Partly corrected white balance, and an exposure scattered around a mid grey."""
    luminance = a @ _LUMINANCE
    grey = np.array([np.percentile(a[..., i], 60) for i in range(3)]) + 1e-4
    balance = (grey.mean() / grey) ** rng.uniform(0.2, 0.95) * np.exp(rng.normal(0, 0.06, 3))
    a = a * balance.astype(np.float32)
    key = float(np.exp(np.log(luminance + 1e-3).mean())) * 0.5 + 0.5 * float(np.median(luminance))
    return a * (np.exp(rng.normal(math.log(0.2), 0.5)) * 2.0**stops / max(key, 1e-5))


def _tone(a: Float, rng: Rng) -> Float:
    """A filmic shoulder or a short knee before white, then the sRGB curve."""
    if rng.random() < 0.5:
        a = a * (1 + a / 16.0) / (1 + 0.75 * a) * 1.35
    else:
        s = 0.8
        a = np.where(a < s, a, s + (1 - s) * (1 - np.exp(-(a - s) / (1 - s))))
    a = np.clip(a, 0, 1)
    return np.where(a <= 0.0031308, 12.92 * a, 1.055 * a ** (1 / 2.4) - 0.055)


def _distance_squared(a: Float) -> Float:
    """0 in the centre, 1 in the corners; H x W x 1."""
    h, w = a.shape[:2]
    yy, xx = np.mgrid[0:h, 0:w]
    return (((xx / w - 0.5) ** 2 + (yy / h - 0.5) ** 2) * 2)[..., None]
