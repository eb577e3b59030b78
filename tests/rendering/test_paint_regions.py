"""Two paints under one mask: the line between them does not show through the new paper."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from rendering import Placement, plane_from_quad, render
from rendering.lighting.paint_regions import find_paints
from rendering.lighting.tone_curve import CameraCurve

WIDTH, HEIGHT = 400, 300
CREAM, GREEN = np.array([0.62, 0.55, 0.44]), np.array([0.12, 0.22, 0.17])
GREY = np.full((8, 8, 3), 150, np.uint8)


def wall() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[30:260, 30:370] = 255
    return mask


def room(albedo: np.ndarray, light: np.ndarray | float = 0.6) -> np.ndarray:
    """A wall of that albedo (HEIGHT x WIDTH x 3) under a white ceiling, above a brown floor."""
    scene = np.empty((HEIGHT, WIDTH, 3))
    scene[:], scene[260:] = 0.8, (0.2, 0.13, 0.08)
    scene[30:260, 30:370] = albedo[30:260, 30:370]
    return CameraCurve().encode((scene * light).astype(np.float32))


def wainscot(upper: np.ndarray = CREAM, lower: np.ndarray = GREEN) -> np.ndarray:
    albedo = np.empty((HEIGHT, WIDTH, 3))
    albedo[:180], albedo[180:] = upper, lower
    return albedo


def papered(photo: np.ndarray, **options: Any) -> np.ndarray:
    plane = plane_from_quad([[30, 30], [369, 30], [369, 259], [30, 259]], (3.7, 2.5))
    return render(photo, wall(), GREY, plane, Placement(0.5), **options).picture.astype(int)


@pytest.mark.parametrize(("upper", "lower"), [(CREAM, GREEN), (GREEN, CREAM)])
def test_a_wainscot_does_not_show_through(upper: np.ndarray, lower: np.ndarray) -> None:
    shown = papered(room(wainscot(upper, lower)))[40:250, 60:340]
    assert np.ptp(np.median(shown, axis=1), axis=0).max() <= 8
    assert np.ptp(shown, axis=2).max() <= 16


def test_an_accent_stripe_does_not_show_through() -> None:
    albedo = np.tile(CREAM, (HEIGHT, WIDTH, 1))
    albedo[:, 180:230] = (0.45, 0.08, 0.06)
    shown = papered(room(albedo))[40:250, 60:340]
    assert np.ptp(np.median(shown, axis=0), axis=0).max() <= 10


def test_a_dark_thing_under_the_mask_does_not_speak_for_the_other_paint() -> None:
    """A bed as blue as the accent wall, its long edge against the cream one: the mask reaches over
    it.
    """
    albedo = np.tile(CREAM, (HEIGHT, WIDTH, 1))
    albedo[:, :120] = accent = np.array([0.22, 0.24, 0.55])
    albedo[200:212, 120:350] = accent / 20
    found = find_paints(CameraCurve().decode(room(albedo)), wall() > 0)
    assert found is not None
    assert found.ratio == pytest.approx(accent / CREAM, rel=0.25)


def test_shade_stays_on_both_paints() -> None:
    light = np.full((HEIGHT, WIDTH, 1), 0.6)
    light[:, 250:] = 0.3
    shown = papered(room(wainscot(), light))
    for row in (100, 220):
        assert shown[row, 320, 1] < 0.85 * shown[row, 120, 1]


def test_a_patch_of_sun_is_light_and_not_paint() -> None:
    """Twice as bright and warmer, with sharp edges: the sun beside the sky's light."""
    light = np.full((HEIGHT, WIDTH, 3), 0.35)
    light[90:200, 150:260] = np.array([1.25, 1.0, 0.72]) * 0.8
    photo = room(np.tile(CREAM, (HEIGHT, WIDTH, 1)), light)
    scene = CameraCurve().decode(photo)
    assert find_paints(scene, wall() > 0) is None
    shown = papered(photo)
    assert shown[150, 200, 1] > shown[60, 100, 1] + 30


def test_a_lamp_and_a_window_light_one_paint() -> None:
    warm = np.linspace(0, 1, WIDTH)[None, :, None]
    light = 0.5 * ((1 - warm) * np.array([0.9, 1.0, 1.15]) + warm * np.array([1.6, 1.0, 0.43]))
    photo = room(np.tile(CREAM, (HEIGHT, WIDTH, 1)), light)
    assert find_paints(CameraCurve().decode(photo), wall() > 0) is None


def test_an_old_wallpaper_of_two_colours_is_a_pattern_and_no_paint() -> None:
    albedo = np.tile(CREAM, (HEIGHT, WIDTH, 1))
    albedo[(np.arange(HEIGHT)[:, None] // 12 + np.arange(WIDTH) // 12) % 2 == 0] = GREEN
    assert find_paints(CameraCurve().decode(room(albedo)), wall() > 0) is None


def test_even_light_stays_even_on_two_paints() -> None:
    light = 0.6 * cv2.resize(np.array([[1.0, 0.5]]), (WIDTH, HEIGHT))[..., None]
    flat = papered(room(wainscot(), light), keep_shadows=0.0)[40:250, 60:340, 1]
    assert flat.std() < 6
