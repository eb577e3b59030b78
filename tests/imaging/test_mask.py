from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imaging import TruncatedFile, UnsupportedFormat, WrongSize, read_mask
from tests.imaging.files import P3_COLORANTS, matrix_profile, png16, saved

SIZE = (40, 30)


def ramp() -> NDArray[np.uint8]:
    return np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))


def halves(left: Any, right: Any, mode: str) -> bytes:
    image = Image.new(mode, SIZE, right)
    image.paste(left, (0, 0, 20, 30))
    return saved(image, "PNG")


def sides(data: bytes) -> tuple[int, int]:
    mask = read_mask(data, size=SIZE)
    assert mask.shape == (30, 40)
    assert mask.dtype == np.uint8
    assert mask.flags.c_contiguous
    return int(mask[0, 0]), int(mask[0, 39])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_a_soft_mask_keeps_its_values(mode: str) -> None:
    data = saved(Image.fromarray(ramp()).convert(mode), "PNG")
    assert np.array_equal(read_mask(data, size=SIZE), ramp())


def test_a_one_bit_mask_is_none_or_all() -> None:
    assert sides(halves(1, 0, "1")) == (255, 0)


def test_a_sixteen_bit_mask_is_scaled() -> None:
    assert np.array_equal(read_mask(png16(ramp().astype(np.uint16) * 257), size=SIZE), ramp())


def test_a_label_map_of_ones_is_the_whole_wall() -> None:
    assert sides(halves(1, 0, "L")) == (255, 0)


def test_a_sixteen_bit_label_map_is_the_whole_wall() -> None:
    assert sides(png16(np.repeat([[1] * 20 + [0] * 20], 30, axis=0).astype(np.uint16))) == (255, 0)


def test_an_empty_mask_stays_empty() -> None:
    assert sides(halves(0, 0, "L")) == (0, 0)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (40, 90, 200)])
def test_one_colour_on_a_clear_ground_is_covered_by_its_alpha(colour: tuple[int, int, int]) -> None:
    assert sides(halves((*colour, 255), (0, 0, 0, 0), "RGBA")) == (255, 0)
    assert sides(halves((*colour, 128), (0, 0, 0, 0), "RGBA")) == (128, 0)


def test_grey_with_alpha_counts_as_if_on_black() -> None:
    image = Image.new("RGBA", SIZE, (255, 255, 255, 128))
    image.paste((100, 100, 100, 255), (0, 0, 20, 30))
    assert sides(saved(image, "PNG")) == (100, 128)


def test_neither_profile_nor_orientation_touches_a_mask() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    image = Image.fromarray(ramp()).convert("RGB")
    data = saved(image, "PNG", exif=exif, icc_profile=matrix_profile(P3_COLORANTS))
    assert np.array_equal(read_mask(data, size=SIZE), ramp())


def test_a_mask_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(WrongSize) as caught:
        read_mask(halves(255, 0, "L"), size=(30, 40))
    assert "40 x 30" in caught.value.user_message
    assert "30 x 40" in caught.value.user_message


def test_a_mask_as_jpeg_is_refused() -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        read_mask(saved(Image.fromarray(ramp()), "JPEG"), size=SIZE)
    assert "PNG" in caught.value.user_message


def test_a_truncated_mask_is_refused() -> None:
    with pytest.raises(TruncatedFile):
        read_mask(halves(255, 0, "L")[:-30], size=SIZE)
