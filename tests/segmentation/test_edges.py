"""The mask's edge follows the photo's colours, and stays where colour says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from segmentation import Click, PhotoGrid
from segmentation.clicks.constraints import honour_clicks
from segmentation.masks.edges import refine, refined_field
from segmentation.masks.raster import coverage, line_distance
from tests.segmentation.shapes import disc, half_plane, iou, logits_of, prediction_of, truth_of

WALL, OTHER = (222, 214, 199), (96, 120, 84)


def photo_of(
    wall: npt.NDArray[np.bool_], *, other: tuple[int, int, int] = OTHER, grain: float = 4
) -> npt.NDArray[np.uint8]:
    """Two colours with some grain."""
    picture = np.where(wall[..., None], np.array(WALL), np.array(other)).astype(np.float64)
    picture += np.random.default_rng(1).normal(0, grain, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(640, 480), (1024, 768), (1800, 1350), (200, 300)])
def test_a_line_some_pixels_off_moves_onto_the_photos_edge(size: tuple[int, int]) -> None:
    width, height = size
    cell = max(size) / 256
    true = truth_of(disc(width * 0.45, height * 0.5, min(size) * 0.3), width, height)
    logits = logits_of(
        disc(width * 0.45 + cell, height * 0.5, min(size) * 0.3 + cell / 2), PhotoGrid(*size)
    )

    before = coverage(logits, PhotoGrid(*size), size) > 127
    after = refine(logits, photo_of(true), PhotoGrid(*size)) > 127

    assert 1 - iou(after, true) < 0.2 * (1 - iou(before, true))


def test_where_both_sides_look_alike_the_line_stays() -> None:
    grid = PhotoGrid(640, 480)
    plain = photo_of(np.ones((480, 640), bool))
    logits = logits_of(half_plane(300), grid)

    field = refined_field(logits, plain, grid)

    assert np.abs((field > 0).sum(axis=1) - 301).max() <= 4


def test_a_patterned_wall_gets_no_holes() -> None:
    grid = PhotoGrid(640, 480)
    picture = photo_of(truth_of(half_plane(320), 640, 480))
    picture[::24, :320] = OTHER  # lines of brick in the very colour of what is not wall
    picture[:, :320:40] = OTHER

    mask = refine(logits_of(half_plane(320), grid), picture, grid)

    assert (mask[:, :312] == 255).all()
    assert (mask[:, 330:] == 0).all()


def test_nothing_further_than_two_cells_changes_side() -> None:
    grid = PhotoGrid(512, 512)
    noise = np.random.default_rng(3).integers(0, 256, (512, 512, 3)).astype(np.uint8)
    logits = logits_of(disc(250, 260, 150), grid)

    mask = refine(logits, np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.uint8), grid)

    depth = cv2.resize(line_distance(logits, grid), (512, 512))
    assert (mask[depth > 2.2] == 255).all()
    assert (mask[depth < -2.2] == 0).all()


@pytest.mark.parametrize("value", [-5.0, 5.0])
def test_a_mask_with_one_side_only_stays_so(value: float) -> None:
    grid = PhotoGrid(300, 200)
    picture = photo_of(truth_of(half_plane(150), 300, 200))

    mask = refine(np.full((256, 256), value, np.float32), picture, grid)

    assert (mask == (255 if value > 0 else 0)).all()


def test_the_same_photo_at_two_sizes_gives_the_same_edge() -> None:
    grid = PhotoGrid(2400, 1800)
    true = truth_of(disc(1100, 900, 600), 2400, 1800)
    logits = logits_of(disc(1120, 890, 610), grid)
    large = photo_of(true)
    small: Any = cv2.resize(large, (800, 600), interpolation=cv2.INTER_AREA)

    full = cv2.resize(refine(logits, large, grid), (800, 600), interpolation=cv2.INTER_AREA) > 127

    assert iou(full, refine(logits, small, grid) > 127) > 0.995


def test_tiles_leave_no_seam() -> None:
    # The edge runs along x = 512, where tiles meet; grain is averaged across it.
    grid = PhotoGrid(2048, 1024)
    true = truth_of(half_plane(512), 2048, 1024)

    mask = refine(logits_of(half_plane(516), grid), photo_of(true), grid) > 127

    assert np.abs(mask.sum(axis=1) - 513).max() <= 2


def test_colour_has_no_say_under_a_brush() -> None:
    grid = PhotoGrid(640, 480)
    picture = photo_of(truth_of(half_plane(300), 640, 480))
    logits = logits_of(half_plane(304), grid)

    field = refined_field(logits, picture, grid, trust=np.zeros((256, 256), np.float32))

    assert np.abs((field > 0).sum(axis=1) - 305).max() <= 1


def test_inputs_are_left_as_they_were() -> None:
    grid = PhotoGrid(320, 240)
    picture = photo_of(truth_of(half_plane(150), 320, 240))
    logits = logits_of(half_plane(154), grid)
    kept = picture.copy(), logits.copy()

    first = refine(logits, picture, grid)

    assert (picture == kept[0]).all()
    assert (logits == kept[1]).all()
    assert (refine(logits, picture, grid) == first).all()


def test_grain_leaves_no_specks() -> None:
    grid = PhotoGrid(640, 480)
    picture = photo_of(truth_of(half_plane(300), 640, 480))
    picture[100:400:30, 296] = OTHER
    picture[110:400:30, 306] = WALL

    mask = refine(logits_of(half_plane(301), grid), picture, grid) > 127

    assert mask[:, 296].all()
    assert not mask[:, 306].any()


def test_what_a_click_takes_out_stays_out_though_it_has_the_walls_colour() -> None:
    photo = np.full((512, 512, 3), 200, np.uint8)
    photo[:, 256:] = 90
    click = Click(246, 200, 0)
    wall = prediction_of(lambda x, _: 3 * (256 - x), 512, 512)
    answered = replace(wall, logits=honour_clicks(wall.logits, [click], wall.grid))

    by_colour_alone = answered.mask(photo=photo)
    as_asked = replace(answered, clicks=(click,)).mask(photo=photo)

    assert by_colour_alone[200, 246] > 127  # coloured in again
    assert as_asked[200, 246] < 128
    assert iou(as_asked > 127, by_colour_alone > 127) > 0.99
