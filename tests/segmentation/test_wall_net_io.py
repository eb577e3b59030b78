"""How a photo is shown to the wall network and its answer laid on the mask grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation import WALL_MAPS_SHAPE
from segmentation.wall_net_io import (
    on_wall_maps_grid,
    planes_of,
    token_grid,
    wall_net_input,
    wall_of,
)


@given(st.integers(1, 900), st.integers(1, 900))
def test_the_network_is_shown_whole_patches_whatever_the_photo(width: int, height: int) -> None:
    picture = wall_net_input(np.zeros((height, width, 3), np.uint8))

    sides = picture.shape[2:]
    assert all(side % 14 == 0 and side > 0 for side in sides)
    assert max(sides) == 462
    assert abs(sides[0] - 462 * height / max(width, height)) <= 14


def test_the_photo_fills_what_the_network_is_shown() -> None:
    photo = np.zeros((300, 768, 3), np.uint8)
    photo[-8:, -8:] = 255

    picture = wall_net_input(photo)

    assert picture[0, 0, -1, -1] > picture[0, 0, 0, 0]


@pytest.mark.parametrize("size", [(1961, 3156), (239, 5257)])
def test_a_halved_photo_is_shown_in_as_many_patches_as_the_whole(size: tuple[int, int]) -> None:
    half = np.zeros((size[0] // 2, size[1] // 2, 3), np.uint8)

    sides = wall_net_input(half, size).shape[2:]

    assert tuple(side // 14 for side in sides) == token_grid(*size) != token_grid(*half.shape[:2])


@pytest.mark.parametrize("size", [(600, 800), (800, 600), (450, 800), (800, 800), (800, 20)])
def test_a_place_in_the_answer_keeps_its_share_of_the_photo(size: tuple[int, int]) -> None:
    height, width = size
    rows, columns = (
        4 * side // 14 for side in wall_net_input(np.zeros((*size, 3), np.uint8)).shape[2:]
    )
    found = np.zeros((WALL_MAPS_SHAPE[0], rows, columns), np.float32)
    found[0, : rows // 2, : columns // 2] = 4

    wall_maps = on_wall_maps_grid(found, height, width)

    assert wall_maps.shape == WALL_MAPS_SHAPE
    seen = wall_of(wall_maps)
    high, wide = (256 * side / max(size) / 2 for side in size)
    assert (seen[:, 0] > 2).sum() == pytest.approx(high, abs=2)
    assert (seen[0] > 2).sum() == pytest.approx(wide, abs=2)
    assert not seen[round(2 * high) + 2 :].any()
    assert not seen[:, round(2 * wide) + 2 :].any()


def test_a_scene_is_cut_into_wall_and_planes() -> None:
    wall_maps = np.arange(9, dtype=np.float32)[:, None, None] * np.ones((1, 128, 128), np.float32)

    assert wall_of(wall_maps).max() == 0
    assert [plane[0, 0] for plane in planes_of(wall_maps)] == list(range(1, 9))
