"""A service's response as pixels: its format and size, and that it is a picture, are checked."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Final

from imaging import PHOTO_LIMITS, ImagingError, read_photo
from jobs.backends.diffusion.errors import BadServiceResponse, PictureRefused
from jobs.backends.diffusion.region import Pixels, Region, resized

# A working copy is about one megapixel; 20 MB and 50 megapixels (the limits of `imaging` for
# photos) are plenty.
RESPONSE_LIMITS: Final = replace(PHOTO_LIMITS, min_side=32, noun="picture")
MAX_BASE64_LENGTH: Final = RESPONSE_LIMITS.max_bytes * 4 // 3 + 8
# Models round sides to multiples of 8, 16 or 64; beyond that it is another picture than the one
# that was sent.
ASPECT_TOLERANCE: Final = 0.06
LEAST_SCALE: Final = 0.45
BLACK: Final = 3
NOT_BLACK: Final = 12


def decode_base64(text: str) -> bytes:
    """The bytes of base64 or of a base64 data URL.

    Raises:
        BadServiceResponse: broken, or too long; the length is checked before decoding.
    """
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise BadServiceResponse(f"a data URL that is not base64: {head[:60]!r}")
    if len(text) > MAX_BASE64_LENGTH:
        raise BadServiceResponse(
            f"{len(text)} characters of base64 where {MAX_BASE64_LENGTH} are allowed"
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadServiceResponse(f"broken base64: {error}") from error


def decode_picture(data: bytes, *, sent: Pixels, region: Region) -> Pixels:
    """The picture's pixels at the region's work size, uint8 RGB.

    sent: what the service was given, to tell a blackened picture from a dark room.

    Raises:
        BadServiceResponse: no picture, or not of the size that was sent.
        PictureRefused: black all over, as content filters return it.
    """
    try:
        pixels = read_photo(data, limits=RESPONSE_LIMITS).pixels
    except ImagingError as error:
        raise BadServiceResponse(f"{error.code}: {error.detail}") from error
    height, width = pixels.shape[:2]
    stretch_x, stretch_y = width / region.work_width, height / region.work_height
    if (
        not 1 / (1 + ASPECT_TOLERANCE) <= stretch_x / stretch_y <= 1 + ASPECT_TOLERANCE
        or min(stretch_x, stretch_y) < LEAST_SCALE
    ):
        asked = f"{region.work_width} x {region.work_height}"
        raise BadServiceResponse(f"a picture of {width} x {height} where {asked} was asked for")
    if int(pixels.max()) <= BLACK and float(sent.mean()) > NOT_BLACK:
        raise PictureRefused("the picture is black all over")
    return resized(pixels, (region.work_width, region.work_height))
