from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageOps

from imaging import PhotoLimits, encode_stored_photo, read_photo
from tests.imaging.files import (
    P3_COLORANTS,
    SRGB_COLORANTS,
    chunk,
    matrix_profile,
    picture,
    plainly,
    png,
    png16,
    saved,
)


def heic(image: Image.Image, **options: Any) -> bytes:
    target = BytesIO()
    pillow_heif.from_pillow(image).save(target, **options)
    return target.getvalue()


def exif(orientation: int = 1, **tags: Any) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    details = made.get_ifd(0x8769)
    names = {
        "focal_35mm": 0xA405,
        "focal": 0x920A,
        "width": 0xA002,
        "height": 0xA003,
        "across": 0xA20E,
        "down": 0xA20F,
        "unit": 0xA210,
    }
    for name, value in tags.items():
        details[names[name]] = value
    return made


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {"quality": 90}),
        ("JPEG", "RGB", {"quality": 90, "progressive": True}),
        ("JPEG", "L", {}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {}),
        ("PNG", "P", {}),
        ("PNG", "L", {}),
        ("PNG", "1", {}),
        ("WEBP", "RGB", {}),
        ("AVIF", "RGB", {}),
    ],
)
def test_a_plain_file_gives_exactly_pillows_pixels(
    kind: str, mode: str, options: dict[str, Any]
) -> None:
    data = saved(picture().convert(mode), kind, **options)
    photo = read_photo(data)
    assert photo.source_format == kind
    assert np.array_equal(photo.pixels, plainly(data))


def test_pixels_are_rgb_bytes_that_nobody_can_change() -> None:
    pixels = read_photo(saved(picture(96, 72), "PNG")).pixels
    assert pixels.shape == (72, 96, 3)
    assert pixels.dtype == np.uint8
    assert not pixels.flags.writeable


def test_a_heic_is_read() -> None:
    photo = read_photo(heic(picture(), quality=95))
    assert photo.source_format == "HEIF"
    assert np.abs(photo.pixels.astype(int) - np.asarray(picture())).mean() < 3


def test_a_heic_in_ten_bits_looks_as_it_should() -> None:
    wide = np.asarray(picture()).astype(np.uint16) * 257
    made = pillow_heif.from_bytes("RGB;16", (96, 72), wide.tobytes())
    target = BytesIO()
    made.save(target, quality=95)
    pixels = read_photo(target.getvalue()).pixels
    assert np.abs(pixels.astype(int) - np.asarray(picture())).mean() < 3


def test_a_phones_two_picture_jpeg_gives_the_first() -> None:
    first, second = picture(), Image.new("RGB", (96, 72), "red")
    data = saved(first, "MPO", save_all=True, append_images=[second], quality=90)
    photo = read_photo(data)
    assert photo.source_format == "MPO"
    assert np.array_equal(photo.pixels, plainly(saved(first, "JPEG", quality=90)))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_an_animation_gives_its_first_picture(kind: str) -> None:
    later = Image.new("RGB", (96, 72), "red")
    options: dict[str, Any] = {"save_all": True, "append_images": [later], "duration": 100}
    pixels = read_photo(saved(picture(), kind, **options)).pixels
    assert np.abs(pixels.astype(int) - np.asarray(picture())).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_comes_out_upright(kind: str, orientation: int) -> None:
    data = saved(picture(), kind, exif=exif(orientation))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB"))
    assert np.array_equal(read_photo(data).pixels, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_an_orientation_kept_by_the_container_is_applied_once(kind: str, orientation: int) -> None:
    if kind == "HEIF":
        target = BytesIO()
        facts = exif(orientation).tobytes()
        # Unlike saving through an image, this writes the turn into the container.
        pillow_heif.encode("RGB", (96, 72), picture().tobytes(), target, quality=95, exif=facts)
        data = target.getvalue()
    else:
        data = saved(picture(), kind, quality=95, exif=exif(orientation))
    reference = saved(picture(), "PNG", exif=exif(orientation))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(reference))))
    pixels = read_photo(data).pixels
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).mean() < 3


@pytest.mark.parametrize(
    "rubbish", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"]
)
def test_broken_exif_does_not_spoil_a_photo(rubbish: bytes) -> None:
    data = saved(picture(), "JPEG", exif=rubbish)
    with pytest.MonkeyPatch.context() as patch:
        # Pillow warns about what it could not read, which pytest would turn into an error here.
        patch.setattr("warnings.warn", lambda *_, **__: None)
        photo = read_photo(data)
    assert (photo.pixels.shape, photo.focal_35mm) == ((72, 96, 3), None)


def test_a_wide_colour_profile_is_converted() -> None:
    data = saved(picture(), "JPEG", quality=95, icc_profile=matrix_profile(P3_COLORANTS))
    before, after = plainly(data).astype(int), read_photo(data).pixels.astype(int)
    red = np.s_[0, -1]  # the reddest corner: P3 red is stronger than sRGB's
    assert after[red][0] > before[red][0] + 3
    assert after[red][1] < before[red][1]


def test_pure_grey_stays_where_it_is_under_a_wide_colour_profile() -> None:
    grey = Image.new("RGB", (96, 72), (119, 119, 119))
    data = saved(grey, "PNG", icc_profile=matrix_profile(P3_COLORANTS))
    assert np.abs(read_photo(data).pixels.astype(int) - 119).max() <= 1


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        matrix_profile(SRGB_COLORANTS),
    ],
    ids=["littlecms", "hand-made"],
)
def test_an_srgb_profile_of_any_name_changes_no_pixel(profile: bytes) -> None:
    data = saved(picture(), "JPEG", icc_profile=profile)
    assert np.array_equal(read_photo(data).pixels, plainly(data))


def test_srgb_primaries_with_another_curve_are_not_taken_for_srgb() -> None:
    data = saved(picture(), "PNG", icc_profile=matrix_profile(SRGB_COLORANTS, gamma=1.8))
    assert not np.array_equal(read_photo(data).pixels, plainly(data))


@pytest.mark.parametrize(
    "profile",
    [
        b"garbage" * 50,
        matrix_profile(P3_COLORANTS)[:200],
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    ],
    ids=["garbage", "cut", "lab"],
)
def test_a_profile_of_no_use_is_dropped(profile: bytes) -> None:
    data = saved(picture(), "JPEG", icc_profile=profile)
    assert np.array_equal(read_photo(data).pixels, plainly(data))


def test_cmyk_colours_come_out_right_side_up() -> None:
    ink = Image.new("CMYK", (80, 80), (0, 255, 255, 0))
    red, green, blue = read_photo(saved(ink, "JPEG", quality=95)).pixels[40, 40]
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_lies_on_white(kind: str) -> None:
    clear = Image.new("RGBA", (80, 80), (200, 0, 0, 0))
    clear.paste((200, 0, 0, 255), (0, 0, 40, 80))
    pixels = read_photo(saved(clear, kind, lossless=True)).pixels
    assert tuple(pixels[40, 10]) == (200, 0, 0)
    assert tuple(pixels[40, 70]) == (255, 255, 255)


def test_grey_with_alpha_lies_on_white() -> None:
    half = Image.merge("LA", [Image.new("L", (80, 80), 100), Image.new("L", (80, 80), 128)])
    assert abs(int(read_photo(saved(half, "PNG")).pixels[0, 0, 0]) - 177) <= 1


def test_a_palette_with_a_clear_entry_lies_on_white() -> None:
    image = Image.new("P", (80, 80), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.paste(1, (0, 0, 40, 80))
    pixels = read_photo(saved(image, "PNG", transparency=0)).pixels
    assert tuple(pixels[0, 0]) == (40, 50, 60)
    assert tuple(pixels[0, 79]) == (255, 255, 255)


def test_a_clear_colour_in_a_plain_png_lies_on_white() -> None:
    image = Image.new("RGB", (80, 80), (1, 2, 3))
    image.paste((9, 9, 9), (0, 0, 40, 80))
    pixels = read_photo(saved(image, "PNG", transparency=(1, 2, 3))).pixels
    assert tuple(pixels[0, 0]) == (9, 9, 9)
    assert tuple(pixels[0, 79]) == (255, 255, 255)


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    ramp = np.tile(np.linspace(0, 65535, 96).astype(np.uint16), (72, 1))
    pixels = read_photo(png16(ramp)).pixels
    assert np.abs(pixels[..., 0].astype(int) - np.rint(ramp / 257)).max() <= 1
    assert (pixels[0, 0, 0], pixels[0, -1, 0]) == (0, 255)


def test_a_clear_value_in_sixteen_bit_grey_lies_on_white() -> None:
    rows = (b"\0" + struct.pack(">80H", *[500] * 40, *[9000] * 40)) * 80
    clear = chunk(b"tRNS", struct.pack(">H", 500))
    pixels = read_photo(png(80, 80, 16, 0, rows, clear)).pixels
    assert (pixels[0, 0, 0], pixels[0, 79, 0]) == (255, 35)


def test_sixteen_bit_colour_is_scaled() -> None:
    wide = np.asarray(picture()).astype(np.uint16) * 257
    assert np.abs(read_photo(png16(wide)).pixels.astype(int) - np.asarray(picture())).max() <= 1


def test_a_jpeg_over_the_pixel_limit_is_brought_down() -> None:
    data = saved(picture(200, 100), "JPEG", quality=95)
    photo = read_photo(data, limits=PhotoLimits(max_pixels=10_000, max_jpeg_pixels=40_000))
    assert photo.pixels.shape == (50, 100, 3)
    expected = np.asarray(picture(200, 100).resize((100, 50), Image.Resampling.BOX)).astype(int)
    assert np.abs(photo.pixels - expected).mean() < 3


def test_a_jpeg_brought_down_never_exceeds_the_limit_by_rounding() -> None:
    data = saved(picture(201, 101), "JPEG")
    limits = PhotoLimits(max_pixels=5_100, max_jpeg_pixels=40_000)
    height, width = read_photo(data, limits=limits).pixels.shape[:2]
    assert width * height <= 5_100


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_the_focal_length_is_kept_for_the_geometry(kind: str) -> None:
    assert read_photo(saved(picture(), kind, exif=exif(6, focal_35mm=26))).focal_35mm == 26


def test_the_focal_length_of_a_heic_is_kept() -> None:
    source = picture()
    source.info["exif"] = exif(1, focal_35mm=26).tobytes()
    assert read_photo(heic(source)).focal_35mm == 26


def test_the_focal_length_is_worked_out_from_the_sensor() -> None:
    # 6000 x 4000 pixels at 6000 per 22.3 mm: a 22.3 x 14.9 mm sensor, 1.61 times smaller than film.
    per_inch = Fraction(6000 * 254, 223)
    tags = exif(
        focal=18.0, width=6000, height=4000, across=float(per_inch), down=float(per_inch), unit=2
    )
    focal = read_photo(saved(picture(120, 80), "JPEG", exif=tags)).focal_35mm
    assert focal == pytest.approx(18.0 * 36 / 22.3, rel=1e-3)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"focal_35mm": 0},
        {"focal_35mm": 60_000},
        {"focal_35mm": 26, "width": 4000, "height": 2250},
        {"focal": 18.0},
    ],
    ids=["absent", "zero", "absurd", "cropped-since", "sensor-unknown"],
)
def test_a_focal_length_that_cannot_be_right_is_none(tags: dict[str, Any]) -> None:
    assert read_photo(saved(picture(96, 72), "JPEG", exif=exif(**tags))).focal_35mm is None


def test_place_and_camera_do_not_survive() -> None:
    tags = exif(1, focal_35mm=26)
    tags.get_ifd(0x8825)[1] = "N"
    tags[0x010F] = "A secret camera"
    data = saved(picture(), "JPEG", exif=tags, comment=b"a secret comment")
    stored = encode_stored_photo(read_photo(data).pixels)
    assert b"secret" in data
    assert b"secret" not in stored


@pytest.mark.parametrize("trailer", [b"PK\3\4 a zip", b"<script>alert(1)</script>"])
def test_what_hangs_behind_a_picture_is_gone(trailer: bytes) -> None:
    data = saved(picture(), "JPEG") + trailer
    photo = read_photo(data)
    assert np.array_equal(photo.pixels, plainly(data))
    assert trailer not in encode_stored_photo(photo.pixels)


@pytest.mark.parametrize("colour", ["black", "white", (128, 128, 128)])
def test_a_photo_of_one_colour_is_a_photo(colour: Any) -> None:
    assert read_photo(saved(Image.new("RGB", (64, 64), colour), "PNG")).pixels.std() == 0


def test_photos_can_be_read_in_many_threads_at_once() -> None:
    files = [saved(picture(), kind) for kind in ("JPEG", "PNG", "WEBP", "AVIF")] + [heic(picture())]
    alone = [read_photo(data).pixels for data in files]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(read_photo, files * 4))
    for index, photo in enumerate(together):
        assert np.array_equal(photo.pixels, alone[index % len(files)])
