"""SVG outlines agree with the masks they are drawn around."""

from __future__ import annotations

import re

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from segmentation import outline_path
from tests.segmentation.shapes import Distance, disc, half_plane, iou, prediction_of, ring


def rasterise(path: str, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Fill path data by the even-odd rule; photo pixels, centres at integers."""
    loops = [
        np.array([pair.split(",") for pair in part.split()], float)
        for part in re.findall(r"M([^Z]*)Z", path)
    ]
    # fillPoly takes fixed point with `shift` fraction bits and pixel centres at integers.
    fixed = [np.rint(loop * 16).astype(np.int32) for loop in loops]
    canvas = np.zeros((height, width), np.uint8)
    if fixed:
        cv2.fillPoly(canvas, fixed, 1, shift=4)
    return canvas > 0


def blobs(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 60 * (np.sin(x / 90) + np.cos(y / 70) + 0.4)


def wide_blobs(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return blobs(x / 5, y / 5) * 5


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        (disc(300, 250, 180), (640, 480)),
        (ring(320, 240, 220, 110), (640, 480)),
        (ring(320, 240, 220, 110), (1024, 683)),
        (ring(1500, 1800, 1200, 500), (3000, 4000)),
        (half_plane(333.3), (1024, 683)),
        (blobs, (640, 480)),
        (wide_blobs, (4000, 3000)),
    ],
)
def test_an_outline_filled_again_is_the_mask(shape: Distance, size: tuple[int, int]) -> None:
    prediction = prediction_of(shape, *size)

    path = outline_path(prediction, view_size=(1024, 768))

    assert iou(rasterise(path, *size), prediction.mask() > 127) > 0.98


def test_a_hole_is_a_loop_of_its_own() -> None:
    path = outline_path(prediction_of(ring(320, 240, 200, 90), 640, 480), view_size=(640, 480))

    assert path.count("M") == path.count("Z") == 2


def test_a_wall_to_the_edge_is_outlined_along_the_photos_edge() -> None:
    path = outline_path(prediction_of(half_plane(300), 640, 480), view_size=(640, 480))

    points = np.array([pair.split(",") for pair in path.strip("MZ").split()], float)
    assert points[:, 0].min() == -0.5
    assert (points[:, 1].min(), points[:, 1].max()) == (-0.5, 479.5)
    assert points[:, 0].max() == pytest.approx(300, abs=0.2)


def test_numbers_have_at_most_one_decimal() -> None:
    path = outline_path(prediction_of(blobs, 640, 480), view_size=(640, 480))

    assert re.fullmatch(r"(M-?\d+(\.\d)?,-?\d+(\.\d)?( -?\d+(\.\d)?,-?\d+(\.\d)?)+Z)+", path)


def test_a_busy_outline_stays_small() -> None:
    path = outline_path(prediction_of(wide_blobs, 4000, 3000), view_size=(1024, 768))

    assert 100 < len(path) < 30_000


def test_specks_below_a_few_view_pixels_are_left_out() -> None:
    path = outline_path(prediction_of(disc(900, 900, 3), 4000, 3000), view_size=(800, 600))

    assert path == ""
