"""Warnings and suggestions about a mask."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import Click, PhotoGrid
from segmentation.review import (
    WARN_ALL,
    WARN_NO_EFFECT,
    WARN_TINY,
    is_honoured,
    middle_of_wall,
    review,
    stability,
)
from tests.segmentation.shapes import disc, half_plane, logits_of, ring

GRID = PhotoGrid(800, 600)


def test_a_good_mask_draws_no_comment() -> None:
    seen = review(logits_of(half_plane(400), GRID), [Click(100, 100, 1)], GRID, None)

    assert (seen.warning, seen.suggested) == (None, None)


def test_a_mask_of_nearly_everything_suggests_an_exclude_click_where_it_is_weakest() -> None:
    seen = review(logits_of(half_plane(770), GRID), [Click(100, 100, 1)], GRID, None)

    assert seen.warning == WARN_ALL
    assert seen.suggested is not None
    assert seen.suggested.label == 0
    assert 750 < seen.suggested.x <= 771


def test_a_tiny_mask_suggests_the_middle_of_the_wall_map() -> None:
    wall = logits_of(disc(600, 200, 150), GRID)

    seen = review(logits_of(disc(100, 500, 8), GRID), [Click(100, 500, 1)], GRID, wall)

    assert seen.warning == WARN_TINY
    assert seen.suggested is not None
    assert seen.suggested.x == pytest.approx(600, abs=8)
    assert seen.suggested.y == pytest.approx(200, abs=8)
    assert seen.suggested.label == 1


def test_a_click_that_the_model_overrules_is_told() -> None:
    clicks = [Click(100, 100, 1), Click(700, 300, 1)]

    assert review(logits_of(half_plane(400), GRID), clicks, GRID, None).warning == WARN_NO_EFFECT


def test_the_middle_of_a_wall_lies_in_it_also_when_it_has_a_hole() -> None:
    wall = logits_of(ring(400, 300, 280, 120), GRID)

    click = middle_of_wall(wall, GRID)

    assert 120 < np.hypot(click.x - 400, click.y - 300) < 280


def test_a_map_without_wall_gives_its_likeliest_place() -> None:
    wall = logits_of(disc(500, 250, -50), GRID)

    click = middle_of_wall(wall, GRID)

    assert (click.x, click.y) == (pytest.approx(500, abs=4), pytest.approx(250, abs=4))


def test_stability_tells_a_firm_mask_from_a_wavering_one() -> None:
    firm = stability(logits_of(half_plane(400), GRID, steepness=2.0), GRID)
    wavering = stability(logits_of(half_plane(400), GRID, steepness=0.004), GRID)

    assert firm > 0.95
    assert wavering < 0.5
    assert stability(np.full((256, 256), -9, np.float32), GRID) == 0


@pytest.mark.parametrize("click", [Click(0, 0, 1), Click(799, 599, 0)])
def test_clicks_in_the_photos_corners_are_judged_on_the_photo(click: Click) -> None:
    assert is_honoured(logits_of(half_plane(400), GRID), click, GRID)
