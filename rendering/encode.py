"""Pictures to files: sRGB, no metadata."""

from __future__ import annotations

import cv2
import numpy as np

from rendering.arrays import U8, check_picture
from rendering.errors import RenderingError


def encode_png(picture: U8) -> bytes:
    """An 8-bit RGB picture (H x W x 3) as PNG.

    Raises:
        ImageError: the array is not an 8-bit RGB picture.
        RenderingError: it could not be encoded.
    """
    # Level 3: within a few per cent of level 6's size for photos at a third of its time.
    return _encode(picture, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 3])


def encode_jpeg(picture: U8, quality: int = 92) -> bytes:
    """An 8-bit RGB picture (H x W x 3) as JPEG of `quality` 1..100, chroma at full resolution.

    Raises:
        ImageError: the array is not an 8-bit RGB picture.
        RenderingError: the quality is out of range, or the picture could not be encoded.
    """
    if not 1 <= quality <= 100:
        raise RenderingError("JPEG quality must lie between 1 and 100.")
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _encode(picture, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality, *sampling])


def _encode(picture: U8, kind: str, options: list[int]) -> bytes:
    check_picture(picture, "picture")
    bgr = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(kind, bgr, options)
    if not done:
        raise RenderingError("The picture could not be encoded.", f"cv2.imencode {kind}")
    return bytes(data.tobytes())
