"""The two facts kept from a photo's metadata: which way is up, and the focal length."""

from __future__ import annotations

import math

from PIL import ExifTags, Image

# Not `ImageOps.exif_transpose`: it copies a photo that is upright already, and writes metadata anew
# that goes no further.
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DIAGONAL_35MM = math.hypot(36.0, 24.0)
_MILLIMETRES = {
    2: 25.4,
    3: 10.0,
    4: 1.0,
    5: 0.001,
}  # FocalPlaneResolutionUnit, Exif 2.32 table 4.6.5
_PLAUSIBLE_FOCAL = (4.0, 2000.0)
_SAME_ASPECT = 0.02


def read_exif(image: Image.Image) -> Image.Exif:
    """The EXIF of a loaded image; empty where it is absent or broken."""
    try:
        exif = image.getexif()
        exif.get(ExifTags.Base.Orientation)
    except Exception:  # the parser raises whatever the bytes lead it to
        return Image.Exif()
    return exif


def apply_orientation(image: Image.Image, exif: Image.Exif) -> Image.Image:
    """`image` turned and mirrored as its EXIF orientation says; HEIC arrives upright."""
    transpose = _TRANSPOSES.get(exif.get(ExifTags.Base.Orientation, 1))
    return image if transpose is None else image.transpose(transpose)


def focal_35mm(exif: Image.Exif, size: tuple[int, int]) -> float | None:
    """Focal length in millimetres on 36 x 24 mm film; None where unknown or no longer true.

    From FocalLengthIn35mmFilm, else FocalLength and the sensor's size (focal plane resolution), by
    equal diagonals. `size` is the (width, height) of the file: where its shape is not the one the
    camera noted, the photo was cropped since and the length would mislead.
    """
    try:
        tags = exif.get_ifd(ExifTags.IFD.Exif)
        camera_size = _numbers(tags, ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
        if camera_size and not _same_shape(camera_size, size):
            return None
        written = _numbers(tags, ExifTags.Base.FocalLengthIn35mmFilm)
        focal = written[0] if written else _focal_from_sensor(tags, camera_size)
    except Exception:  # as in read_exif
        return None
    if focal is None or not _PLAUSIBLE_FOCAL[0] <= focal <= _PLAUSIBLE_FOCAL[1]:
        return None
    return focal


def _focal_from_sensor(tags: dict[int, object], size: tuple[float, ...] | None) -> float | None:
    known = _numbers(
        tags,
        ExifTags.Base.FocalLength,
        ExifTags.Base.FocalPlaneXResolution,
        ExifTags.Base.FocalPlaneYResolution,
    )
    if known is None or size is None:
        return None
    focal, across, down = known
    unit = _MILLIMETRES.get(int(str(tags.get(ExifTags.Base.FocalPlaneResolutionUnit, 2))))
    if unit is None:
        return None
    diagonal = math.hypot(size[0] / across * unit, size[1] / down * unit)
    return focal * _DIAGONAL_35MM / diagonal


def _numbers(tags: dict[int, object], *names: ExifTags.Base) -> tuple[float, ...] | None:
    """The tags as positive finite numbers, or None where one is not."""
    values = tuple(float(str(tags.get(name, 0))) for name in names)
    return values if all(math.isfinite(value) and value > 0 for value in values) else None


def _same_shape(camera: tuple[float, ...], size: tuple[int, int]) -> bool:
    # Some programs rotate the pixels and leave the tags: compare long side to short side.
    noted, now = max(camera) / min(camera), max(size) / min(size)
    return abs(noted / now - 1) <= _SAME_ASPECT
