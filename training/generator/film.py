"""From scene light to an 8-bit photo, as a phone or camera would."""

from __future__ import annotations

import math

import cv2
import numpy as np


def develop(lin, rng):
    """A camera: exposure, white balance, tone curve, vignette, softness, noise; returns 8-bit RGB."""
    a = np.maximum(np.nan_to_num(lin), 0)
    lum = a @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    grey = np.array([np.percentile(a[..., i], 60) for i in range(3)]) + 1e-4
    wb = (grey.mean() / grey) ** rng.uniform(0.2, 0.95) * np.exp(rng.normal(0, 0.06, 3))
    a = a * wb.astype(np.float32)
    key = float(np.exp(np.log(lum + 1e-3).mean())) * 0.5 + 0.5 * float(np.median(lum))
    a = a * (np.exp(rng.normal(math.log(0.2), 0.5)) / max(key, 1e-5))
    if rng.random() < 0.5:
        a = a * (1 + a / 16.0) / (1 + 0.75 * a) * 1.35  # filmic shoulder
    else:
        s = 0.8
        a = np.where(a < s, a, s + (1 - s) * (1 - np.exp(-(a - s) / (1 - s))))
    a = np.clip(a, 0, 1)
    a = np.where(a <= 0.0031308, 12.92 * a, 1.055 * a ** (1 / 2.4) - 0.055)
    a = np.clip(a + (a - a * a) * (2 * a - 1) * rng.uniform(-0.2, 0.8), 0, 1)  # contrast
    g = a.mean(-1, keepdims=True)
    a = g + (a - g) * rng.uniform(0.7, 1.3)
    h, w = a.shape[:2]
    yy, xx = np.mgrid[0:h, 0:w]
    a = a * (
        1 - rng.uniform(0, 0.25) * (((xx / w - 0.5) ** 2 + (yy / h - 0.5) ** 2) * 2)[..., None]
    )
    if rng.random() < 0.6:
        a = cv2.GaussianBlur(a.astype(np.float32), (0, 0), rng.uniform(0.3, 0.9))
    a = a + rng.normal(0, 1, a.shape) * rng.uniform(0.002, 0.03) * (0.4 + np.sqrt(np.clip(a, 0, 1)))
    return (np.clip(a, 0, 1) * 255 + 0.5).astype(np.uint8)
