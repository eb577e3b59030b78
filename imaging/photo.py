"""Photos and wallpapers from strangers, as plain pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.colour import to_srgb
from imaging.decode import PHOTO_LIMITS, DecodedImage, PhotoLimits, decode_image
from imaging.exif import apply_orientation, focal_35mm, read_exif
from imaging.resize import fit_area, fit_within

# Part of a photo's name. To be raised whenever `read_photo` makes other pixels of some file: an
# embedding that was kept from before would otherwise be taken for that of the new pixels.
DECODER_VERSION = 1

_PLAUSIBLE_DPI = (1.0, 10_000.0)


@dataclass(frozen=True, slots=True)
class WallpaperLimits(PhotoLimits):
    """What a wallpaper file may be; results are at most `max_result_side` long."""

    max_pixels: int = 40_000_000
    min_side: int = 8
    max_aspect: float = 50.0
    noun: str = "wallpaper"
    max_result_side: int = 4096


WALLPAPER_LIMITS = WallpaperLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """An upright photo.

    `pixels`: uint8, H x W x 3, RGB, sRGB, read-only. `source_format`: JPEG, MPO, PNG, WEBP, HEIF or
    AVIF. `focal_35mm`: focal length in millimetres on 36 x 24 mm film, None where unknown.
    """

    pixels: NDArray[np.uint8]
    source_format: str
    focal_35mm: float | None


@dataclass(frozen=True, slots=True, eq=False)
class WallpaperImage:
    """A wallpaper's picture.

    `pixels`: uint8, H x W x 3, RGB, sRGB, opaque, read-only. `dpi`: pixels of `pixels` per inch of
    paper along x as the file says (already scaled if the picture was), None where it does not;
    screens' 72 and 96 say little.
    """

    pixels: NDArray[np.uint8]
    source_format: str
    dpi: float | None


def read_photo(data: bytes, *, limits: PhotoLimits = PHOTO_LIMITS) -> Photo:
    """Decode a room photo: upright, sRGB, 8-bit RGB, without metadata.

    For a plain sRGB file within `limits.max_pixels` the pixels are exactly those of Pillow's
    `ImageOps.exif_transpose(image).convert("RGB")`. A JPEG above that comes at half size.
    `DECODER_VERSION` has to be raised with every change of what comes out.

    Raises:
        ImagingError: the file is refused.
    """
    decoded = decode_image(data, limits)
    exif = read_exif(decoded.image)
    upright = apply_orientation(to_srgb(decoded.image), exif)
    pixels = fit_area(np.asarray(upright), limits.max_pixels)
    return Photo(_frozen(pixels), decoded.source_format, focal_35mm(exif, decoded.file_size))


def read_wallpaper(data: bytes, *, limits: WallpaperLimits = WALLPAPER_LIMITS) -> WallpaperImage:
    """Decode a wallpaper: at most `limits.max_result_side` long, transparency on white.

    Raises:
        ImagingError: the file is refused.
    """
    decoded = decode_image(data, limits)
    upright = apply_orientation(to_srgb(decoded.image), read_exif(decoded.image))
    pixels = fit_within(np.asarray(upright), limits.max_result_side)
    scale = max(pixels.shape) / max(decoded.file_size)
    return WallpaperImage(_frozen(pixels), decoded.source_format, _dpi(decoded, scale))


def _dpi(decoded: DecodedImage, scale: float) -> float | None:
    """The file's dots per inch along x, times `scale`; None where absent or absurd."""
    written = decoded.image.info.get("dpi")
    if not isinstance(written, tuple) or not written:
        return None
    try:
        dpi = float(written[0])
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # Also false for NaN, which a fraction with a zero denominator becomes.
    return dpi * scale if _PLAUSIBLE_DPI[0] <= dpi <= _PLAUSIBLE_DPI[1] else None


def _frozen(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pixels.flags.writeable = False
    return pixels
