"""The paper is as soft and as noisy as the photo it is laid into."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from rendering import Placement, plane_from_quad, render
from rendering.compositing.camera_noise import (
    edge_blur,
    estimate_lens_blur,
    estimate_noise,
    measure_noise,
)

SIDE = 320
GREY = np.full((8, 8, 3), 150, np.uint8)


def room(blur: float = 0.0, noise: float = 0.0, *, blotch: float = 0.0) -> np.ndarray:
    """A grey wall, a lighter ceiling, a dark floor and a dark picture, as a camera sees it."""
    big: Any = np.full((4 * SIDE, 4 * SIDE), 205, np.float32)
    cv2.fillPoly(big, [np.array([[90, 130], [1200, 160], [1190, 1110], [60, 1080]])], 130)
    cv2.fillPoly(big, [np.array([[500, 400], [800, 410], [790, 720], [490, 700]])], 40)
    if blur:
        big = cv2.GaussianBlur(big, (0, 0), 4 * blur)
    small = cv2.resize(big, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grain: Any = np.random.default_rng(3).normal(0, 1, (SIDE, SIDE, 1)).repeat(3, axis=2)
    if blotch:
        grain = cv2.GaussianBlur(grain, (0, 0), blotch)
        grain /= grain.std()
    return np.asarray(np.clip(np.round(small[..., None] + noise * grain), 0, 255), np.uint8)


def wall() -> np.ndarray:
    mask = np.zeros((4 * SIDE, 4 * SIDE), np.uint8)
    cv2.fillPoly(mask, [np.array([[90, 130], [1200, 160], [1190, 1110], [60, 1080]])], 255)
    cv2.fillPoly(mask, [np.array([[500, 400], [800, 410], [790, 720], [490, 700]])], 0)
    return cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def papered(photo: np.ndarray, paper: np.ndarray = GREY) -> np.ndarray:
    plane = plane_from_quad([[20, 35], [300, 40], [298, 275], [18, 270]], (3.5, 2.9))
    return render(photo, wall(), paper, plane, Placement(0.8)).picture


def detail(picture: np.ndarray) -> float:
    """Standard deviation about a smooth wall, in 8-bit values."""
    part = picture[200:265, 60:250, 1].astype(np.float32)
    return float((part - cv2.GaussianBlur(part, (0, 0), 6)).std())


@pytest.mark.parametrize("noise", [2.0, 5.0])
def test_paper_is_as_noisy_as_the_wall_was(noise: float) -> None:
    photo = room(noise=noise)
    assert detail(papered(photo)) == pytest.approx(detail(photo), rel=0.25)


def test_blotches_of_a_denoised_photo_come_back_as_blotches() -> None:
    photo = room(noise=4.0, blotch=1.5)
    given, shown = measure_noise(photo, wall()), measure_noise(papered(photo), wall())
    assert shown[:, 0] == pytest.approx(given[:, 0], rel=0.35)


def test_a_clean_photo_gets_no_noise() -> None:
    assert estimate_noise(room(), wall()) is None
    assert detail(papered(room())) < 0.3


def test_an_old_pattern_is_not_taken_for_noise() -> None:
    photo = room()
    pattern = np.random.default_rng(1).integers(-20, 20, (SIDE, SIDE, 1))
    photo[wall() > 0] = np.clip(photo + pattern, 0, 255).astype(np.uint8)[wall() > 0]
    assert estimate_noise(photo, wall()) is None


def test_noise_depends_on_the_place_and_not_on_the_strips() -> None:
    grain = estimate_noise(room(noise=4.0), wall())
    assert grain is not None
    flat, full = np.full((700, 90, 3), 120, np.uint8), np.ones((700, 90), np.float32)
    whole = grain.add(flat, full, 30, 7)
    parts = [grain.add(flat[a:b], full[a:b], 30, 7 + a) for a, b in ((0, 256), (256, 700))]
    assert np.array_equal(whole, np.vstack(parts))


@pytest.mark.parametrize("blur", [0.0, 0.5, 1.0, 1.5, 2.5])
@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_the_blur_of_edges_is_measured(blur: float, noise: float) -> None:
    assert edge_blur(room(blur, noise), wall()) == pytest.approx(blur, abs=0.4 + 0.15 * blur)


def test_paper_in_a_blurred_photo_is_blurred_and_in_a_sharp_one_it_is_not() -> None:
    stripes = np.full((64, 64, 3), 40, np.uint8)
    stripes[:, 32:] = 220
    sharp, soft = (
        float(np.abs(np.diff(papered(room(blur), stripes)[230, 60:250, 1].astype(int))).max())
        for blur in (0.0, 2.0)
    )
    assert soft < 0.5 * sharp


def test_a_photo_without_edges_keeps_the_usual_lens() -> None:
    flat = np.full((SIDE, SIDE, 3), 128, np.uint8)
    assert estimate_lens_blur(flat, wall()).radius == 1
