"""An old wallpaper's repeat is found and taken out; shadows, sun and lamps on it stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rendering import Placement, WallPlane, plane_from_quad, render
from rendering.lighting.pattern_removal import remove_pattern
from rendering.lighting.tone_curve import CameraCurve
from rendering.texture.sampler import TextureSampler

WIDTH, HEIGHT = 480, 320
GREY = np.full((8, 8, 3), 150, np.uint8)
LIGHT = 0.7


def plane() -> WallPlane:
    """A wall seen at an angle."""
    return plane_from_quad([[30, 20], [450, 60], [450, 270], [30, 310]], (4.0, 2.4))


def mask() -> np.ndarray:
    covered = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(covered, [plane().quad.astype(np.int32)], 255)
    return covered


def blots(seed: int = 3) -> np.ndarray:
    """A wallpaper of 64 x 48 pixels: soft blots of several colours."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 235, (6, 8, 3)).astype(np.uint8)
    wrapped = cv2.copyMakeBorder(small, 2, 2, 2, 2, cv2.BORDER_WRAP)
    return cv2.resize(wrapped, (96, 80), interpolation=cv2.INTER_CUBIC)[16:64, 16:80]


def albedo(drop: float = 0.0) -> np.ndarray:
    """The patterned wall's reflectance, pixel by pixel."""
    placement = Placement(0.53, drop=drop)
    return TextureSampler(blots(), plane(), placement).sample(0, 0, WIDTH, HEIGHT)


def photo(wall: np.ndarray, light: np.ndarray | float = LIGHT) -> np.ndarray:
    """That wall under a white ceiling, in that light."""
    scene = np.where(mask()[..., None] > 0, wall, 0.8) * light
    return CameraCurve().encode(scene.astype(np.float32))


def sunny() -> np.ndarray:
    """Light with a patch of sun: twice as bright inside sharp edges."""
    light = np.full((HEIGHT, WIDTH, 1), 0.45)
    light[130:230, 150:260] = 0.9
    return light


def papered(picture: np.ndarray) -> np.ndarray:
    return render(picture, mask(), GREY, plane(), Placement(0.5)).picture.astype(float)


def inside(picture: np.ndarray) -> np.ndarray:
    return picture[cv2.erode(mask(), np.ones((15, 15), np.uint8)) > 0]


@pytest.mark.parametrize("drop", [0.0, 0.5])
def test_the_repeat_of_a_wallpaper_is_found_and_taken_out(drop: float) -> None:
    scene = CameraCurve().decode(photo(albedo(drop)))
    pattern_free = remove_pattern(scene, mask() > 0, plane())
    assert pattern_free is not None
    bare = pattern_free.radiance
    left, had = (inside(np.log(v + 0.01)).std() for v in (bare, scene))
    assert left < 0.4 * had


def test_a_sun_patch_on_an_old_pattern_stays_as_bright_as_on_paint_and_has_its_edges() -> None:
    mean = np.broadcast_to(inside(albedo()).mean(axis=0), (HEIGHT, WIDTH, 3))
    patterned, painted = papered(photo(albedo(), sunny())), papered(photo(mean, sunny()))
    assert np.abs(inside(patterned - painted)).mean() < 8
    row = patterned[180, :, 1]
    step = row[160:250].mean() - row[80:140].mean()
    assert step > 20
    assert row[160] - row[139] > 0.7 * step


def test_the_old_pattern_leaves_no_trace_in_even_light() -> None:
    before = photo(albedo()).astype(float)
    assert inside(papered(photo(albedo()))).std() < 0.1 * inside(before).std()


def test_random_stones_have_no_repeat() -> None:
    rng = np.random.default_rng(9)
    stones = cv2.resize(rng.uniform(0.1, 0.8, (40, 60, 3)), (WIDTH, HEIGHT), interpolation=0)
    scene = CameraCurve().decode(photo(stones))
    assert remove_pattern(scene, mask() > 0, plane()) is None


def test_a_row_of_lamps_on_paint_is_light_and_no_pattern() -> None:
    x = np.arange(WIDTH)[None, :, None]
    lamps = 0.4 + 0.5 * np.cos(x / 24.0) ** 2 * np.ones((HEIGHT, 1, 1))
    shown = papered(photo(np.full((HEIGHT, WIDTH, 3), 0.5), lamps))
    given = photo(np.full((HEIGHT, WIDTH, 3), 0.5), lamps).astype(float)
    assert np.corrcoef(inside(shown)[:, 1], inside(given)[:, 1])[0, 1] > 0.99


def test_a_bare_strip_beside_the_paper_does_not_take_its_pattern() -> None:
    wall = albedo().copy()
    wall[:, 330:] = 0.6
    scene = CameraCurve().decode(photo(wall))
    pattern_free = remove_pattern(scene, mask() > 0, plane())
    assert pattern_free is not None
    bare = pattern_free.radiance
    strip = (slice(100, 230), slice(370, 430))
    assert np.log(bare[strip]).std() < 0.05


def test_crumbs_of_a_mask_too_small_to_be_seen_from_the_front_have_no_pattern() -> None:
    """A wall of which no pixel is surely seen from the front cannot be laid over itself."""
    noise = np.random.default_rng(3)
    crumbs = np.zeros((200, 240), bool)
    crumbs[1::3, 1::3] = True
    picture = noise.normal(150, 40, (200, 240, 3)).clip(0, 255).astype(np.uint8)
    quad = np.array([[10, 10], [225, 30], [210, 190], [20, 170]]) + noise.normal(0, 1, (4, 2))
    oblique = plane_from_quad(quad, (3.0, 2.0))
    assert remove_pattern(CameraCurve().decode(picture), crumbs, oblique) is None
