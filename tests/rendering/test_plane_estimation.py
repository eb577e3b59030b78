"""The wall's plane from lines, on boxes drawn here through a known camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from rendering import estimate_plane
from rendering.geometry.vanishing_points import rotation


def drawn_room(
    yaw: float, pitch: float = 3.0, roll: float = 1.0, focal: float = 560.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo, far wall's mask and true homography: a 5 x 4 x 2.6 m box, 800 x 600 pixels."""
    K = np.array([[focal, 0, 399.5], [0, focal, 299.5], [0, 0, 1.0]])
    R = rotation(math.radians(pitch), math.radians(roll), math.radians(yaw))
    eye = np.array([2.2, 1.15, -2.6])

    def pixels(points: Sequence[tuple[float, float, float]]) -> Any:
        c = (np.array(points) - eye) @ R.T
        c[:, 2] = np.maximum(c[:, 2], 0.05)
        p = c @ K.T
        return p[:, :2] / p[:, 2:]

    photo = np.full((600, 800, 3), 90, np.uint8)
    faces: list[tuple[list[tuple[float, float, float]], tuple[int, int, int]]] = [
        ([(0, 0, 1), (5, 0, 1), (5, 0, -2.4), (0, 0, -2.4)], (225, 222, 215)),
        ([(0, 2.6, 1), (5, 2.6, 1), (5, 2.6, -2.4), (0, 2.6, -2.4)], (120, 95, 70)),
        ([(0, 0, 1), (0, 2.6, 1), (0, 2.6, -2.4), (0, 0, -2.4)], (170, 165, 150)),
        ([(5, 0, 1), (5, 2.6, 1), (5, 2.6, -2.4), (5, 0, -2.4)], (150, 150, 160)),
        ([(0, 0, 1), (5, 0, 1), (5, 2.6, 1), (0, 2.6, 1)], (190, 185, 180)),
        ([(1, 0.9, 1), (2.2, 0.9, 1), (2.2, 1.7, 1), (1, 1.7, 1)], (60, 70, 90)),
        ([(3.3, 0.6, 1), (4.2, 0.6, 1), (4.2, 2.6, 1), (3.3, 2.6, 1)], (235, 235, 230)),
    ]
    mask = np.zeros((600, 800), np.uint8)
    for i, (corners, colour) in enumerate(faces):
        p = np.round(pixels(corners) * 16).astype(np.int32)
        cv2.fillPoly(photo, [p], colour, cv2.LINE_AA, 4)
        cv2.fillPoly(mask, [p], 255 if i == 4 else 0, cv2.LINE_AA, 4)
    photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.7), np.uint8)
    axes = np.column_stack([R[:, 0], R[:, 1], R @ (np.array([0, 0, 1.0]) - eye)])
    return photo, mask, K @ axes


def shape_error(H: np.ndarray, truth: np.ndarray, mask: np.ndarray, width: float) -> float:
    ys, xs = np.nonzero(mask > 127)
    p = np.stack([xs, ys, np.ones(len(xs))]).astype(float)
    points = []
    for each in (truth, H):
        q = np.linalg.inv(each) @ p
        w = (q[:2] / q[2]).T
        points.append(w - w.mean(axis=0))
    t, e = points
    scale = (t * e).sum() / (e**2).sum()
    return float(np.sqrt(((t - scale * e) ** 2).sum(axis=1).mean()) / width)


@pytest.mark.parametrize("yaw", [-45.0, -25.0, -8.0, 0.0, 12.0, 30.0, 48.0])
def test_a_boxs_far_wall_is_found_at_any_angle(yaw: float) -> None:
    photo, mask, truth = drawn_room(yaw)
    plane = estimate_plane(photo, mask)
    assert plane.source == "estimated"
    assert shape_error(plane.H, truth, mask, 5.0) < 0.01


def test_a_known_focal_length_is_used() -> None:
    photo, mask, truth = drawn_room(30.0, focal=900.0)
    plane = estimate_plane(photo, mask, focal_px=900.0)
    assert shape_error(plane.H, truth, mask, 5.0) < 0.005


def test_a_senseless_focal_length_is_ignored() -> None:
    photo, mask, _ = drawn_room(20.0)
    for focal in (0.0, -5.0, float("nan"), 1e9):
        plane = estimate_plane(photo, mask, focal_px=focal)
        assert np.isfinite(plane.H).all()


def test_a_wall_seen_from_floor_to_ceiling_is_taken_for_two_and_a_half_metres_high() -> None:
    photo, mask, _ = drawn_room(5.0)
    _, height = estimate_plane(photo, mask).size_m
    assert height == pytest.approx(2.5, rel=0.02)


def test_the_quad_bounds_the_mask_on_the_plane() -> None:
    photo, mask, _ = drawn_room(25.0)
    plane = estimate_plane(photo, mask)
    ys, xs = np.nonzero(mask > 127)
    q = np.linalg.inv(plane.H) @ np.stack([xs, ys, np.ones(len(xs))])
    u, v = q[0] / q[2], q[1] / q[2]
    assert u.min() > -0.05
    assert v.min() > -0.05
    assert u.max() < plane.size_m[0] + 0.05
    assert v.max() < plane.size_m[1] + 0.05


def test_a_photo_that_says_nothing_gives_a_frontal_plane_of_low_confidence() -> None:
    photo = np.full((200, 300, 3), 140, np.uint8)
    plane = estimate_plane(photo, np.full((200, 300), 255, np.uint8))
    assert plane.source == "frontal"
    assert plane.confidence <= 0.2
    assert np.allclose(plane.H[2, :2], 0, atol=1e-12)


def test_the_estimate_is_the_same_every_time() -> None:
    photo, mask, _ = drawn_room(17.0)
    assert np.array_equal(estimate_plane(photo, mask).H, estimate_plane(photo, mask).H)


def test_a_larger_photo_of_the_same_room_gives_the_same_plane() -> None:
    photo, mask, truth = drawn_room(30.0)
    big: Any = cv2.resize(photo, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_CUBIC)
    mask_big: Any = cv2.resize(mask, None, fx=2.5, fy=2.5)
    S = np.array([[2.5, 0, 0.75], [0, 2.5, 0.75], [0, 0, 1]])
    assert shape_error(estimate_plane(big, mask_big).H, S @ truth, mask_big, 5.0) < 0.01
