"""Warnings and suggestions about a mask."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import Click, PhotoGrid
from segmentation.masks.quality import (
    WARN_ALL,
    WARN_LOST,
    WARN_NO_EFFECT,
    WARN_SWALLOWED,
    WARN_TINY,
    is_honoured,
    middle_of_wall,
    most_doubtful,
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

    assert [click.x, click.y] == pytest.approx([500, 250], abs=4)


def test_stability_tells_a_firm_mask_from_a_wavering_one() -> None:
    firm = stability(logits_of(half_plane(400), GRID, steepness=2.0), GRID)
    wavering = stability(logits_of(half_plane(400), GRID, steepness=0.004), GRID)

    assert firm > 0.95
    assert wavering < 0.5
    assert stability(np.full((256, 256), -9, np.float32), GRID) == 0


@pytest.mark.parametrize("click", [Click(0, 0, 1), Click(799, 599, 0)])
def test_clicks_in_the_photos_corners_are_judged_on_the_photo(click: Click) -> None:
    assert is_honoured(logits_of(half_plane(400), GRID), click, GRID)


def test_a_click_that_swallows_the_room_is_told_with_the_way_back() -> None:
    clicks = [Click(100, 100, 1), Click(200, 300, 1)]
    before, after = (logits_of(half_plane(x), GRID) for x in (150, 600))

    assert review(after, clicks, GRID, None, previous=before).warning == WARN_SWALLOWED


def test_an_exclude_that_takes_most_of_the_wall_is_told_with_the_way_back() -> None:
    clicks = [Click(100, 100, 1), Click(500, 300, 0)]
    before, after = (logits_of(half_plane(x), GRID) for x in (600, 150))

    assert review(after, clicks, GRID, None, previous=before).warning == WARN_LOST


def test_where_mask_and_wall_map_contradict_each_other_a_click_is_suggested() -> None:
    wall = logits_of(half_plane(500), GRID)

    spilled = most_doubtful(logits_of(half_plane(700), GRID), wall, [], GRID)
    missed = most_doubtful(logits_of(half_plane(300), GRID), wall, [], GRID)

    assert spilled is not None
    assert missed is not None
    assert (spilled.label, missed.label) == (0, 1)
    assert 500 < spilled.x < 700
    assert 300 < missed.x < 500


def test_a_place_where_the_visitor_has_clicked_is_not_suggested_again() -> None:
    wall = logits_of(half_plane(500), GRID)
    clicks = [Click(600, 300, 1)]

    assert most_doubtful(logits_of(half_plane(700), GRID), wall, clicks, GRID) is None


def test_another_wall_that_the_mask_does_not_touch_is_no_fault() -> None:
    wall = np.maximum(logits_of(disc(200, 300, 150), GRID), logits_of(disc(650, 300, 100), GRID))
    mask = logits_of(disc(200, 300, 150), GRID)

    assert most_doubtful(mask, wall, [], GRID) is None
    assert review(4 * mask, [Click(200, 300, 1)], GRID, wall).doubt is None


def test_a_review_names_what_speaks_against_a_mask() -> None:
    mask = logits_of(half_plane(600), GRID)
    clicks = [Click(100, 100, 1), Click(200, 300, 1)]
    small, wall = (logits_of(half_plane(x), GRID) for x in (100, 300))

    sure = review(mask, clicks, GRID, None)
    spilled = review(mask, clicks, GRID, wall)
    jumped = review(mask, clicks, GRID, mask, previous=small)
    flat = review(mask * 0.02, clicks, GRID, None)

    assert (sure.doubt, spilled.doubt, jumped.doubt, flat.doubt) == (
        None, "not_wall", "jump", "edge",
    )  # fmt: skip
    assert sure.score > 0.9
    assert max(spilled.score, jumped.score, flat.score) < 0.75
