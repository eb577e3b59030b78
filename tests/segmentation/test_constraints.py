"""What clicks make sure of, whatever the networks propose."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import Click, PhotoGrid
from segmentation.clicks.constraints import (
    apply_proposal,
    click_trust,
    judge_change,
)
from segmentation.geometry import FloatArray

GRID = PhotoGrid(1024, 1024)  # four pixels a cell


def field(*wall: tuple[int, int, int, int], logit: float = 1.0) -> FloatArray:
    """Logits that are positive in boxes of cells (x0, y0, x1, y1)."""
    logits = np.full((256, 256), -logit, np.float32)
    for x0, y0, x1, y1 in wall:
        logits[y0:y1, x0:x1] = logit
    return logits


def at(column: int, row: int, label: int) -> Click:
    """A click on a cell's middle."""
    return Click(column * 4 + 1.5, row * 4 + 1.5, label)


LEFT, RIGHT = (10, 10, 60, 60), (150, 10, 200, 60)


def test_an_include_never_loses_what_earlier_ones_gained() -> None:
    after = apply_proposal(field(LEFT), field(RIGHT), at(170, 30, 1), GRID)

    assert ((after > 0) == (field(LEFT, RIGHT) > 0)).all()


def test_an_exclude_only_takes_away() -> None:
    after = apply_proposal(field(LEFT), field(RIGHT), at(30, 30, 0), GRID)

    assert not (after > 0).any()


def test_a_weak_change_elsewhere_is_not_let_in() -> None:
    proposed = field(LEFT)
    proposed[10:60, 150:200] = 0.05

    after = apply_proposal(field(), proposed, at(30, 30, 1), GRID)

    assert ((after > 0) == (field(LEFT) > 0)).all()


@pytest.mark.parametrize("beside", [-30, 30])
def test_what_lies_beside_the_photo_decides_nothing_on_it(beside: float) -> None:
    grid = PhotoGrid(1024, 600)  # 150 rows of cells
    before, proposed = field(), field((10, 10, 60, 150))
    proposed[10:150, 150:200] = 0.3  # too weak, far from the click
    other = proposed.copy()
    other[150:] = beside

    one, same = (apply_proposal(before, some, at(30, 30, 1), grid) for some in (proposed, other))

    np.testing.assert_array_equal(one[:150], same[:150])
    assert ((one[:150] > 0) == (field((10, 10, 60, 150))[:150] > 0)).all()


def test_a_change_elsewhere_that_the_networks_are_sure_of_is_let_in() -> None:
    after = apply_proposal(field(), field(LEFT, RIGHT, logit=4), at(30, 30, 1), GRID)

    assert ((after > 0) == (field(LEFT, RIGHT) > 0)).all()


def test_an_include_takes_in_what_is_nearly_wall() -> None:
    proposed = field()
    proposed[10:60, 10:60] = -0.3

    after = apply_proposal(field(), proposed, at(30, 30, 1), GRID)

    assert ((after > 0) == (field(LEFT) > 0)).all()


def test_an_exclude_leaves_what_is_still_rather_wall() -> None:
    proposed = field(LEFT)
    proposed[10:60, 40:60] = 0.3

    after = apply_proposal(field(LEFT), proposed, at(20, 20, 0), GRID)

    assert (after[10:60, 40:60] > 0).all()


@pytest.mark.parametrize("label", [1, 0])
def test_the_clicks_neighbourhood_is_on_its_side(label: int) -> None:
    stubborn = field(LEFT) if label == 0 else field()

    after = apply_proposal(stubborn, stubborn, at(30, 30, label), GRID)

    assert ((after[29:32, 29:32] > 0) == (label == 1)).all()


def test_the_first_click_takes_what_is_proposed() -> None:
    after = apply_proposal(None, field(LEFT, RIGHT), at(30, 30, 1), GRID)

    assert ((after > 0) == (field(LEFT, RIGHT) > 0)).all()


def test_a_first_click_adds_nothing_doubtful_elsewhere_to_the_wall_that_was_seen() -> None:
    proposed = field(LEFT, RIGHT)

    after = apply_proposal(None, proposed, at(30, 30, 1), GRID, walls=field())

    assert ((after > 0) == (field(LEFT) > 0)).all()


def test_a_first_click_adds_what_the_networks_are_sure_of() -> None:
    after = apply_proposal(None, field(LEFT, RIGHT, logit=4), at(30, 30, 1), GRID, walls=field())

    assert ((after > 0) == (field(LEFT, RIGHT) > 0)).all()


def test_a_first_click_may_take_away_from_the_wall_that_was_seen() -> None:
    after = apply_proposal(None, field(LEFT), at(30, 30, 1), GRID, walls=field(LEFT, RIGHT))

    assert ((after > 0) == (field(LEFT) > 0)).all()


def test_an_exclude_spares_what_is_unlike_the_thing_that_it_points_at() -> None:
    likeness = np.full((100, 128), -0.2, np.float32)  # on the part of the grid that a photo covers
    likeness[5:30, 5:30] = 1  # a cupboard
    before = field((10, 10, 160, 60))
    doubtful = np.where(before > 0, np.float32(-0.3), before)

    after = apply_proposal(before, doubtful, at(30, 30, 0), GRID, likeness=likeness)

    assert ((after > 0) == (field((60, 10, 160, 60)) > 0)).all()


def test_an_exclude_takes_what_is_like_the_thing_though_the_networks_doubt_it() -> None:
    before = field((10, 10, 160, 60))
    doubtful = np.where(before > 0, np.float32(0.3), before)
    doubtful[10:60, 10:40] = -2

    after = apply_proposal(
        before, doubtful, at(30, 30, 0), GRID, likeness=np.ones((128, 128), np.float32)
    )

    assert not (after > 0).any()


def test_an_exclude_spares_what_looks_more_like_wall_than_what_it_points_at() -> None:
    before = field((10, 10, 160, 60))
    doubtful = np.where(before > 0, np.float32(-0.3), before)
    walls = field((10, 10, 160, 60))
    walls[10:60, 60:160] = 4  # the wall beside a cupboard

    after = apply_proposal(before, doubtful, at(30, 30, 0), GRID, walls=walls)

    assert ((after > 0) == (field((60, 10, 160, 60)) > 0)).all()


@pytest.mark.parametrize("beside", [-30, 30])
def test_an_exclude_at_the_photos_edge_hears_nothing_from_beside_it(beside: float) -> None:
    grid = PhotoGrid(1024, 600)  # 150 rows of cells
    before = field((10, 100, 160, 150))
    doubtful = np.where(before > 0, np.float32(-0.3), before)
    walls = before.copy()
    walls[100:150, 90:160] = 4  # the wall beside a cupboard
    walls[150:] = beside

    after = apply_proposal(before, doubtful, at(30, 149, 0), grid, walls=walls)

    assert ((after[:150] > 0) == (field((90, 100, 160, 150))[:150] > 0)).all()


def test_an_exclude_on_a_wall_takes_all_that_looks_like_it() -> None:
    before = field((10, 10, 160, 60))
    doubtful = np.where(before > 0, np.float32(-0.3), before)

    after = apply_proposal(before, doubtful, at(30, 30, 0), GRID, walls=before)

    assert not (after > 0).any()


def test_an_include_that_swallows_most_of_the_photo_is_flagged() -> None:
    assert judge_change(field(LEFT), field((0, 0, 256, 200)), at(30, 30, 1), GRID) == "swallowed"
    assert judge_change(field(LEFT), field(LEFT, RIGHT), at(170, 30, 1), GRID) is None


def test_an_exclude_that_takes_most_of_the_wall_is_flagged() -> None:
    both = field(LEFT, RIGHT)

    assert judge_change(both, field((10, 10, 20, 20)), at(30, 30, 0), GRID) == "lost"
    assert judge_change(both, field(LEFT, (150, 10, 190, 60)), at(195, 30, 0), GRID) is None


def test_colour_is_not_trusted_at_a_click() -> None:
    trust = click_trust([at(100, 100, 0)], GRID)

    assert trust[99:102, 99:102].max() == 0
    assert trust[100, 103] == 1
    assert trust.sum() == 256 * 256 - 9
