"""The form in which pictures are kept and shown.

The upright photo is kept losslessly, since results promise to equal it bit for bit outside the mask
and every render starts from it. PNG at the fastest level with the "up" filter:
`benchmarks/stored_photo.py` compares the candidates; lossless WebP is smaller, but takes longer to
write and ends at 16383 pixels.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging.decode import PHOTO_LIMITS, decode_image
from imaging.sniff import PNG

STORED_SUFFIX = ".png"
STORED_CONTENT_TYPE = "image/png"
VIEW_SUFFIX = ".jpg"
VIEW_CONTENT_TYPE = "image/jpeg"

_VIEW_QUALITY = 88
# Our own files: whatever was let in once, at the size PNG gives it.
_STORED_LIMITS = replace(
    PHOTO_LIMITS, max_bytes=1 << 30, min_side=1, max_aspect=float("inf"), noun="stored picture"
)


def encode_stored_photo(pixels: NDArray[np.uint8], *, compressed: bool = True) -> bytes:
    """`pixels` (uint8, H x W x 3, RGB) as PNG without metadata; inverse of `read_stored`.

    compressed: False writes them uncompressed: three times as large, in a third of the time.
    """
    level, kind = (1, cv2.IMWRITE_PNG_FILTER_UP) if compressed else (0, cv2.IMWRITE_PNG_FILTER_NONE)
    parameters = [cv2.IMWRITE_PNG_COMPRESSION, level, cv2.IMWRITE_PNG_FILTER, kind]
    return _encode(STORED_SUFFIX, pixels, parameters)


def encode_view(pixels: NDArray[np.uint8], *, quality: int = _VIEW_QUALITY) -> bytes:
    """`pixels` (uint8, H x W x 3, RGB) as JPEG without metadata, 4:4:4, to be shown in pages."""
    parameters = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        cv2.IMWRITE_JPEG_OPTIMIZE,
        1,
    ]
    return _encode(VIEW_SUFFIX, pixels, parameters)


def read_stored(data: bytes) -> NDArray[np.uint8]:
    """Pixels (uint8, H x W x 3, RGB) of a picture kept by `encode_stored_photo`.

    Raises:
        ImagingError: (truncated, damaged, ...) storage gave back something else.
    """
    image = decode_image(data, _STORED_LIMITS, (PNG,)).image
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _encode(suffix: str, pixels: NDArray[np.uint8], parameters: list[int]) -> bytes:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"expected uint8 H x W x 3, got {pixels.dtype} {pixels.shape}")
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), parameters)
    if not done:
        raise ValueError(f"could not encode {pixels.shape} as {suffix}")
    return encoded.tobytes()
