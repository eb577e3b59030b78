"""The only place where bytes become a picture: limits first, one decoder, one kind of failure.

Decoders are called by hand instead of through `Image.open`: which one runs is then our decision
alone, and Pillow's process-wide pixel limit (a warning up to twice its value) plays no part, so
nothing global is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile

from imaging import sniff
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
)

_MEGABYTE = 1024 * 1024

# libjpeg walks the whole picture once per scan, and a scan may be a few bytes long: without a limit
# a 20 MB file can ask for hours. Encoders write about ten scans; libjpeg-turbo's own tools advise
# 500 at most.
MAX_JPEG_SCANS = 100
# A JPEG in several scans is held as coefficients (up to 6 bytes a pixel) whatever size it is
# brought down to.
MAX_MULTISCAN_PIXELS = 100_000_000

_DECODERS: dict[str, Callable[[BytesIO], Image.Image]] = {
    sniff.JPEG: jpeg_factory,
    sniff.PNG: PngImageFile,
    sniff.WEBP: WebPImageFile,
    sniff.HEIF: HeifImageFile,
    sniff.AVIF: AvifImageFile,
}


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """What a file may be. Sides and areas are in pixels as stored, before it is turned upright."""

    max_bytes: int = 20 * _MEGABYTE
    max_pixels: int = 50_000_000
    max_jpeg_pixels: int = 200_000_000  # above max_pixels a JPEG is decoded at half size
    min_side: int = 64
    max_side: int = 16_384
    max_aspect: float = 20.0
    noun: str = "photo"


PHOTO_LIMITS = PhotoLimits()


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A decoded file.

    `image` is loaded: frame 0, not yet upright. `file_size` is (width, height) in the file, which
    is larger than the image where a JPEG was decoded at half size. `source_format`: JPEG, MPO, PNG,
    WEBP, HEIF or AVIF.
    """

    image: Image.Image
    file_size: tuple[int, int]
    source_format: str


def decode_image(
    data: bytes, limits: PhotoLimits, accepted: tuple[str, ...] = sniff.PICTURE_FORMATS
) -> DecodedImage:
    """Decode `data` within `limits`.

    No picture memory is allocated before its size has been checked.

    Raises:
        ImagingError: the file is refused; whatever the decoder raised becomes one of these.
    """
    decoder = _recognised_format(data, limits, accepted)
    if decoder == sniff.WEBP:
        canvas = sniff.webp_canvas(data)
        if canvas is not None:
            _check_size(canvas, decoder, limits)
    with _decoder_failures(data, decoder, limits):
        image = _DECODERS[decoder](BytesIO(data))
        file_size = image.size
        _check_size(file_size, decoder, limits)
        if decoder == sniff.JPEG:
            _prepare_jpeg(image, data, limits)
        image.load()
        if decoder == sniff.HEIF:  # may turn out another size than its header said
            file_size = image.size
            _check_size(file_size, decoder, limits)
    return DecodedImage(image, file_size, image.format or decoder)


def _recognised_format(data: bytes, limits: PhotoLimits, accepted: tuple[str, ...]) -> str:
    if not data:
        raise EmptyFile(f"The file is empty. Choose the {limits.noun} again.")
    if len(data) > limits.max_bytes:
        raise TooManyBytes(
            f"The file is {_megabytes(len(data))} MB; "
            f"the limit is {_megabytes(limits.max_bytes)} MB. "
            f"Send a smaller copy of the {limits.noun}."
        )
    kind = sniff.sniff(data)
    if kind.decoder in accepted:
        return kind.decoder
    wanted = _listed(accepted)
    if kind.name is None:
        raise NotAnImage(f"This file is not a picture. Send the {limits.noun} as {wanted}.")
    raise UnsupportedFormat(
        f"This is a {kind.name} file, which cannot be used as a {limits.noun}. "
        f"Send it as {wanted}.",
        f"{kind.name} where {accepted} were accepted",
    )


def _listed(formats: tuple[str, ...]) -> str:
    names = ["HEIC" if name == sniff.HEIF else name.replace("WEBP", "WebP") for name in formats]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _megabytes(count: int) -> str:
    # Rounded up, so that a file just over the limit is not said to be as large as the limit.
    return f"{-(-count * 10 // _MEGABYTE) / 10:g}"


def _check_size(size: tuple[int, int], decoder: str, limits: PhotoLimits) -> None:
    """Check (width, height).

    Raises:
        TooSmall, TooLong, TooManyPixels, DamagedFile: it is out of bounds.
    """
    width, height = size
    described = f"This {limits.noun} is {width} x {height} pixels"
    if width < 1 or height < 1:
        raise DamagedFile(f"This {limits.noun} has no pixels. Choose another file.", described)
    if max(size) > limits.max_side:
        raise TooLong(
            f"{described}; the longest side may be {limits.max_side}. Send a smaller copy of it."
        )
    area = limits.max_jpeg_pixels if decoder == sniff.JPEG else limits.max_pixels
    if width * height > area:
        raise TooManyPixels(
            f"{described} ({width * height / 1e6:.0f} megapixels); "
            f"the limit is {area // 1_000_000} megapixels. "
            "Send a smaller copy of it."
        )
    if min(size) < limits.min_side:
        raise TooSmall(
            f"{described}, which is too small: each side needs at least {limits.min_side}. "
            f"Send the {limits.noun} in its original size."
        )
    if max(size) > limits.max_aspect * min(size):
        raise TooLong(
            f"{described}, which is too long and thin: "
            f"the longer side may be {limits.max_aspect:g} times the shorter one at most. "
            "Crop it and send it again."
        )


def _prepare_jpeg(image: Image.Image, data: bytes, limits: PhotoLimits) -> None:
    """Refuse scan bombs, and have a picture over the pixel limit decoded at half its size."""
    scans = sniff.count_jpeg_scans(data, MAX_JPEG_SCANS)
    if scans > MAX_JPEG_SCANS:
        raise DamagedFile(_damaged(limits), f"JPEG with more than {MAX_JPEG_SCANS} scans")
    width, height = image.size
    if width * height <= limits.max_pixels:
        return  # decoded plainly: the pixels are exactly Pillow's
    if scans > 1 and width * height > MAX_MULTISCAN_PIXELS:
        raise TooManyPixels(
            f"This {limits.noun} is a progressive JPEG of {width * height / 1e6:.0f} megapixels; "
            f"the limit for these is {MAX_MULTISCAN_PIXELS // 1_000_000}. "
            "Send a smaller copy of it."
        )
    image.draft(image.mode, (max(1, width // 2), max(1, height // 2)))


@contextmanager
def _decoder_failures(data: bytes, decoder: str, limits: PhotoLimits) -> Iterator[None]:
    """Turn whatever a decoder raises into one refusal.

    Exception is caught whole on purpose: OSError, ValueError, SyntaxError, struct.error, KeyError,
    IndexError, TypeError, RuntimeError, EOFError and MemoryError have all come out of Pillow's
    plugins for odd files.
    """
    try:
        yield
    except ImagingError:
        raise
    except Exception as error:
        detail = f"{decoder}: {type(error).__name__}: {error}"
        if "truncat" in str(error).lower() or sniff.is_cut_short(data, decoder):
            raise TruncatedFile(
                f"The {limits.noun} is incomplete: the file ends in the middle. "
                "Copy or download it again.",
                detail,
            ) from error
        raise DamagedFile(_damaged(limits), detail) from error


def _damaged(limits: PhotoLimits) -> str:
    return (
        f"The {limits.noun} is damaged and cannot be read. "
        "Open it, save it anew and send that copy."
    )
