from __future__ import annotations

import struct
import warnings
import zlib
from contextlib import suppress
from io import BytesIO

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from imaging import (
    DamagedFile,
    EmptyFile,
    ImagingError,
    NotAnImage,
    PhotoLimits,
    TooLong,
    TooManyBytes,
    TooManyPixels,
    TooSmall,
    TruncatedFile,
    UnsupportedFormat,
    read_photo,
    read_wallpaper,
)
from tests.imaging.files import chunk, picture, png, png_claiming, saved

FTYP = b"\0\0\0\x18ftyp"


def heic() -> bytes:
    target = BytesIO()
    pillow_heif.from_pillow(picture()).save(target)
    return target.getvalue()


FILES = {
    "JPEG": saved(picture(), "JPEG"),
    "progressive": saved(picture(), "JPEG", progressive=True),
    "PNG": saved(picture(), "PNG"),
    "WEBP": saved(picture(), "WEBP"),
    "AVIF": saved(picture(), "AVIF"),
    "HEIC": heic(),
}


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(EmptyFile):
        read_photo(b"")


def test_a_file_over_the_byte_limit_is_refused_unread() -> None:
    with pytest.raises(TooManyBytes) as caught:
        read_photo(bytes(21_000_000))
    assert "20.1 MB" in caught.value.user_message
    assert "20 MB" in caught.value.user_message


@pytest.mark.parametrize(
    "data", [b"\0", b"x", b"hello, world", bytes(1000), b"\xff\xd8", b"\x89PN"]
)
def test_bytes_that_are_no_picture_are_refused(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        read_photo(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (saved(picture(), "GIF"), "GIF"),
        (saved(picture(), "BMP"), "BMP"),
        (saved(picture(), "TIFF"), "TIFF"),
        (saved(picture(), "ICO"), "ICO"),
        (saved(picture(), "PDF"), "PDF"),
        (saved(picture(), "JPEG2000"), "JPEG 2000"),
        (saved(picture(), "EPS"), "PostScript"),
        (b"8BPS\0\1" + bytes(100), "Photoshop"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL"),
        (b"PK\3\4" + bytes(100), "ZIP"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio or video"),
        (FTYP + b"mp42\0\0\0\0isommp42" + bytes(50), "video"),
        (FTYP + b"qt  \0\0\0\0qt  \0\0\0\0" + bytes(50), "video"),
        (FTYP + b"crx \0\0\0\1crx isom" + bytes(50), "camera raw"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg/>", "SVG"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_kind_of_file_is_refused_by_its_name(data: bytes, name: str) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        read_photo(data)
    assert name in caught.value.user_message
    assert "JPEG, PNG, WebP, HEIC or AVIF" in caught.value.user_message


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused_as_such(kind: str, part: float) -> None:
    data = FILES[kind]
    with pytest.raises(TruncatedFile):
        read_photo(data[: int(len(data) * part)])


def test_truncated_files_are_never_let_through_by_a_global_setting() -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize(
    "data", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBP", FTYP + b"avif"]
)
def test_a_signature_alone_is_a_truncated_file(data: bytes) -> None:
    with pytest.raises(TruncatedFile):
        read_photo(data)


def test_a_jpeg_in_name_only_is_refused() -> None:
    with pytest.raises(ImagingError):
        read_photo(b"\xff\xd8\xff\xe0" + b"This is no JPEG at all. " * 50)


def test_seventy_odd_bytes_that_claim_900_megapixels_are_refused() -> None:
    data = png_claiming(30_000, 30_000)
    assert len(data) < 80
    with pytest.raises((TooManyPixels, TooLong)) as caught:
        read_photo(data)
    assert "30000 x 30000" in caught.value.user_message


def test_a_png_within_the_side_limit_but_over_the_area_is_refused() -> None:
    with pytest.raises(TooManyPixels) as caught:
        read_photo(png_claiming(12_000, 12_000))
    assert "50 megapixels" in caught.value.user_message


@pytest.mark.parametrize("size", [(100_000, 1), (1, 100_000), (16_385, 2000)])
def test_a_side_over_the_limit_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(TooLong):
        read_photo(png_claiming(*size))


def test_a_webp_canvas_is_checked_before_it_is_allocated() -> None:
    body = struct.pack("<B3x", 0) + (16_382).to_bytes(3, "little") * 2
    vp8x = b"VP8X" + struct.pack("<I", 10) + body
    data = b"RIFF" + struct.pack("<I", 4 + len(vp8x)) + b"WEBP" + vp8x
    with pytest.raises(TooManyPixels):
        read_photo(data)


@pytest.mark.parametrize("size", [(1, 1), (63, 400), (400, 63)])
def test_a_photo_too_small_to_be_of_use_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(TooSmall):
        read_photo(saved(Image.new("RGB", size), "PNG"))


def test_a_photo_too_long_and_thin_is_refused() -> None:
    with pytest.raises(TooLong):
        read_photo(saved(Image.new("RGB", (64 * 20 + 1, 64)), "PNG"))


@pytest.mark.parametrize("size", [(0, 0), (0, 100), (100, 0)])
def test_a_picture_of_no_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ImagingError):
        read_photo(png_claiming(*size))


def test_a_jpeg_over_its_own_limit_is_refused() -> None:
    limits = PhotoLimits(max_pixels=1000, max_jpeg_pixels=2000)
    with pytest.raises(TooManyPixels):
        read_photo(FILES["JPEG"], limits=limits)


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = FILES["progressive"]
    last = data.rindex(b"\xff\xda")
    bomb = data[:last] + data[last:-2] * 150 + b"\xff\xd9"
    with pytest.raises(DamagedFile) as caught:
        read_photo(bomb)
    assert "scans" in caught.value.detail


def test_scans_in_thumbnails_and_trailers_do_not_count() -> None:
    trailer = b"\xff\xda\0\2" * 500
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 4 * 500) + b"\xff\xda\0\2" * 500
    data = FILES["progressive"]
    assert read_photo(data[:2] + comment + data[2:] + trailer).source_format == "JPEG"


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt"])
def test_a_compressed_chunk_that_swells_does_no_harm(kind: bytes) -> None:
    swollen = zlib.compress(bytes(40_000_000), 9)
    rows = (b"\0" + bytes(80)) * 80
    with pytest.raises(DamagedFile):
        read_photo(png(80, 80, 8, 0, rows, chunk(kind, b"name\0\0" + swollen)))


def test_a_png_with_a_wrong_checksum_is_refused() -> None:
    data = bytearray(FILES["PNG"])
    data[29] ^= 0xFF
    with pytest.raises(DamagedFile):
        read_photo(bytes(data))


def test_many_metadata_segments_are_taken() -> None:
    segment = b"\xff\xe1" + struct.pack(">H", 65_535) + b"x" * 65_533
    data = FILES["JPEG"]
    assert read_photo(data[:2] + segment * 50 + data[2:]).pixels.shape == (72, 96, 3)


@pytest.mark.parametrize("read", [read_photo, read_wallpaper])
def test_every_refusal_has_a_code_and_a_sentence(read: object) -> None:
    assert callable(read)
    for data in (b"", b"x", b"GIF89a", FILES["JPEG"][:300], png_claiming(30_000, 30_000)):
        with pytest.raises(ImagingError) as caught:
            read(data)
        assert caught.value.code != ImagingError.code
        assert caught.value.user_message.endswith(".")
        assert caught.value.detail


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(sorted(FILES)),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=6)),
        min_size=1,
        max_size=4,
    ),
)
def test_a_file_with_flipped_bytes_is_a_photo_or_a_refusal(
    kind: str, changes: list[tuple[float, bytes]]
) -> None:
    data = bytearray(FILES[kind])
    for where, what in changes:
        at = int(where * len(data))
        data[at : at + len(what)] = what
    with warnings.catch_warnings(), suppress(ImagingError):
        warnings.simplefilter("ignore")  # Pillow grumbles about broken metadata; as in production
        read_photo(bytes(data))
