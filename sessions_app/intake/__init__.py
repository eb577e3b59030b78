"""Intake: the bytes of strangers become plain pixels here, and nowhere else. Imports no Django."""

from __future__ import annotations

from sessions_app.intake.door import PHOTO_LIMITS, PhotoLimits
from sessions_app.intake.errors import (
    DamagedFile,
    EmptyFile,
    IntakeError,
    NotAnImage,
    TooLong,
    TooManyBytes,
    TooManyPixels,
    TooSmall,
    TruncatedFile,
    UnsupportedFormat,
    WrongSize,
)
from sessions_app.intake.mask import read_mask
from sessions_app.intake.photo import (
    INTAKE_VERSION,
    WALLPAPER_LIMITS,
    Photo,
    WallpaperImage,
    WallpaperLimits,
    read_photo,
    read_wallpaper,
)
from sessions_app.intake.scale import fit_within, size_within
from sessions_app.intake.stored import (
    STORED_CONTENT_TYPE,
    STORED_SUFFIX,
    VIEW_CONTENT_TYPE,
    VIEW_SUFFIX,
    encode_stored_photo,
    encode_view,
    read_stored,
)

__all__ = [
    "INTAKE_VERSION",
    "PHOTO_LIMITS",
    "STORED_CONTENT_TYPE",
    "STORED_SUFFIX",
    "VIEW_CONTENT_TYPE",
    "VIEW_SUFFIX",
    "WALLPAPER_LIMITS",
    "DamagedFile",
    "EmptyFile",
    "IntakeError",
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
