from __future__ import annotations

import numpy as np
import pytest

from rendering import NothingSelectedError, Placement, plane_from_quad, render


def grey_room(width: int = 120, height: int = 90) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def test_pixels_outside_the_mask_are_bit_identical() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    mask = np.zeros((90, 120), np.uint8)
    mask[20:60, 30:80] = 255
    paper = np.full((8, 8, 3), (200, 30, 30), np.uint8)
    plane = plane_from_quad([[30, 20], [80, 20], [80, 60], [30, 60]], (2.5, 2.0))
    done = render(photo, mask, paper, plane, Placement(0.5))
    assert done.untouched
    assert np.array_equal(done.picture[mask == 0], photo[mask == 0])
    assert not np.array_equal(done.picture[mask > 0], photo[mask > 0])


def test_an_empty_mask_says_that_nothing_is_selected() -> None:
    photo = grey_room()
    plane = plane_from_quad([[0, 0], [119, 0], [119, 89], [0, 89]], (2, 1.5))
    with pytest.raises(NothingSelectedError, match="empty") as caught:
        render(photo, np.zeros((90, 120), np.uint8), photo, plane, Placement(0.5))
    assert "Nothing is selected" in caught.value.user_message
