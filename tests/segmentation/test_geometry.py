"""Photo pixels, model pixels and mask cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation import PhotoGrid
from segmentation.geometry import coarse_cell

sides = st.integers(1, 12_000)


@st.composite
def grids_and_points(draw: st.DrawFn) -> tuple[PhotoGrid, tuple[float, float]]:
    grid = PhotoGrid(draw(sides), draw(sides))
    x = draw(st.floats(-0.5, grid.width - 0.5))
    y = draw(st.floats(-0.5, grid.height - 0.5))
    return grid, (x, y)


@given(grids_and_points())
def test_a_prompt_point_keeps_its_place_on_the_resized_photo(
    case: tuple[PhotoGrid, tuple[float, float]],
) -> None:
    grid, (x, y) = case
    width, height = grid.resized

    [found] = grid.prompt_to_model([(x, y)])

    np.testing.assert_allclose(found, (x * width / grid.width, y * height / grid.height), atol=1e-3)


@given(grids_and_points())
def test_a_raster_point_returns_from_the_mask_grid_to_where_it_was(
    case: tuple[PhotoGrid, tuple[float, float]],
) -> None:
    grid, point = case

    there_and_back = grid.mask_to_photo(grid.photo_to_mask([point]))

    np.testing.assert_allclose(there_and_back[0], point, atol=1e-6)


@given(grids_and_points())
def test_a_point_on_the_photo_lands_on_cells_that_hold_the_photo(
    case: tuple[PhotoGrid, tuple[float, float]],
) -> None:
    grid, point = case
    columns, rows = grid.mask_extent

    [(x, y)] = grid.photo_to_mask([point])

    assert -0.5 <= x <= columns - 0.5 + 1e-9
    assert -0.5 <= y <= rows - 0.5 + 1e-9


@given(sides, sides)
def test_the_long_side_becomes_1024(width: int, height: int) -> None:
    resized = PhotoGrid(width, height).resized

    assert max(resized) == 1024
    assert min(resized) >= 1


def test_the_resized_size_follows_sams_rounding() -> None:
    assert PhotoGrid(1800, 1200).resized == (1024, 683)
    assert PhotoGrid(480, 640).resized == (768, 1024)
    assert PhotoGrid(100_000, 1).resized == (1024, 1)


def test_prompt_points_are_scaled_without_a_half_pixel_shift() -> None:
    np.testing.assert_allclose(PhotoGrid(2048, 1024).prompt_to_model([(100, 40)]), [(50, 20)])


def test_the_photos_corners_are_edges_of_its_corner_pixels() -> None:
    grid = PhotoGrid(2048, 1024)

    [(x, y)] = grid.photo_to_mask([(2047.5, -0.5)])

    assert (x, y) == (255.5, -0.5)


@given(st.floats(-0.5, 255.49), st.floats(-0.5, 255.49), st.sampled_from([2, 4]))
def test_a_place_lies_within_its_coarse_cell(x: float, y: float, each: int) -> None:
    row, column = coarse_cell(x, y, each, (256 // each, 256 // each))

    for place, cell in ((y, row), (x, column)):
        assert cell * each - 0.5 <= place < (cell + 1) * each - 0.5


@pytest.mark.parametrize(
    ("place", "cell"), [((-30, 9), (2, 0)), ((400, -1), (0, 63)), ((9, 300), (47, 2))]
)
def test_a_place_beside_the_grid_has_the_nearest_cell(
    place: tuple[float, float], cell: tuple[int, int]
) -> None:
    assert coarse_cell(*place, 4, (48, 64)) == cell
