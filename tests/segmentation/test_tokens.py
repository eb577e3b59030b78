"""What is alike in a photo, told by the wall network's tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation import TOKEN_SHAPE, PhotoGrid
from segmentation.clicks.features import covered
from segmentation.wall_net_io import on_token_square, token_grid
from segmentation.walls.tokens import likeness, tokens_on_features, unit_length


@given(st.integers(1, 900), st.integers(1, 900))
def test_tokens_cover_what_the_click_network_reads(width: int, height: int) -> None:
    grid = PhotoGrid(width, height)
    patches = np.ones((TOKEN_SHAPE[0], *token_grid(height, width)), np.float32)

    found = tokens_on_features(on_token_square(patches), grid)

    assert found.shape == (TOKEN_SHAPE[0], *(side // 4 for side in covered(grid)))
    np.testing.assert_allclose(found, 1, atol=1e-5)


@pytest.mark.parametrize("size", [(600, 800), (800, 600), (450, 800), (640, 640)])
def test_a_place_keeps_its_share_of_the_photo(size: tuple[int, int]) -> None:
    height, width = size
    rows, columns = token_grid(height, width)
    patches = np.zeros((TOKEN_SHAPE[0], rows, columns), np.float32)
    patches[0] = (np.arange(columns) + 0.5) / columns
    patches[1] = ((np.arange(rows) + 0.5) / rows)[:, None]

    found = tokens_on_features(on_token_square(patches), PhotoGrid(width, height))

    high, wide = (64 * side / max(size) for side in size)
    inner = slice(4, -4)
    across = (np.arange(found.shape[2]) + 0.5) / wide
    down = (np.arange(found.shape[1]) + 0.5) / high
    np.testing.assert_allclose(found[0, 5, inner], across[inner], atol=0.01)
    np.testing.assert_allclose(found[1, inner, 5], down[inner], atol=0.01)


def test_a_thing_clicked_on_is_like_itself_and_unlike_another() -> None:
    tokens = np.zeros(TOKEN_SHAPE, np.float32)
    tokens[0, :, :16], tokens[1, :, 16:] = 3, 2

    alike = likeness(unit_length(tokens_on_features(tokens, PhotoGrid(800, 800))), 40, 200)

    assert alike[:, :28].min() > 0.99
    assert alike[:, 34:].max() < 0.01


@pytest.mark.parametrize(("x", "column"), [(3.4, 0), (3.6, 1), (7.4, 1), (7.6, 2)])
def test_a_click_speaks_for_the_cell_that_it_lies_in(x: float, column: int) -> None:
    unit = np.eye(64, dtype=np.float32)[:, None, :].repeat(48, axis=1)

    assert likeness(unit, x, 9)[0].argmax() == column


@given(st.floats(-20, 300), st.floats(-20, 300))
def test_a_click_anywhere_has_a_likeness(x: float, y: float) -> None:
    tokens = np.random.default_rng(1).normal(size=(64, 48, 64)).astype(np.float32)

    alike = likeness(unit_length(tokens), x, y)

    assert alike.shape == (48, 64)
    assert alike.max() == pytest.approx(1, abs=1e-4)
    assert alike.min() >= -1.001
