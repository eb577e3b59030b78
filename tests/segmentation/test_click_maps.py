"""What the click network is told of clicks."""

from __future__ import annotations

import numpy as np

from segmentation import Scope
from segmentation.click_maps import ClickEvidence, click_maps, disc, plane_affinity

WALL = np.zeros((256, 256), np.float32)
RGB = np.full((256, 256, 3), 255, np.uint8)


def click(label: int, x: float, y: float, logit: float = 1.0) -> ClickEvidence:
    grid = np.full((256, 256), 0.5, np.float32)
    return ClickEvidence(label, x, y, grid, grid, np.full((3, 256, 256), logit, np.float32))


def test_without_clicks_only_the_photo_and_the_walls_are_told() -> None:
    maps = click_maps(WALL + 3, WALL - 3, RGB, [], Scope.UNSAID)

    assert maps.shape == (19, 256, 256)
    assert not maps[1:13].any()
    assert maps[0, 0, 0] == -maps[16, 0, 0] > 0.7
    assert (maps[13:16] == 0.5).all()


def test_includes_and_excludes_have_maps_of_their_own() -> None:
    maps = click_maps(WALL, WALL, RGB, [click(1, 20, 30), click(0, 200, 100)], Scope.UNSAID)

    assert maps[1].argmax() == 30 * 256 + 20
    assert maps[2].argmax() == 100 * 256 + 200


def test_the_order_of_clicks_does_not_matter() -> None:
    clicks = [click(1, 20, 30, 2), click(1, 90, 80, 1), click(0, 200, 100)]

    there = click_maps(WALL, WALL, RGB, clicks, Scope.UNSAID)
    back = click_maps(WALL, WALL, RGB, clicks[::-1], Scope.UNSAID)

    np.testing.assert_array_equal(there, back)


def test_the_surest_of_several_clicks_counts() -> None:
    maps = click_maps(WALL, WALL, RGB, [click(1, 5, 5, -3), click(1, 9, 9, 8)], Scope.UNSAID)

    assert (maps[7:10] > 0.9).all()


def test_the_scope_is_said_in_its_own_maps() -> None:
    one, every = (
        click_maps(WALL, WALL, RGB, [], scope) for scope in (Scope.THIS_WALL, Scope.ALL_WALLS)
    )

    assert one[17].all()
    assert not one[18].any()
    assert every[18].all()
    assert not every[17].any()


def test_cells_with_like_plane_vectors_are_near_and_others_are_not() -> None:
    planes = np.zeros((8, 128, 128), np.float32)
    planes[:, :, 64:] = 2

    affinity = plane_affinity(planes, 10, 100)

    assert affinity[:, :120].min() > 0.95
    assert affinity[:, 136:].max() < 0.01


def test_a_disc_is_highest_at_its_click_and_gone_twenty_cells_away() -> None:
    bump = disc(100, 50)

    assert bump[50, 100] == 1
    assert bump[50, 121] < 1e-5
