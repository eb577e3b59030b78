"""A mask that covers two walls: the corner between them, and the paper round it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from rendering import Placement, WallPlane, estimate_plane, render
from rendering.geometry.plane import project
from rendering.geometry.vanishing_points import rotation
from rendering.texture.sampler import TextureSampler

FOCAL = 560.0


def drawn_corner(yaw: float = -32.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo, mask of both walls and the corner's two ends: a box whose corner faces the camera."""
    K = np.array([[FOCAL, 0, 399.5], [0, FOCAL, 299.5], [0, 0, 1.0]])
    R = rotation(math.radians(2.0), math.radians(0.5), math.radians(yaw))
    eye = np.array([1.6, 1.3, -3.2])

    def pixels(points: Sequence[tuple[float, float, float]]) -> Any:
        c = (np.array(points) - eye) @ R.T
        c[:, 2] = np.maximum(c[:, 2], 0.05)
        p = c @ K.T
        return p[:, :2] / p[:, 2:]

    photo = np.full((600, 800, 3), 215, np.uint8)
    mask = np.zeros((600, 800), np.uint8)
    floor = [(-4, 2.5, 1), (4, 2.5, 1), (4, 2.5, -2.6), (-4, 2.5, -2.6)]
    left = [(-4, 0, 1), (4, 0, 1), (4, 2.5, 1), (-4, 2.5, 1)]
    right = [(4, 0, 1), (4, 0, -2.2), (4, 2.5, -2.2), (4, 2.5, 1)]
    picture = [(1, 0.8, 1), (2, 0.8, 1), (2, 1.6, 1), (1, 1.6, 1)]
    door = [(4, 0.5, -0.4), (4, 0.5, -1.3), (4, 2.5, -1.3), (4, 2.5, -0.4)]
    faces: list[tuple[Sequence[tuple[float, float, float]], int, int]]
    faces = [(floor, 110, 0), (left, 190, 255), (right, 165, 255), (picture, 70, 0), (door, 240, 0)]
    for corners, grey, wall in faces:
        p = np.round(pixels(corners) * 16).astype(np.int32)
        cv2.fillPoly(photo, [p], (grey, grey, grey), cv2.LINE_AA, 4)
        cv2.fillPoly(mask, [p], wall, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(photo, (0, 0), 0.7), mask, pixels([(4, 0, 1), (4, 2.5, 1)])


@pytest.fixture(scope="module")
def room() -> tuple[np.ndarray, np.ndarray, np.ndarray, WallPlane]:
    photo, mask, corner = drawn_corner()
    return photo, mask, corner, estimate_plane(photo, mask)


def test_a_mask_round_a_corner_gets_a_wing_that_starts_at_the_corner(
    room: tuple[np.ndarray, np.ndarray, np.ndarray, WallPlane],
) -> None:
    _, _, corner, plane = room
    assert len(plane.wings) == 1
    distance = corner @ plane.wings[0].side[:2] + plane.wings[0].side[2]
    assert np.abs(distance).max() < 5


def test_both_walls_meet_in_the_same_place_of_the_paper(
    room: tuple[np.ndarray, np.ndarray, np.ndarray, WallPlane],
) -> None:
    _, _, _, plane = room
    wing = plane.wings[0]
    seam = np.array([[wing.seam_m, y] for y in (0.0, 1.0, 2.0)])
    assert np.abs(project(plane.H, seam) - project(wing.H, seam)).max() < 1e-6


def test_unrolled_metres_are_right_on_both_walls(
    room: tuple[np.ndarray, np.ndarray, np.ndarray, WallPlane],
) -> None:
    _, _, corner, plane = room
    a, b = plane.locate(corner)
    tall = b[1] - a[1]
    assert tall == pytest.approx(2.5, rel=0.05)
    R = rotation(math.radians(2.0), math.radians(0.5), math.radians(-32.0))
    K = np.array([[FOCAL, 0, 399.5], [0, FOCAL, 299.5], [0, 0, 1.0]])
    eye = np.array([1.6, 1.3, -3.2])
    for point, across in (((2.0, 1.0, 1.0), -2.0), ((4.0, 1.0, -0.2), 1.2)):
        p = K @ R @ (np.array(point) - eye)
        place = plane.locate((p[:2] / p[2])[None])[0]
        assert place[0] - a[0] == pytest.approx(across, abs=0.06)


def test_a_wall_of_one_plane_gets_no_wing() -> None:
    photo, mask, corner = drawn_corner()
    x = np.arange(800)
    mask[:, x > corner[:, 0].min() - 4] = 0
    assert estimate_plane(photo, mask).wings == ()


def test_a_plane_with_wings_comes_back_from_json_and_renders_the_same(
    room: tuple[np.ndarray, np.ndarray, np.ndarray, WallPlane],
) -> None:
    photo, mask, _, plane = room
    back = WallPlane.from_json(plane.as_json())
    paper = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    pictures = [render(photo, mask, paper, p, Placement(0.5)).picture for p in (plane, back)]
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 1


def test_a_plane_stored_before_there_were_wings_still_reads() -> None:
    stored: dict[str, Any] = estimate_plane(*drawn_corner()[:2]).as_json()
    del stored["wings"], stored["span_m"]
    assert WallPlane.from_json(stored).extent_m == (0.0, stored["size_m"][0])


def test_a_smaller_photo_has_its_corner_in_the_same_place(
    room: tuple[np.ndarray, np.ndarray, np.ndarray, WallPlane],
) -> None:
    _, _, corner, plane = room
    points = np.vstack([corner, [[300.0, 300.0], [600.0, 300.0]]])
    small = plane.scaled(0.5).locate(points * 0.5 - 0.25)
    assert np.abs(small - plane.locate(points)).max() < 1e-6


def test_the_paper_has_no_gap_where_a_corner_crosses_blocks(
    room: tuple[np.ndarray, np.ndarray, np.ndarray, WallPlane],
) -> None:
    _, _, _, plane = room
    white = np.full((32, 32, 3), 255, np.uint8)
    sampled = TextureSampler(white, plane, Placement(0.5)).sample(0, 0, 800, 600)
    assert sampled.min() > 0.999
