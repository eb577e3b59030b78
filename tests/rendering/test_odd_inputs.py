"""Whatever comes in: a picture, or one plain sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering import (
    ImageError,
    NothingSelectedError,
    Placement,
    RenderingError,
    encode_jpeg,
    encode_png,
    estimate_plane,
    plane_from_quad,
    render,
)

QUAD = plane_from_quad([[0, 0], [119, 5], [119, 80], [0, 89]], (3, 2))
PAPER = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)


def masks() -> dict[str, np.ndarray]:
    one = np.zeros((90, 120), np.uint8)
    one[40, 60] = 255
    line = np.zeros((90, 120), np.uint8)
    line[:, 60] = 255
    row = np.zeros((90, 120), np.uint8)
    row[40] = 255
    faint = np.full((90, 120), 3, np.uint8)
    full = np.full((90, 120), 255, np.uint8)
    return {"one": one, "line": line, "row": row, "faint": faint, "full": full}


def photos() -> dict[str, np.ndarray]:
    noise = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    red = np.zeros((90, 120, 3), np.uint8)
    red[..., 0] = 255
    return {
        "black": np.zeros((90, 120, 3), np.uint8),
        "white": np.full((90, 120, 3), 255, np.uint8),
        "red": red,
        "noise": noise,
    }


@pytest.mark.parametrize("mask", masks())
@pytest.mark.parametrize("photo", photos())
def test_every_odd_photo_and_mask_gives_a_picture_and_leaves_the_rest(
    photo: str, mask: str
) -> None:
    given, where = photos()[photo], masks()[mask]
    plane = estimate_plane(given, where)
    assert np.isfinite(plane.H).all()
    assert 0 <= plane.confidence <= 1
    for chosen in (QUAD, plane):
        done = render(given, where, PAPER, chosen, Placement(0.5, rotation_deg=20, drop=0.5))
        assert done.untouched
        assert done.picture.shape == given.shape
        assert done.picture.dtype == np.uint8


@pytest.mark.parametrize("size", [(1, 1), (1, 64), (64, 1), (64, 64), (2, 3)])
def test_tiny_photos_are_rendered(size: tuple[int, int]) -> None:
    photo = np.full((*size, 3), 128, np.uint8)
    mask = np.full(size, 255, np.uint8)
    plane = estimate_plane(photo, mask)
    assert render(photo, mask, PAPER, plane, Placement(0.5)).picture.shape == photo.shape


def test_a_clipped_wall_gives_no_wild_colours() -> None:
    photo = np.full((90, 120, 3), 255, np.uint8)
    photo[:, :60] = (250, 128, 0)
    grey = np.full((8, 8, 3), 128, np.uint8)
    shown = render(photo, masks()["full"], grey, QUAD, Placement(0.5)).picture
    right = shown[20:70, 80:110].astype(int)
    assert (right.max(axis=2) - right.min(axis=2)).max() < 60


def test_the_same_inputs_give_the_same_bytes() -> None:
    photo, mask = photos()["noise"], masks()["full"]
    first, second = (
        render(photo, mask, PAPER, estimate_plane(photo, mask), Placement(0.4)).picture
        for _ in range(2)
    )
    assert np.array_equal(first, second)


def test_inputs_are_left_as_they_were() -> None:
    photo, mask = photos()["noise"], masks()["full"]
    before = photo.copy(), mask.copy(), PAPER.copy()
    render(photo, mask, PAPER, QUAD, Placement(0.4))
    for kept, now in zip(before, (photo, mask, PAPER), strict=True):
        assert np.array_equal(kept, now)


def test_an_empty_mask_has_no_plane() -> None:
    with pytest.raises(NothingSelectedError):
        estimate_plane(photos()["noise"], np.zeros((90, 120), np.uint8))


@pytest.mark.parametrize(
    ("photo", "mask", "paper"),
    [
        (np.zeros((90, 120), np.uint8), masks()["full"], PAPER),
        (np.zeros((90, 120, 3), np.float32), masks()["full"], PAPER),
        (photos()["noise"], np.zeros((80, 120), np.uint8), PAPER),
        (photos()["noise"], np.ones((90, 120), np.float64), PAPER),
        (photos()["noise"], masks()["full"], np.zeros((0, 4, 3), np.uint8)),
        (photos()["noise"], masks()["full"], np.zeros((4, 4, 4), np.uint8)),
    ],
)
def test_wrong_arrays_are_refused_in_words(
    photo: np.ndarray, mask: np.ndarray, paper: np.ndarray
) -> None:
    with pytest.raises(ImageError) as caught:
        render(photo, mask, paper, QUAD, Placement(0.5))
    assert caught.value.user_message.endswith(".")


@pytest.mark.parametrize("wrong", [{"brightness": float("nan")}, {"keep_shadows": -1.0}])
def test_senseless_controls_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RenderingError):
        render(photos()["noise"], masks()["full"], PAPER, QUAD, Placement(0.5), **wrong)


def test_stages_are_reported_and_timed() -> None:
    seen: list[str] = []
    done = render(
        photos()["noise"],
        masks()["full"],
        PAPER,
        QUAD,
        Placement(0.5),
        on_stage=lambda name, seconds: seen.append(name),
    )
    assert set(seen) == set(done.timings)
    assert {"level", "light", "sample", "composite", "check"} <= set(seen)


def test_a_horizon_across_the_mask_still_gives_a_picture() -> None:
    plane = plane_from_quad([[50, 40], [70, 20], [70, 70], [50, 50]], (3, 1))
    done = render(photos()["noise"], masks()["full"], PAPER, plane, Placement(0.2))
    assert done.untouched


def test_png_and_jpeg_come_back_as_they_went_in() -> None:
    import cv2

    picture = photos()["noise"]
    png = cv2.imdecode(np.frombuffer(encode_png(picture), np.uint8), cv2.IMREAD_COLOR)
    assert png is not None
    assert np.array_equal(png[..., ::-1], picture)
    smooth = np.repeat(np.linspace(0, 255, 120).astype(np.uint8)[None], 90, axis=0)
    smooth = np.repeat(smooth[..., None], 3, axis=2)
    jpeg = cv2.imdecode(np.frombuffer(encode_jpeg(smooth, 95), np.uint8), cv2.IMREAD_COLOR)
    assert jpeg is not None
    assert np.abs(jpeg[..., ::-1].astype(int) - smooth).max() < 6


@pytest.mark.parametrize("quality", [0, 101])
def test_a_jpeg_quality_outside_its_range_is_refused(quality: int) -> None:
    with pytest.raises(RenderingError):
        encode_jpeg(photos()["noise"], quality)
