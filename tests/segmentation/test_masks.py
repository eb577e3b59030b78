"""Coverage of photo pixels from logits."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import PhotoGrid
from segmentation.masks.raster import coverage
from tests.segmentation.shapes import (
    Distance,
    disc,
    half_plane,
    iou,
    logits_of,
    prediction_of,
    ring,
    truth_of,
)

SIZES = [(640, 480), (1024, 683), (3000, 4000), (200, 150), (700, 701)]


@pytest.mark.parametrize("size", SIZES)
def test_the_mask_of_a_disc_lies_on_the_disc(size: tuple[int, int]) -> None:
    width, height = size
    shape = disc(width * 0.42, height * 0.55, min(size) * 0.31)

    mask = prediction_of(shape, width, height).mask() > 127

    assert iou(mask, truth_of(shape, width, height)) > 0.99


@pytest.mark.parametrize("size", SIZES)
def test_the_masks_centre_is_not_shifted(size: tuple[int, int]) -> None:
    width, height = size
    x0, y0, radius = width * 0.42, height * 0.55, min(size) * 0.31

    mask = prediction_of(disc(x0, y0, radius), width, height).mask().astype(np.float64)

    ys, xs = np.mgrid[0:height, 0:width]
    cell = max(size) / 256
    assert (mask * xs).sum() / mask.sum() == pytest.approx(x0, abs=0.03 * cell + 0.02)
    assert (mask * ys).sum() / mask.sum() == pytest.approx(y0, abs=0.03 * cell + 0.02)


def test_inside_is_exactly_255_and_outside_exactly_0() -> None:
    shape = ring(400, 300, 250, 90)

    mask = prediction_of(shape, 800, 600).mask()

    ys, xs = np.mgrid[0:600, 0:800].astype(np.float64)
    distance = shape(xs, ys)
    assert mask.dtype == np.uint8
    assert (mask[distance > 5] == 255).all()
    assert (mask[distance < -5] == 0).all()


@pytest.mark.parametrize("steepness", [0.02, 0.2, 2.0])
def test_the_edge_is_as_soft_however_sure_the_decoder_is(steepness: float) -> None:
    grid = PhotoGrid(1024, 768)
    logits = logits_of(half_plane(500.25), grid, steepness=steepness)

    row = coverage(logits, grid, (1024, 768))[300].astype(float)

    soft = int(((row > 0) & (row < 255)).sum())
    assert 1 <= soft <= 4
    assert (row / 255).sum() == pytest.approx(500.75, abs=0.6)


def test_a_wall_that_runs_out_of_the_photo_is_full_to_the_last_pixel() -> None:
    mask = prediction_of(half_plane(300), 640, 480).mask()

    assert (mask[:, :295] == 255).all()
    assert (mask[0, :295] == 255).all()
    assert (mask[-1, :295] == 255).all()


def test_a_preview_mask_shows_the_same_area_as_the_full_one() -> None:
    prediction = prediction_of(disc(1500, 1100, 700), 4000, 3000)

    small, full = prediction.mask((400, 300)), prediction.mask()

    assert small.shape == (300, 400)
    assert small.mean() == pytest.approx(full.mean(), rel=0.005)


def test_area_is_the_share_of_the_photo_without_padding() -> None:
    assert prediction_of(half_plane(320), 640, 160).area == pytest.approx(0.5, abs=0.01)


def _empty(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.full(np.broadcast(x, y).shape, -1.0)


def test_an_empty_mask_is_all_zero() -> None:
    empty: Distance = _empty

    assert not prediction_of(empty, 640, 480).mask().any()
