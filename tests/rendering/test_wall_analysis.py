"""A wall read once serves every paper tried on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering import Placement, RenderingError, analyse_wall, plane_from_quad, render

PLANE = plane_from_quad([[20, 20], [139, 20], [139, 99], [20, 99]], (3.0, 2.0))


def photo() -> np.ndarray:
    shade = np.linspace(90, 180, 160).astype(np.uint8)
    return np.repeat(np.tile(shade, (120, 1))[..., None], 3, axis=2)


def mask() -> np.ndarray:
    covered = np.zeros((120, 160), np.uint8)
    covered[20:100, 20:140] = 255
    return covered


@pytest.mark.parametrize("grey", [40, 220])
def test_a_prepared_wall_gives_the_same_picture(grey: int) -> None:
    paper = np.full((8, 8, 3), grey, np.uint8)
    analysis = analyse_wall(photo(), mask(), PLANE)
    options: dict[str, Any] = {"brightness": 0.5, "keep_shadows": 0.5}
    alone = render(photo(), mask(), paper, PLANE, Placement(0.5), **options)
    again = render(photo(), mask(), paper, PLANE, Placement(0.5), analysis=analysis, **options)
    assert np.array_equal(alone.picture, again.picture)
    assert "light" in alone.timings
    assert "light" not in again.timings


def test_a_wall_of_another_size_is_refused() -> None:
    analysis = analyse_wall(photo(), mask(), PLANE)
    paper = np.full((8, 8, 3), 90, np.uint8)
    with pytest.raises(RenderingError):
        render(photo()[:100], mask()[:100], paper, PLANE, Placement(0.5), analysis=analysis)
