from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imaging import (
    TooLong,
    TooManyPixels,
    TooSmall,
    UnsupportedFormat,
    WallpaperLimits,
    read_wallpaper,
)
from tests.imaging.files import picture, plainly, png_claiming, saved


def test_a_small_tile_is_taken_as_it_is() -> None:
    data = saved(picture(8, 8), "PNG")
    assert np.array_equal(read_wallpaper(data).pixels, plainly(data))


def test_a_large_one_is_brought_down_to_the_longest_useful_side() -> None:
    image = read_wallpaper(
        saved(picture(600, 300), "PNG"), limits=WallpaperLimits(max_result_side=200)
    )
    assert image.pixels.shape == (100, 200, 3)


def test_the_dots_per_inch_follow_the_pixels() -> None:
    data = saved(picture(400, 200), "PNG", dpi=(300, 300))
    assert read_wallpaper(data).dpi == pytest.approx(300, abs=0.1)
    small = read_wallpaper(data, limits=WallpaperLimits(max_result_side=100))
    assert small.dpi == pytest.approx(75, abs=0.1)


def test_the_dots_per_inch_follow_a_jpeg_decoded_at_half_size() -> None:
    data = saved(picture(400, 200), "JPEG", dpi=(300, 300))
    limits = WallpaperLimits(max_pixels=20_000, max_jpeg_pixels=100_000)
    image = read_wallpaper(data, limits=limits)
    assert (image.pixels.shape, image.dpi) == ((100, 200, 3), 150)


def test_a_file_without_dots_per_inch_says_none() -> None:
    assert read_wallpaper(saved(picture(), "PNG")).dpi is None


def test_transparency_lies_on_white() -> None:
    data = saved(Image.new("RGBA", (20, 20), (9, 9, 9, 0)), "PNG")
    assert read_wallpaper(data).pixels.min() == 255


def test_a_roll_too_long_and_thin_is_refused() -> None:
    with pytest.raises(TooLong) as caught:
        read_wallpaper(saved(Image.new("RGB", (4000, 50)), "PNG"))
    assert "wallpaper" in caught.value.user_message


def test_a_tile_of_a_few_pixels_is_refused() -> None:
    with pytest.raises(TooSmall):
        read_wallpaper(saved(Image.new("RGB", (7, 20)), "PNG"))


def test_more_than_forty_megapixels_are_refused() -> None:
    with pytest.raises(TooManyPixels):
        read_wallpaper(png_claiming(8000, 6000))


def test_a_web_page_behind_a_picture_link_is_named() -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        read_wallpaper(b"<html><head><meta http-equiv=refresh></head></html>")
    assert "web page" in caught.value.user_message
