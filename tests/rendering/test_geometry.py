from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering import Placement, PlacementError, QuadError, WallPlane, plane_from_quad
from rendering.geometry.plane import project

SQUARE = [[100.0, 80.0], [500.0, 60.0], [520.0, 400.0], [90.0, 380.0]]
nudges = st.lists(st.floats(-60, 60), min_size=8, max_size=8)


@given(nudges, st.floats(0.2, 20), st.floats(0.2, 20))
@settings(max_examples=60, deadline=None)
def test_the_homography_takes_the_rectangle_to_the_quad(
    nudge: list[float], width: float, height: float
) -> None:
    quad = np.array(SQUARE) + np.reshape(nudge, (4, 2))
    plane = plane_from_quad(quad, (width, height))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    assert np.allclose(project(plane.H, corners), quad, atol=1e-5)


@given(nudges, st.floats(0.05, 8))
@settings(max_examples=60, deadline=None)
def test_scaling_a_plane_moves_points_as_resizing_the_photo_does(
    nudge: list[float], factor: float
) -> None:
    plane = plane_from_quad(np.array(SQUARE) + np.reshape(nudge, (4, 2)), (4, 2.5))
    small = plane.scaled(factor)
    points = np.random.default_rng(0).uniform(0, 2, (20, 2))
    expected = (project(plane.H, points) + 0.5) * factor - 0.5
    assert np.allclose(project(small.H, points), expected, atol=1e-6 * max(1, factor) * 1e3)
    assert np.allclose(small.quad, (plane.quad + 0.5) * factor - 0.5)


def test_vanishing_points_are_where_the_quads_opposite_sides_meet() -> None:
    plane = plane_from_quad(SQUARE, (4, 2.5))
    tl, tr, br, bl = (np.append(c, 1.0) for c in np.array(SQUARE))
    for name, (a, b, c, d) in {
        "horizontal": (tl, tr, bl, br),
        "vertical": (tl, bl, tr, br),
    }.items():
        meet = np.cross(np.cross(a, b), np.cross(c, d))
        got = plane.vanishing_points[name]
        assert np.allclose(np.cross(meet / np.linalg.norm(meet), got), 0, atol=1e-9)


def test_a_plane_as_json_holds_plain_numbers() -> None:
    import json

    told = json.loads(json.dumps(plane_from_quad(SQUARE, (4, 2.5)).as_json()))
    assert set(told) >= {"quad", "H", "vanishing_points", "confidence"}
    assert set(told["vanishing_points"]) == {"vertical", "horizontal"}
    assert np.allclose(told["quad"], SQUARE)


@pytest.mark.parametrize(
    ("quad", "words"),
    [
        ([[0, 0], [10, 10], [10, 0], [0, 10]], "cross"),
        ([[0, 0], [5, 0], [10, 0], [0, 10]], "line"),
        ([[0, 0], [10, 0], [3, 3], [0, 10]], "inwards"),
        ([[0, 0], [0, 10], [10, 10], [10, 0]], "wrong way round"),
        ([[0, 0], [0, 0], [10, 10], [0, 10]], "coincide"),
        ([[0, 0], [math.nan, 0], [10, 10], [0, 10]], "four corners"),
        ([[0, 0], [1e9, 0], [1e9, 10], [0, 10]], "far outside"),
    ],
)
def test_impossible_quads_are_refused_in_words(quad: list[list[float]], words: str) -> None:
    with pytest.raises(QuadError) as caught:
        plane_from_quad(quad, (2, 2))
    assert words in caught.value.user_message


@pytest.mark.parametrize("size", [(0, 2), (2, -1), (math.nan, 2), (math.inf, 2)])
def test_impossible_sizes_are_refused(size: tuple[float, float]) -> None:
    with pytest.raises(QuadError):
        plane_from_quad(SQUARE, size)


@pytest.mark.parametrize(
    "wrong",
    [
        {"repeat_width_m": 0},
        {"repeat_width_m": -1},
        {"repeat_width_m": math.nan},
        {"repeat_width_m": 51},
        {"repeat_width_m": "wide"},
        {"origin_m": (math.inf, 0)},
        {"rotation_deg": math.nan},
        {"drop": 2.0},
        {"mode": "stretch"},
    ],
)
def test_a_senseless_placement_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(PlacementError) as caught:
        Placement(**{"repeat_width_m": 0.5, **wrong})  # type: ignore[arg-type]
    assert caught.value.user_message
    assert caught.value.code == "bad_placement"


def test_a_plane_cannot_be_changed() -> None:
    plane = plane_from_quad(SQUARE, (4, 2.5))
    assert isinstance(plane, WallPlane)
    with pytest.raises(AttributeError):
        plane.confidence = 0.0  # type: ignore[misc]
