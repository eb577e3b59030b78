from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from imaging import (
    ImagingError,
    encode_stored_photo,
    encode_view,
    fit_within,
    read_stored,
    size_within,
)
from tests.imaging.files import chunk_kinds, picture, plainly, saved


def test_the_stored_copy_gives_every_pixel_back() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (70, 131, 3), dtype=np.uint8)
    assert np.array_equal(read_stored(encode_stored_photo(noise)), noise)


def test_the_stored_copy_carries_nothing_but_pixels() -> None:
    assert set(chunk_kinds(encode_stored_photo(np.asarray(picture())))) == {
        b"IHDR",
        b"IDAT",
        b"IEND",
    }


def test_a_view_is_a_jpeg_in_the_right_colours() -> None:
    pixels = np.asarray(picture())
    assert np.abs(plainly(encode_view(pixels)).astype(int) - pixels).mean() < 2


@pytest.mark.parametrize(
    "pixels", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3))]
)
def test_what_is_not_rgb_bytes_is_not_encoded(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 H x W x 3"):
        encode_stored_photo(pixels)


def test_a_stored_copy_that_storage_damaged_is_refused() -> None:
    data = encode_stored_photo(np.asarray(picture()))
    for bad in (b"", data[:-40], saved(picture(), "JPEG")):
        with pytest.raises(ImagingError):
            read_stored(bad)


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((400, 300), 200, (200, 150)),
        ((300, 400), 200, (150, 200)),
        ((100, 50), 200, (100, 50)),
        ((1000, 3), 100, (100, 1)),
        ((3, 2), 2, (2, 1)),
        ((333, 100), 50, (50, 15)),
    ],
)
def test_the_longer_side_becomes_the_limit_and_never_grows(
    size: tuple[int, int], longest: int, expected: tuple[int, int]
) -> None:
    assert size_within(size, longest) == expected


def test_a_smaller_copy_holds_the_mean_of_what_it_covers() -> None:
    checks = (np.indices((40, 40)).sum(axis=0) % 2 * 200).astype(np.uint8)
    assert set(np.unique(fit_within(checks, 20))) == {100}


def test_what_fits_is_handed_back_itself() -> None:
    pixels = np.asarray(picture())
    assert fit_within(pixels, 96) is pixels


def test_imaging_needs_no_django() -> None:
    code = "import sys, imaging; sys.exit('django' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
