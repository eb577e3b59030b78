"""Joints between strips: where they lie, how dark they are, and that they never moire."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rendering import Placement, PlacementError, WallPlane, plane_from_quad
from rendering.geometry.lens_distortion import Distortion
from rendering.texture.sampler import TextureSampler
from rendering.texture.seams import DARKNESS, JOINT_M

WIDTH, HEIGHT = 600, 300
PLAIN = np.full((8, 8, 3), 180, np.uint8)


def frontal(metres: float) -> WallPlane:
    quad = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]]) - 0.5
    return plane_from_quad(quad, (metres, metres * HEIGHT / WIDTH))


def light_left(plane: WallPlane, **how: object) -> np.ndarray:
    """What the joints leave of a plain paper's light, HEIGHT x WIDTH."""
    seen, bare = (
        TextureSampler(PLAIN, plane, Placement(1.0, **place)).sample(0, 0, WIDTH, HEIGHT)[..., 0]  # type: ignore[arg-type]
        for place in ({"seams": True, **how}, {k: v for k, v in how.items() if k == "mode"})
    )
    return seen / bare


def test_joints_are_not_shown_unless_asked_for() -> None:
    seen = TextureSampler(PLAIN, frontal(3.0), Placement(1.0)).sample(0, 0, WIDTH, HEIGHT)
    assert np.ptp(seen) < 1e-6


def test_a_joint_lies_at_every_strips_edge_and_nowhere_else() -> None:
    left = light_left(frontal(3.0), strip_width_m=0.5)
    dark = np.flatnonzero(left[150] < 0.999)
    near = np.arange(0, 7) * 100 - 0.5
    assert np.abs(dark[:, None] - near).min(axis=1).max() <= 1.0
    assert all((np.abs(dark - x) <= 1.0).any() for x in near[1:-1])


def test_a_joints_darkness_is_its_true_width_however_it_falls_on_the_pixels() -> None:
    for shift in (0.0, 0.0013, 0.0031):
        left = light_left(frontal(3.0), strip_width_m=0.5, origin_m=(shift, 0.0))
        lost = (1.0 - left[150, 60:160]).sum() * 3.0 / WIDTH
        assert lost == pytest.approx(JOINT_M * DARKNESS, rel=0.01)


@pytest.mark.parametrize("metres", [40.0, 173.0, 900.0])
def test_strips_finer_than_pixels_leave_no_moire(metres: float) -> None:
    left = light_left(frontal(metres), strip_width_m=0.5)
    assert np.ptp(left) < 0.02
    assert left.mean() == pytest.approx(1.0 - DARKNESS * JOINT_M / 0.5, abs=1e-4)


def test_joints_turn_with_the_paper() -> None:
    left = light_left(frontal(3.0), strip_width_m=0.5, rotation_deg=90)
    assert np.ptp(left, axis=1).max() < 1e-4
    assert (np.diff(np.flatnonzero(left[:, 300] < 0.98)) > 50).sum() >= 2


def test_a_murals_first_strip_begins_at_its_left_edge() -> None:
    left = light_left(frontal(3.0), strip_width_m=0.75, mode="fit-width")
    dark = np.flatnonzero(left[150] < 0.98)
    assert {round(float(x) / 150) * 150 for x in dark} >= {150, 300, 450}
    assert np.abs(dark - np.round(dark / 150) * 150).max() <= 1


def test_joints_bend_with_the_wall_in_a_bent_photo() -> None:
    lens = Distortion.of_photo(0.15, WIDTH, HEIGHT)
    plane = replace(frontal(3.0), distortion=lens)
    left = light_left(plane, strip_width_m=0.5)
    ys, xs = np.nonzero(left < 0.97)
    metres = plane.locate(np.column_stack([xs, ys]).astype(np.float64))[:, 0]
    assert np.abs(metres - np.round(metres / 0.5) * 0.5).max() < 0.01


@pytest.mark.parametrize("width", [0.0, -1.0, 0.01, 53.0, float("nan"), float("inf")])
def test_a_senseless_strip_is_refused_with_a_sentence(width: float) -> None:
    with pytest.raises(PlacementError) as refused:
        Placement(1.0, strip_width_m=width)
    assert "metres wide" in refused.value.user_message
