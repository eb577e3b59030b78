"""Strangers' bytes become plain pixels here and nowhere else: decode, orient, colours, size, fetch.

Pure: imports no Django; only `imaging.fetch` opens connections.
"""

from __future__ import annotations

from imaging.decode import PHOTO_LIMITS, PhotoLimits
from imaging.encode import (
    STORED_CONTENT_TYPE,
    STORED_SUFFIX,
    VIEW_CONTENT_TYPE,
    VIEW_SUFFIX,
    encode_stored_photo,
    encode_view,
    read_stored,
)
from imaging.errors import (
    DamagedFile,
    EmptyFile,
    ImagingError,
    NotAnImage,
    TooLong,
    TooManyBytes,
    TooManyPixels,
    TooSmall,
    TruncatedFile,
    UnsupportedFormat,
    WrongSize,
)
from imaging.mask import read_mask
from imaging.photo import (
    DECODER_VERSION,
    WALLPAPER_LIMITS,
    Photo,
    WallpaperImage,
    WallpaperLimits,
    read_photo,
    read_wallpaper,
)
from imaging.resize import fit_within, size_within

__all__ = [
    "DECODER_VERSION",
    "PHOTO_LIMITS",
    "STORED_CONTENT_TYPE",
    "STORED_SUFFIX",
    "VIEW_CONTENT_TYPE",
    "VIEW_SUFFIX",
    "WALLPAPER_LIMITS",
    "DamagedFile",
    "EmptyFile",
    "ImagingError",
    "NotAnImage",
    "Photo",
    "PhotoLimits",
    "TooLong",
    "TooManyBytes",
    "TooManyPixels",
    "TooSmall",
    "TruncatedFile",
    "UnsupportedFormat",
    "WallpaperImage",
    "WallpaperLimits",
    "WrongSize",
    "encode_stored_photo",
    "encode_view",
    "fit_within",
    "read_mask",
    "read_photo",
    "read_stored",
    "read_wallpaper",
    "size_within",
]
