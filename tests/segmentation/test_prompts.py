"""Clicks and boxes as SAM's exported decoder expects them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from segmentation import Box, Click, PhotoGrid, PromptError
from segmentation.sam.prompts import MAX_CLICKS, check_prompt, choose_candidate, encode_prompt

GRID = PhotoGrid(2048, 1024)


def test_clicks_alone_are_followed_by_one_padding_point() -> None:
    prompt = encode_prompt([Click(100, 50, 1), Click(400, 80, 0)], None, GRID)

    np.testing.assert_array_equal(prompt.coords, [[[50, 25], [200, 40], [0, 0]]])
    np.testing.assert_array_equal(prompt.labels, [[1, 0, -1]])
    assert prompt.coords.dtype == prompt.labels.dtype == np.float32


def test_a_box_takes_the_place_of_the_padding_point() -> None:
    prompt = encode_prompt([Click(100, 50, 1)], Box(0, 0, 2000, 1000), GRID)

    np.testing.assert_array_equal(prompt.coords, [[[50, 25], [0, 0], [1000, 500]]])
    np.testing.assert_array_equal(prompt.labels, [[1, 2, 3]])


def test_a_box_drawn_from_any_corner_is_the_same_box() -> None:
    one = encode_prompt([], Box(10, 20, 300, 400), GRID)
    other = encode_prompt([], Box(300, 20, 10, 400), GRID)

    np.testing.assert_array_equal(one.coords, other.coords)


def test_one_click_takes_the_best_of_the_three_other_masks() -> None:
    scores = np.array([0.99, 0.5, 0.9, 0.7], np.float32)

    assert choose_candidate(scores, prompt_points=2) == 2


def test_two_clicks_take_the_single_mask() -> None:
    scores = np.array([0.1, 0.5, 0.9, 0.7], np.float32)

    assert choose_candidate(scores, prompt_points=3) == 0


def test_an_export_with_one_mask_leaves_no_choice() -> None:
    assert choose_candidate(np.array([0.4], np.float32), prompt_points=2) == 0


@pytest.mark.parametrize(
    "click",
    [
        Click(-1, 5, 1),
        Click(5, 1024, 1),
        Click(2048, 5, 1),
        Click(math.nan, 5, 1),
        Click(5, math.inf, 1),
    ],
)
def test_a_click_outside_the_photo_is_refused(click: Click) -> None:
    with pytest.raises(PromptError) as caught:
        check_prompt([click], None, GRID)

    assert "outside the photo, which is 2048 x 1024 pixels" in caught.value.user_message


def test_a_click_on_the_outermost_pixels_is_accepted() -> None:
    check_prompt([Click(0, 0, 1), Click(2047, 1023, 0)], None, GRID)


def test_exclude_clicks_alone_are_refused() -> None:
    with pytest.raises(PromptError) as caught:
        check_prompt([Click(5, 5, 0)], None, GRID)

    assert caught.value.user_message == "Click on the wall first."


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(PromptError, match="label 7"):
        check_prompt([Click(5, 5, 7)], None, GRID)


def test_an_empty_box_is_refused() -> None:
    with pytest.raises(PromptError, match="empty box"):
        check_prompt([], Box(5, 5, 5, 90), GRID)


def test_a_flood_of_clicks_is_refused() -> None:
    with pytest.raises(PromptError) as caught:
        check_prompt([Click(5, 5, 1)] * (MAX_CLICKS + 1), None, GRID)

    assert str(MAX_CLICKS) in caught.value.user_message
