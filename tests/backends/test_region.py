"""What is cut out for a service: the wall with a margin, at sides that are multiples of 8."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.backends.diffusion.region import work_region


def mask_with(width: int, height: int, box: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    left, top, right, bottom = box
    mask[top:bottom, left:right] = 255
    return mask


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((4000, 3000), (100, 200, 3900, 2500)),
        ((4000, 3000), (1990, 1490, 1991, 1491)),
        ((4000, 3000), (0, 0, 4000, 3000)),
        ((4000, 3000), (0, 2990, 4000, 3000)),
        ((64, 1200), (0, 0, 64, 1200)),
        ((3000, 100), (5, 50, 2990, 60)),
        ((320, 240), (300, 0, 320, 20)),
    ],
)
@pytest.mark.parametrize("max_side", [256, 1024, 1530])
def test_a_region_holds_the_wall_fits_the_photo_and_suits_the_model(
    size: tuple[int, int], box: tuple[int, int, int, int], max_side: int
) -> None:
    mask = mask_with(*size, box)

    region = work_region(mask, max_side=max_side)

    assert region.cut(mask).sum() == mask.sum()
    assert region.left >= 0
    assert region.top >= 0
    assert region.left + region.width <= size[0]
    assert region.top + region.height <= size[1]
    assert min(region.width, region.height) >= 64
    for side in (region.work_width, region.work_height):
        assert side % 8 == 0
        assert 64 <= side <= max_side


def test_a_small_wall_in_a_large_photo_is_cut_out_with_a_margin() -> None:
    mask = mask_with(4000, 3000, (1000, 1000, 1400, 1300))

    region = work_region(mask, max_side=1024)

    assert (region.left, region.top) == (952, 952)
    assert (region.width, region.height) == (496, 396)


def test_a_small_wall_is_not_enlarged_beyond_the_next_multiple() -> None:
    region = work_region(mask_with(4000, 3000, (1000, 1000, 1400, 1300)), max_side=1024)

    assert (region.work_width, region.work_height) == (496, 400)
