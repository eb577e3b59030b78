"""Light: between the photo's 8-bit values and scene-linear light, and back.

Wallpaper files are sRGB (IEC 61966-2-1) and describe reflectance. A photo is not: a camera bends
its tones so that a white wall in bright light still shows structure. The bend used here is the
Naka-Rushton response d = x / (x + s) of the encoded value d in 0..1 (Reinhard et al., Photographic
tone reproduction, 2002, use the same form), blended towards the plain sRGB curve when the photo
clips like an uncurved one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, U16, f32, u8

# Scene-linear light at which the curved response reaches half of the range. 0.2: an 18 % grey card
# is encoded as 0.47, which is where sRGB and every film-like curve put it.
HALF_POINT = 0.2
MAX_LIGHT = 16.0
_STEPS = 65536


def srgb_to_linear(value: F64) -> F64:
    """The sRGB decoding function; 0..1 to 0..1."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(value: F64) -> F64:
    """The sRGB encoding function; clips to 0..1."""
    v = np.clip(value, 0.0, 1.0)
    return np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055)


@lru_cache(maxsize=1)
def srgb_table() -> U16:
    """256 entries: an 8-bit sRGB value as linear reflectance, 0..65535."""
    table = srgb_to_linear(np.arange(256) / 255.0)
    return np.round(table * 65535.0).astype(np.uint16)


@dataclass(frozen=True, slots=True)
class CameraCurve:
    """One photo's tone curve. `shoulder`: 1 film-like roll-off, 0 plain sRGB."""

    shoulder: float = 1.0

    def decode_table(self) -> F32:
        """256 entries: the 8-bit value as scene-linear light; a white card in unit light is 1."""
        return _tables(round(self.shoulder, 3))[0]

    def decode(self, picture: U8) -> F32:
        """Picture (any shape, uint8) to scene-linear light (float32)."""
        return f32(cv2.LUT(picture, self.decode_table()))

    def encode(self, light: F32) -> U8:
        """Scene-linear light (any shape, float32, >= 0) to 8-bit values."""
        table = _tables(round(self.shoulder, 3))[1]
        root = cv2.sqrt(light)
        steps = (_STEPS - 1) / math.sqrt(MAX_LIGHT)
        # Saturated at both ends; half a step less, since this rounds and the table's steps begin at
        # their index.
        index = cv2.addWeighted(root, steps, root, 0.0, -0.5, dtype=cv2.CV_16U)
        return u8(cv2.LUT(index, table)).reshape(light.shape)


@lru_cache(maxsize=8)
def _tables(shoulder: float) -> tuple[F32, U8]:
    root = np.linspace(0.0, np.sqrt(MAX_LIGHT), _STEPS)
    light = root * root
    film = light / (light + HALF_POINT)
    film /= film[-1]
    code = shoulder * film + (1.0 - shoulder) * linear_to_srgb(light)
    code = np.maximum.accumulate(code)
    # The inverse: for each 8-bit value the light that encodes to it; the first light that clips
    # stands for everything brighter.
    unique, first = np.unique(code, return_index=True)
    decode = np.interp(np.arange(256) / 255.0, unique, light[first])
    return f32(decode), u8(np.round(code * 255.0))
