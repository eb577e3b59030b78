"""How a photo is shown to the wall network and its answer laid on the mask grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation import SCENE_SHAPE
from segmentation.scene import on_scene_grid, planes_of, scene_input, wall_of


@given(st.integers(1, 900), st.integers(1, 900))
def test_the_network_is_shown_multiples_of_32_whatever_the_photo(width: int, height: int) -> None:
    picture, (rows, columns) = scene_input(np.zeros((height, width, 3), np.uint8))

    assert picture.shape[2] % 32 == 0
    assert picture.shape[3] % 32 == 0
    assert 4 * rows <= picture.shape[2] + 3
    assert 4 * columns <= picture.shape[3] + 3


def test_what_lies_beside_the_photo_repeats_its_edge() -> None:
    photo = np.zeros((300, 768, 3), np.uint8)
    photo[-1] = 255

    picture, _ = scene_input(photo)

    assert picture.shape[2] == 320
    np.testing.assert_array_equal(picture[0, :, 300:], picture[0, :, 299:300].repeat(20, axis=1))


@pytest.mark.parametrize(("rows", "columns"), [(144, 192), (192, 144), (108, 192), (192, 192)])
def test_a_place_in_the_answer_keeps_its_share_of_the_photo(rows: int, columns: int) -> None:
    found = np.zeros((SCENE_SHAPE[0], 192, 192), np.float32)
    found[0, : rows // 2, : columns // 2] = 4

    scene = on_scene_grid(found, (rows, columns))

    assert scene.shape == SCENE_SHAPE
    wall = wall_of(scene) > 2
    longest = max(rows, columns)
    assert wall.sum() == pytest.approx(
        (256 * rows / longest / 2) * (256 * columns / longest / 2), rel=0.03
    )
    assert not wall[round(256 * rows / longest / 2) + 2 :].any()


def test_a_scene_is_cut_into_wall_and_planes() -> None:
    scene = np.arange(9, dtype=np.float32)[:, None, None] * np.ones((1, 128, 128), np.float32)

    assert wall_of(scene).max() == 0
    assert [plane[0, 0] for plane in planes_of(scene)] == list(range(1, 9))
