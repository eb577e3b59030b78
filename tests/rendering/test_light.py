"""The wall's light: kept where it is light, left out where it is paint or pattern."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from rendering import Placement, WallPlane, plane_from_quad, render

WIDTH, HEIGHT = 320, 240
WHITE = np.full((16, 16, 3), 230, np.uint8)


def plane() -> WallPlane:
    return plane_from_quad([[40, 30], [280, 30], [280, 200], [40, 200]], (3.5, 2.5))


def wall_mask() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[30:200, 40:280] = 255
    return mask


def room(paint: tuple[int, int, int]) -> np.ndarray:
    """A painted wall under a white ceiling, above a brown floor."""
    photo = np.full((HEIGHT, WIDTH, 3), 205, np.uint8)
    photo[200:] = (120, 90, 60)
    photo[30:200, 40:280] = paint
    return photo


def repapered(photo: np.ndarray, paper: np.ndarray = WHITE, **options: Any) -> np.ndarray:
    return render(photo, wall_mask(), paper, plane(), Placement(0.5), **options).picture


def linear(value: np.ndarray) -> np.ndarray:
    v = value / 255.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def test_a_cast_shadow_stays_where_it_was_and_as_sharp() -> None:
    photo = room((150, 150, 150))
    photo[30:200, 150:200] = 95
    shown = repapered(photo)[115, :, 0].astype(float)
    lit, dark = shown[100], shown[175]
    assert dark < 0.8 * lit
    steps = np.abs(np.diff(shown[140:210]))
    assert steps[[9, 59]].min() > 0.6 * (lit - dark)


def test_smooth_light_keeps_its_form() -> None:
    photo = room((0, 0, 0))
    ramp = np.linspace(90, 170, 240).astype(np.uint8)
    photo[30:200, 40:280] = ramp[None, :, None]
    shown = repapered(photo, np.full((8, 8, 3), 140, np.uint8))[100, 50:270, 0].astype(float)
    given = photo[100, 50:270, 0].astype(float)
    assert np.corrcoef(shown, given)[0, 1] > 0.995


def test_an_old_pattern_does_not_shine_through() -> None:
    rng = np.random.default_rng(5)
    photo = room((0, 0, 0))
    old = cv2.resize(rng.integers(60, 220, (28, 40), dtype=np.uint8), (240, 170), interpolation=0)
    photo[30:200, 40:280] = old[..., None]
    shown = repapered(photo, np.full((8, 8, 3), 150, np.uint8))[45:185, 55:265, 0].astype(float)
    assert shown.std() < 0.2 * photo[45:185, 55:265, 0].std()


@pytest.mark.parametrize(("paint", "paper"), [(12, 245), (245, 12), (3, 255), (255, 0)])
def test_black_to_white_and_back_is_believable(paint: int, paper: int) -> None:
    """White paper on a black wall comes near the white ceiling beside it, and vice versa."""
    shown = repapered(room((paint, paint, paint)), np.full((8, 8, 3), paper, np.uint8))
    middle = float(np.median(shown[60:170, 60:260]))
    if paper > 200:
        assert 120 <= middle <= 255
    else:
        # A wall at 245 is a brightly lit one: even black paper shows some of that light.
        assert middle < 80


def test_a_white_wall_papered_with_its_own_white_hardly_changes() -> None:
    photo = room((200, 200, 200))
    shown = repapered(photo, np.full((8, 8, 3), 238, np.uint8))
    assert abs(float(np.median(shown[60:170, 60:260])) - 200) < 25


def test_warm_light_told_by_the_ceiling_warms_the_paper() -> None:
    photo = room((170, 150, 120))
    photo[:30] = (225, 205, 170)
    shown = repapered(photo, np.full((8, 8, 3), 200, np.uint8))[100, 150].astype(int)
    assert shown[0] > shown[1] > shown[2]
    assert shown[0] - shown[2] > 12


def test_a_coloured_wall_under_a_white_ceiling_leaves_no_colour_on_the_paper() -> None:
    shown = repapered(room((120, 160, 110)), np.full((8, 8, 3), 200, np.uint8))[100, 150]
    assert np.ptp(shown.astype(int)) < 8


def test_without_a_ceiling_the_light_counts_as_white() -> None:
    photo = np.full((HEIGHT, WIDTH, 3), (170, 150, 120), np.uint8)
    full = np.full((HEIGHT, WIDTH), 255, np.uint8)
    grey = np.full((8, 8, 3), 200, np.uint8)
    shown = render(photo, full, grey, plane(), Placement(0.5)).picture[100, 150]
    assert np.ptp(shown.astype(int)) < 8


def test_brightness_is_in_stops_and_keeps_order() -> None:
    photo = room((120, 120, 120))
    grey = np.full((8, 8, 3), 120, np.uint8)
    values = [
        float(repapered(photo, grey, brightness=b)[100, 150, 0])
        for b in (-1.0, -0.5, 0.0, 0.5, 1.0)
    ]
    assert values == sorted(values)
    assert len(set(values)) == 5


def test_keep_shadows_zero_lights_the_wall_evenly_and_two_deepens() -> None:
    photo = room((150, 150, 150))
    photo[30:200, 150:200] = 110

    def contrast(strength: float) -> float:
        row = repapered(photo, np.full((8, 8, 3), 140, np.uint8), keep_shadows=strength)[100, :, 0]
        return float(row[100]) - float(row[175])

    assert abs(contrast(0.0)) < 3
    assert contrast(0.5) > 3
    assert contrast(0.5) < contrast(1.0) < contrast(1.5)


def test_no_rim_of_the_old_paint_stays_in_soft_edges() -> None:
    """A dark object with a soft edge before a bright wall: black paper must leave no bright rim."""
    photo = room((225, 225, 225)).astype(np.float64)
    soft: Any = np.zeros((HEIGHT, WIDTH))
    cv2.circle(soft, (160, 115), 40, 1.0, -1)
    soft = np.asarray(cv2.GaussianBlur(soft, (0, 0), 1.5))[..., None]
    code = np.round(photo * (1 - soft) + 40 * soft).astype(np.uint8)
    mask = np.round(wall_mask() * (1 - soft[..., 0])).astype(np.uint8)
    black = np.full((8, 8, 3), 20, np.uint8)
    shown = render(code, mask, black, plane(), Placement(0.5)).picture
    ring = shown[110:120, 115:130].max()
    assert ring < 110, f"rim as bright as {ring}"


def test_a_mask_a_few_pixels_too_wide_leaves_the_object_alone() -> None:
    photo = room((215, 215, 215))
    photo[80:150, 100:200] = (30, 40, 90)
    mask = wall_mask()
    mask[82:148, 102:198] = 0
    red = np.full((8, 8, 3), (200, 30, 30), np.uint8)
    shown = render(photo, mask, red, plane(), Placement(0.5)).picture
    edge = shown[100:130, 100:102].reshape(-1, 3).astype(int)
    assert np.abs(edge - (30, 40, 90)).max() < 40


def test_paper_does_not_glow_in_a_room_photographed_dark() -> None:
    grey, dark = np.full((200, 300, 3), 70, np.uint8), np.full((200, 300, 3), 70, np.uint8)
    mask = np.zeros((200, 300), np.uint8)
    mask[:, 90:] = 255
    grey[:, :45], dark[:, :45] = 200, 90
    grey[:, 45:90], dark[:, 45:90] = 120, 25
    plane = plane_from_quad([[90, 0], [299, 0], [299, 199], [90, 199]], (2.5, 2.5))
    white = np.full((16, 16, 3), 235, np.uint8)
    bright, calm = (
        render(photo, mask, white, plane, Placement(0.5)).picture[100, 200].mean()
        for photo in (grey, dark)
    )
    assert calm < bright - 15
    assert calm > 70
