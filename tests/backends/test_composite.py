"""Laying an answer over the photo: exact where it must be, sharp where it can be."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.backends.diffusion import composite as module
from jobs.backends.diffusion.composite import composite
from jobs.backends.diffusion.region import Region, work_region


def scene(width: int = 300, height: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A noisy photo, a render that differs on the wall only, and the wall with soft edges."""
    rng = np.random.default_rng(7)
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[40:160, 60:240] = 255
    mask[40:160, 50:60] = np.linspace(0, 250, 10).astype(np.uint8)
    render = photo.copy()
    render[mask > 0] = rng.integers(40, 200, ((mask > 0).sum(), 3), np.uint8)
    return photo, mask, render


@pytest.mark.parametrize("max_side", [512, 96])
def test_a_service_that_changes_nothing_leaves_the_render_bit_for_bit(max_side: int) -> None:
    photo, mask, render = scene()
    region = work_region(mask, max_side=max_side)
    sent = region.at_work_size(render)

    assert (composite(photo, mask, render, sent, sent.copy(), region) == render).all()


@pytest.mark.parametrize("max_side", [512, 96])
def test_where_the_mask_is_zero_the_photo_stays_whatever_comes_back(max_side: int) -> None:
    photo, mask, render = scene()
    render = render + np.uint8(1)  # even a render that strayed outside
    region = work_region(mask, max_side=max_side)
    sent = region.at_work_size(render)

    picture = composite(photo, mask, render, sent, 255 - sent, region)

    assert (picture[mask == 0] == photo[mask == 0]).all()
    assert (picture[mask == 255] != photo[mask == 255]).any()


def test_at_full_coverage_and_full_size_the_answer_is_taken_as_it_is() -> None:
    photo, mask, render = scene(304, 200)
    region = Region(0, 0, 304, 200, 304, 200)
    answer = np.random.default_rng(8).integers(0, 256, render.shape, np.uint8)

    picture = composite(photo, mask, render, render.copy(), answer, region)

    assert (picture[mask == 255] == answer[mask == 255]).all()


def test_soft_edges_take_the_change_by_their_coverage() -> None:
    photo, mask, render = scene(304, 200)
    region = Region(0, 0, 304, 200, 304, 200)
    answer = np.clip(render.astype(int) + 20, 0, 255).astype(np.uint8)

    picture = composite(photo, mask, render, render.copy(), answer, region).astype(int)

    edge = (mask > 0) & (mask < 255)
    expected = render + (answer.astype(int) - render) * (mask[..., None] / 255)
    assert np.abs(picture - expected)[edge].max() <= 0.5


def test_a_small_working_copy_does_not_blur_the_pattern() -> None:
    photo, mask, render = scene()
    region = work_region(mask, max_side=96)
    sent = region.at_work_size(render)
    answer = np.clip(sent.astype(int) + 10, 0, 255).astype(np.uint8)

    picture = composite(photo, mask, render, sent, answer, region).astype(int)

    wall = mask == 255
    assert np.abs(picture - (render.astype(int) + 10))[wall].max() <= 1


def test_strips_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, mask, render = scene()
    region = work_region(mask, max_side=96)
    sent = region.at_work_size(render)
    answer = np.random.default_rng(9).integers(0, 256, sent.shape, np.uint8)
    whole = composite(photo, mask, render, sent, answer, region)

    monkeypatch.setattr(module, "STRIP_PIXELS", 1500)

    in_strips = composite(photo, mask, render, sent, answer, region).astype(int)
    # warpAffine rounds its fixed-point coordinates anew for each strip.
    assert np.abs(in_strips - whole).max() <= 8
    assert np.abs(in_strips - whole).mean() < 0.2
