"""Lenses that bend straight lines: the model, finding it in a photo, and paper that bends with the
wall.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering import Placement, WallPlane, estimate_plane, plane_from_quad
from rendering.geometry.lens_distortion import Distortion
from rendering.geometry.plane import Wing, project
from rendering.texture.sampler import TextureSampler
from tests.rendering.test_plane_estimation import drawn_room

SIZE = (800, 600)
QUAD = [[150.0, 90.0], [640.0, 40.0], [690.0, 560.0], [120.0, 500.0]]
bends = st.floats(0.0, 0.3)


def pixels(count: int = 200) -> np.ndarray:
    return np.random.default_rng(3).uniform([0, 0], [SIZE[0] - 1, SIZE[1] - 1], (count, 2))


def bent_plane(k: float) -> WallPlane:
    flat = plane_from_quad(QUAD, (4.0, 2.5))
    lens = Distortion.of_photo(k, *SIZE)
    return replace(flat, quad=lens.distort(flat.quad), distortion=lens)


def through(picture: np.ndarray, lens: Distortion) -> np.ndarray:
    """A straight lens's picture as the lens shows it."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    points = np.column_stack([x.ravel(), y.ravel()]).astype(np.float64)
    source = lens.undistort(points).reshape(*x.shape, 2).astype(np.float32)
    border = cv2.BORDER_REPLICATE
    return cv2.remap(picture, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=border)


@given(bends)
@settings(max_examples=40, deadline=None)
def test_bending_undoes_straightening(k: float) -> None:
    lens = Distortion.of_photo(k, *SIZE)
    assert np.allclose(lens.distort(lens.undistort(pixels())), pixels(), atol=1e-8)


def test_a_lens_without_bend_leaves_every_pixel_where_it_is() -> None:
    lens = Distortion.of_photo(0.0, *SIZE)
    assert np.allclose(lens.undistort(pixels()), pixels(), atol=1e-9)
    assert np.allclose(lens.distort(pixels()), pixels(), atol=1e-9)


def test_barrel_distortion_draws_the_corners_in_and_keeps_the_middle() -> None:
    lens = Distortion.of_photo(0.2, *SIZE)
    corner, middle = lens.distort(np.array([[-50.0, -40.0], lens.centre]))
    assert corner.min() > -40
    assert np.allclose(middle, lens.centre)


@given(bends, st.floats(0.05, 8))
@settings(max_examples=40, deadline=None)
def test_a_resized_photo_has_the_same_lens(k: float, factor: float) -> None:
    plane = bent_plane(k)
    metres = plane.locate(pixels())
    resized = (pixels() + 0.5) * factor - 0.5
    assert np.allclose(plane.scaled(factor).locate(resized), metres, atol=1e-6)


def test_a_part_of_the_photo_scaled_a_little_more_along_one_side_has_the_same_lens() -> None:
    plane = bent_plane(0.2)
    S = np.array([[0.5, 0, -31.2], [0, 0.48, -20.7], [0, 0, 1.0]])
    part = plane.transformed(S)
    assert np.allclose(part.locate(project(S, pixels())), plane.locate(pixels()), atol=1e-6)


@given(bends)
@settings(max_examples=40, deadline=None)
def test_showing_undoes_locating(k: float) -> None:
    plane = bent_plane(k)
    assert np.allclose(plane.show(plane.locate(pixels())), pixels(), atol=1e-6)


def test_a_block_is_read_by_a_homography_that_touches_the_lens() -> None:
    lens = Distortion.of_photo(0.2, *SIZE)
    point = np.array([130.0, 70.0])
    tangent = lens.local_homography(point)
    assert np.allclose(project(tangent, point[None]), lens.undistort(point[None]), atol=1e-9)
    for step in ([0.01, 0.0], [0.0, 0.01]):
        moved = (point + step)[None]
        assert np.allclose(project(tangent, moved), lens.undistort(moved), atol=1e-6)


@pytest.mark.parametrize("k", [0.0, 0.07, 0.2])
def test_the_paper_bends_with_the_wall(k: float) -> None:
    """Each pixel shows the paper of the very place where it lies: a slow ramp tells the place."""
    ramp = np.rint(np.linspace(0, 255, 512)).astype(np.uint8)
    picture = np.stack([*np.meshgrid(ramp, ramp), np.full((512, 512), 90, np.uint8)], axis=2)
    plane = bent_plane(k)
    linear = TextureSampler(picture, plane, Placement(5.0)).sample(0, 0, *SIZE)
    coded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    metres = plane.locate(np.column_stack([x.ravel(), y.ravel()]).astype(np.float64))
    inside = ((metres > 0.1) & (metres < 4.9)).all(axis=1).reshape(x.shape)
    expected = metres.reshape(*x.shape, 2) / 5.0
    assert np.abs(coded[..., :2] - expected)[inside].max() < 0.004


def test_paper_blocks_of_a_bent_photo_do_not_depend_on_where_the_strips_are_cut() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    paper = TextureSampler(picture, bent_plane(0.15), Placement(4.0))
    whole, part = paper.sample(0, 0, *SIZE), paper.sample(0, 200, 800, 100)
    assert np.abs(whole[200:300] - part).max() < 0.02


def test_a_corner_of_the_room_is_a_curve_in_a_bent_photo() -> None:
    """The paper changes walls where the corner is seen, not where a straight lens would see it."""
    plane = bent_plane(0.2)
    line = np.array([1.0, 0.0, -560.0])
    plane = replace(plane, wings=(Wing(plane.H @ np.diag([2.0, 1.0, 1.0]), line, 3.0),))
    edges = Distortion.of_photo(0.2, *SIZE).distort(np.array([[560.0, 20.0], [560.0, 300.0]]))
    assert edges[0, 0] < edges[1, 0] - 5
    for x, y in edges:
        beside = np.array([[x - 1, y], [x + 1, y]])
        flat = replace(plane, wings=())
        same = np.isclose(plane.locate(beside), flat.locate(beside)).all(axis=1)
        assert same.tolist() == [True, False]


def test_a_plane_with_a_lens_comes_back_exactly_from_json() -> None:
    plane = bent_plane(0.11)
    found = WallPlane.from_json(json.loads(json.dumps(plane.as_json())))
    assert (found.H == plane.H).all()
    assert found.distortion == plane.distortion


def test_a_plane_stored_before_lenses_were_known_is_read_as_straight() -> None:
    flat = plane_from_quad(QUAD, (4.0, 2.5))
    old = {k: v for k, v in flat.as_json().items() if k != "distortion"}
    assert WallPlane.from_json(old).distortion is None


def test_the_homography_told_to_others_is_the_nearest_to_the_bent_wall() -> None:
    plane = bent_plane(0.1)
    told = np.array(plane.as_json()["H"])
    wall = np.random.default_rng(0).uniform([0, 0], [4.0, 2.5], (200, 2))
    off, ignorant = (
        np.hypot(*(project(H, wall) - plane.show(wall)).T).mean() for H in (told, plane.H)
    )
    assert off < 4
    assert off < 0.5 * ignorant


@pytest.mark.parametrize("k", [0.05, 0.12, 0.2])
@pytest.mark.parametrize("yaw", [-8.0, 0.0, 12.0])
def test_a_bent_photos_lens_and_wall_are_found(k: float, yaw: float) -> None:
    photo, mask, H = drawn_room(yaw)
    lens = Distortion.of_photo(k, *SIZE)
    photo, mask = through(photo, lens), through(mask, lens)
    plane = estimate_plane(photo, mask)
    assert plane.distortion is not None
    assert plane.distortion.k == pytest.approx(k, abs=0.02)
    ys, xs = np.nonzero(mask > 127)
    points = np.column_stack([xs, ys]).astype(np.float64)
    true, found = project(np.linalg.inv(H), lens.undistort(points)), plane.locate(points)
    true, found = true - true.mean(axis=0), found - found.mean(axis=0)
    found *= (true * found).sum() / (found**2).sum()
    assert np.sqrt(((true - found) ** 2).sum(axis=1).mean()) / 5.0 < 0.012


@pytest.mark.parametrize("yaw", [-45.0, -8.0, 0.0, 30.0])
def test_a_straight_lens_stays_straight(yaw: float) -> None:
    photo, mask, _ = drawn_room(yaw)
    assert estimate_plane(photo, mask).distortion is None


def test_a_bent_photo_of_any_size_has_one_lens() -> None:
    photo, mask, _ = drawn_room(12.0)
    lens = Distortion.of_photo(0.12, *SIZE)
    photo, mask = through(photo, lens), through(mask, lens)
    big: Any = cv2.resize(photo, None, fx=2.0, fy=2.0, interpolation=cv2.INTER_CUBIC)
    big_mask: Any = cv2.resize(mask, None, fx=2.0, fy=2.0)
    plane = estimate_plane(big, big_mask)
    assert plane.distortion is not None
    assert plane.distortion.k == pytest.approx(0.12, abs=0.02)
    assert plane.distortion.centre == pytest.approx((799.5, 599.5))
