"""The wallpaper as it lies on the wall, before any light: phase, wrap, drop, murals, filtering."""

from __future__ import annotations

import numpy as np
import pytest

from rendering import Placement, WallPlane, plane_from_quad
from rendering.texture.sampler import TextureSampler

PIXELS_PER_METRE = 100


def frontal(width: int = 400, height: int = 300) -> WallPlane:
    quad = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    return plane_from_quad(quad, (width / PIXELS_PER_METRE, height / PIXELS_PER_METRE))


def laid(picture: np.ndarray, place: Placement, plane: WallPlane | None = None) -> np.ndarray:
    plane = plane or frontal()
    linear = TextureSampler(picture, plane, place).sample(0, 0, 400, 300)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255


def numbered(size: int = 100) -> np.ndarray:
    """A picture whose every pixel tells its own x (red) and y (green)."""
    y, x = np.mgrid[0:size, 0:size]
    return np.stack([x * 2, y * 2, np.full_like(x, 90)], axis=2).astype(np.uint8)


def test_the_patterns_top_left_corner_lies_at_the_quads_top_left_corner() -> None:
    shown = laid(numbered(), Placement(1.0))
    assert np.abs(shown[:100, :100] - numbered()).max() < 1.0
    assert np.abs(shown[100:200, 300:400] - numbered()).max() < 1.0


def test_the_origin_moves_the_pattern_right_and_down_in_metres() -> None:
    shown = laid(numbered(), Placement(1.0, origin_m=(0.30, 0.20)))
    assert np.abs(shown[20:120, 30:130] - numbered()).max() < 1.0


def test_mirror_flips_left_to_right() -> None:
    shown = laid(numbered(), Placement(1.0, mirror=True))
    assert np.abs(shown[:100, :100] - numbered()[:, ::-1]).max() < 1.0


def test_a_quarter_turn_turns_clockwise_about_the_corner() -> None:
    shown = laid(numbered(), Placement(1.0, origin_m=(1.0, 0.0), rotation_deg=90))
    assert np.abs(shown[:100, :100] - np.rot90(numbered(), -1)).max() < 1.0


@pytest.mark.parametrize("mirror", [False, True])
def test_a_half_drop_hangs_every_next_column_half_a_repeat_lower(mirror: bool) -> None:
    picture = numbered()
    shown = laid(picture, Placement(1.0, drop=0.5, mirror=mirror))
    body = picture[:, ::-1] if mirror else picture
    first, second = shown[100:200, 0:100], shown[150:250, 100:200]
    assert np.abs(first - body)[:, 2:-2].max() < 1.0
    assert np.abs(second - body)[:, 2:-2].max() < 1.0


def test_tiles_meet_without_a_seam() -> None:
    """A picture periodic by itself must look periodic on the wall, at any magnification."""
    t = np.arange(64) / 64 * 2 * np.pi
    wave = 128 + 60 * np.sin(t)[None, :] + 40 * np.cos(t)[:, None]
    picture = np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)
    for width in (2.7, 0.9, 0.23):
        shown = laid(picture, Placement(width))[..., 0]
        steps = np.abs(np.diff(shown, axis=1)).max(axis=0)
        seams = np.arange(1, int(4 / width) + 1) * width * PIXELS_PER_METRE - 0.5
        at = np.unique(np.floor(seams[seams < 398]).astype(int))
        assert steps[at].max() <= steps.max() * 1.0 + 1e-6
        assert steps.max() < 2.5 * 100 * 2 * np.pi / (width * PIXELS_PER_METRE) + 2


def test_fit_height_spans_the_wall_once_and_repeats_sideways() -> None:
    picture = numbered()
    shown = laid(picture, Placement(1.0, mode="fit-height"))
    assert shown[2, 5, 1] < 5
    assert shown[-3, 5, 1] > 190
    assert np.abs(shown[:, 0:90] - shown[:, 300:390]).max() < 1.5


def test_fit_width_spans_the_wall_once() -> None:
    shown = laid(numbered(), Placement(1.0, mode="fit-width"))
    assert np.all(np.diff(shown[100, :, 0]) > -0.5)


def test_cover_shows_one_picture_centred_and_without_a_repeat() -> None:
    shown = laid(numbered(), Placement(1.0, mode="cover"))
    assert np.all(np.diff(shown[150, :, 0]) > -0.5)
    assert np.all(np.diff(shown[:, 200, 1]) > -0.5)
    assert abs(shown[150, 200, 0] - 100) < 2
    assert abs(shown[150, 200, 1] - 100) < 2


def grazing() -> WallPlane:
    quad = [[20.0, 20.0], [390.0, 120.0], [390.0, 170.0], [20.0, 290.0]]
    return plane_from_quad(quad, (5.0, 2.6))


def inside(plane: WallPlane) -> np.ndarray:
    y, x = np.mgrid[0:300, 0:400]
    p = np.linalg.inv(plane.H) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    u, v = p[0] / p[2], p[1] / p[2]
    width, height = plane.size_m
    inner: np.ndarray = (u > 0) & (u < width) & (v > 0) & (v < height)
    return inner.reshape(300, 400)


def supersampled(picture: np.ndarray, plane: WallPlane, width: float, n: int = 16) -> np.ndarray:
    """The mean of n x n nearest readings of a grey picture for each pixel, in linear light."""
    value = picture[..., 0] / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    Hi = np.linalg.inv(plane.H)
    total = np.zeros(300 * 400)
    for dy in range(n):
        for dx in range(n):
            y, x = np.mgrid[0:300, 0:400].astype(np.float64)
            x += (dx + 0.5) / n - 0.5
            y += (dy + 0.5) / n - 0.5
            p = Hi @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
            u, v = (p[0] / p[2] / width) % 1, (p[1] / p[2] / width) % 1
            h, w = picture.shape[:2]
            total += linear[
                np.minimum((v * h).astype(int), h - 1), np.minimum((u * w).astype(int), w - 1)
            ]
    mean = (total / n**2).reshape(300, 400, 1)  # the same for each channel
    return np.where(mean <= 0.0031308, mean * 12.92, 1.055 * mean ** (1 / 2.4) - 0.055) * 255


@pytest.mark.parametrize("kind", ["stripes", "checks", "noise"])
def test_minification_is_close_to_sixteenfold_supersampling(kind: str) -> None:
    y, x = np.mgrid[0:512, 0:512]
    grey = {
        "stripes": (x // 32 % 2) * 140 + 60,
        "checks": ((x // 64 + y // 64) % 2) * 230 + 10,
        "noise": np.kron(np.random.default_rng(3).integers(0, 256, (64, 64)), np.ones((8, 8))),
    }[kind]
    picture = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    plane = grazing()
    ours = laid(picture, Placement(0.53), plane)
    truth = supersampled(picture, plane, 0.53)
    error = np.abs(ours - truth)[inside(plane)].mean()
    assert error < 1.5, f"{kind}: mean error {error:.2f} of 255"


def test_magnification_keeps_a_sharp_edge_sharp() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 32:] = 255
    row = laid(picture, Placement(4.0))[150, :, 0]
    texel = 400 / 64
    blurred = ((row > 25) & (row < 230))[100:300].sum()
    assert blurred <= 1.6 * texel


def test_a_one_pixel_wallpaper_is_a_plain_colour() -> None:
    shown = laid(np.full((1, 1, 3), 77, np.uint8), Placement(0.005))
    assert np.allclose(shown, 77, atol=0.6)


def test_a_part_of_the_picture_is_sampled_as_the_whole_is() -> None:
    paper = TextureSampler(numbered(), grazing(), Placement(0.53, rotation_deg=12, drop=0.25))
    whole = paper.sample(0, 0, 400, 300)
    part = paper.sample(128, 128, 128, 128)
    assert np.allclose(part, whole[128:256, 128:256], atol=2e-3)


@pytest.mark.parametrize(
    "place",
    [
        Placement(0.53),
        Placement(0.05),
        Placement(3.0),
        Placement(0.53, drop=0.5),
        Placement(0.53, drop=0.3, mirror=True),
        Placement(0.4, rotation_deg=20),
        Placement(1.0, mode="fit-height"),
        Placement(1.0, mode="fit-width"),
        Placement(1.0, mode="cover"),
    ],
)
def test_blocks_read_at_once_are_as_pixels_read_one_by_one(
    place: Placement, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.random.default_rng(4).integers(0, 256, (24, 30, 3)).astype(np.uint8)
    picture = np.kron(picture, np.ones((8, 8, 1), np.uint8))
    at_once = TextureSampler(picture, grazing(), place).sample(0, 0, 400, 300)
    monkeypatch.setattr(TextureSampler, "_window", lambda *_: None)
    one_by_one = TextureSampler(picture, grazing(), place).sample(0, 0, 400, 300)
    wall = inside(grazing())
    # OpenCV's coordinates are float32 in both, and a texel's edge may fall on either side.
    assert np.abs(at_once - one_by_one)[wall].mean() < 1e-4
    assert np.quantile(np.abs(at_once - one_by_one)[wall], 0.999) < 0.02
