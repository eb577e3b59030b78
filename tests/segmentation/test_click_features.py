"""What the click network is told of clicks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmentation import Scope
from segmentation.clicks.features import (
    FINE,
    MAPS,
    ClickEvidence,
    ClickMaps,
    EarlierClicks,
    PhotoEvidence,
    PhotoMaps,
    click_maps,
    continued,
    covered,
    disc,
    halved,
    paint_likeness,
    plane_affinity,
)
from segmentation.geometry import FloatArray, PhotoGrid

NOTHING = np.zeros((256, 256), np.float32)
PHOTO = PhotoMaps.of(PhotoEvidence(NOTHING + 3, NOTHING - 3, np.ones((256, 256, 3), np.float32)))


def click(label: int, x: float, y: float, logit: float = 1.0) -> ClickEvidence:
    grid = np.full((128, 128), 0.5, np.float32)
    masks = np.full((3, 256, 256), logit, np.float32)
    return ClickEvidence.of(
        label,
        (x, y),
        affinity=grid,
        similarity=grid,
        likeness=grid * np.float32(logit / 4),
        logits=masks,
    )


def input_of(*clicks: ClickEvidence, scope: Scope = Scope.AUTO) -> ClickMaps:
    earlier = EarlierClicks()
    for one in clicks[:-1]:
        earlier = earlier.with_one_more(one)
    return click_maps(PHOTO, clicks[-1], earlier, NOTHING + 1, scope)


def maps_of(*clicks: ClickEvidence, scope: Scope = Scope.AUTO) -> FloatArray:
    return input_of(*clicks, scope=scope).as_one()


def test_a_first_click_is_told_with_the_photo_the_walls_and_the_mask_so_far() -> None:
    maps = maps_of(click(1, 20, 30))

    assert maps.shape == (MAPS, 256, 256)
    assert maps[0, 0, 0] == -maps[1, 0, 0] > 0.7
    assert 0 < maps[2].min() == maps[2].max() < 1
    assert maps[3].all()
    assert not maps[18:24].any()
    assert (maps[24:27] == 0.5).all()


def test_the_newest_click_has_maps_of_its_own_by_its_label() -> None:
    include, exclude = (maps_of(click(1, 90, 80), click(label, 20, 30)) for label in (1, 0))

    assert include[4].argmax() == exclude[5].argmax() == 30 * 256 + 20
    assert not include[5].any()
    assert not exclude[4].any()
    assert not include[3].any()


def test_likeness_is_told_of_the_newest_click_and_of_earlier_ones_by_label() -> None:
    maps = maps_of(click(1, 20, 30, 1), click(0, 200, 100, 2), click(1, 5, 5, 3))

    assert [set(maps[number].ravel().tolist()) for number in (29, 30, 31)] == [
        {0.375},
        {0.125},
        {0.25},
    ]


def test_earlier_includes_and_excludes_are_kept_apart() -> None:
    maps = maps_of(click(1, 20, 30), click(0, 200, 100), click(1, 5, 5))

    for number, (x, y) in ((6, (20, 30)), (7, (200, 100))):
        row, column = np.unravel_index(maps[number].argmax(), (256, 256))
        assert (column // 2, row // 2) == (x // 2, y // 2)


def test_the_order_of_earlier_clicks_does_not_matter() -> None:
    earlier = [click(1, 20, 30, 2), click(1, 90, 80, 1), click(0, 200, 100)]

    there = maps_of(*earlier, click(0, 9, 9))
    back = maps_of(*earlier[::-1], click(0, 9, 9))

    np.testing.assert_array_equal(there, back)


def test_the_surest_of_several_earlier_clicks_counts() -> None:
    maps = maps_of(click(1, 5, 5, -3), click(1, 9, 9, 8), click(0, 50, 50))

    assert (maps[18:21] > 0.9).all()
    assert (maps[30] == 1).all()


def test_the_coarse_maps_are_the_others_on_half_of_the_grid() -> None:
    found = input_of(click(1, 5, 5, -3), click(0, 50, 51, 2))

    assert found.coarse.shape == (MAPS, 128, 128)
    for number, fine in zip(FINE, found.fine, strict=True):
        np.testing.assert_allclose(found.coarse[number], halved(fine), atol=1e-6)
    for number, whole in enumerate(found.as_one()):
        np.testing.assert_allclose(found.coarse[number], halved(whole), atol=1e-6)


def test_the_scope_is_said_in_its_own_maps() -> None:
    one, every = (
        maps_of(click(1, 5, 5), scope=scope) for scope in (Scope.THIS_WALL, Scope.ALL_WALLS)
    )

    assert one[27].all()
    assert not one[28].any()
    assert every[28].all()
    assert not every[27].any()


def test_the_paint_clicked_on_is_like_itself_and_unlike_another() -> None:
    rgb = np.full((3, 256, 256), 0.8, np.float32)
    rgb[:, :, 128:] = np.reshape((0.7, 0.3, 0.2), (3, 1, 1))

    alike = paint_likeness(rgb, 30, 40)

    assert alike[:, :128].min() > 1 - 1e-6
    assert alike[:, 128:].max() < 0.01


def test_cells_with_like_plane_vectors_are_near_and_others_are_not() -> None:
    planes = np.zeros((8, 128, 128), np.float32)
    planes[:, :, 64:] = 2

    affinity = plane_affinity(planes, 10, 100)

    assert affinity[:, :60].min() > 0.95
    assert affinity[:, 68:].max() < 0.01


def test_a_disc_is_highest_at_its_click_and_gone_twenty_cells_away() -> None:
    bump = disc(100, 50)

    assert bump[50, 100] == 1
    assert bump[50, 121] < 1e-5


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_the_network_reads_the_photo_and_less_than_one_of_its_cells_more(
    width: int, height: int
) -> None:
    grid = PhotoGrid(width, height)

    for side, read, made in zip(
        grid.mask_extent[::-1], covered(grid), grid.feature_extent[::-1], strict=True
    ):
        assert side <= read < side + 8
        assert read % 8 == 0
        assert read <= 4 * made <= 256  # where the lean decoder makes masks


def test_the_maps_of_a_wide_photo_are_the_upper_part_of_the_squares() -> None:
    rng = np.random.default_rng(2)
    wall, sam, before = rng.normal(0, 3, (3, 256, 256)).astype(np.float32)
    evidence = PhotoEvidence(wall, sam, rng.random((256, 256, 3), np.float32))
    grids, masks = rng.random((2, 3, 128, 128)), rng.normal(0, 5, (2, 3, 256, 256))

    def seen(rows: int) -> FloatArray:
        earlier, newest = (
            ClickEvidence.of(
                label,
                place,
                affinity=grid[0, : rows // 2],
                similarity=grid[1, : rows // 2],
                likeness=grid[2, : rows // 2],
                logits=logits[:, :rows],
            )
            for label, place, grid, logits in zip(
                (1, 0), ((200.0, 30.0), (20.0, 150.0)), grids, masks, strict=True
            )
        )
        photo = PhotoMaps.of(evidence.part(rows, 256))
        past = EarlierClicks().with_one_more(earlier)
        return click_maps(photo, newest, past, before, Scope.AUTO).as_one()

    np.testing.assert_array_equal(seen(192), seen(256)[:, :192])


def test_beside_the_photo_its_last_row_and_column_go_on() -> None:
    logits = np.random.default_rng(1).normal(0, 1, (3, 176, 256)).astype(np.float32)
    grid = PhotoGrid(1024, 683)  # 171 rows

    whole, part = continued(logits, grid), continued(logits, grid, (176, 256))

    assert whole.shape == (3, 256, 256)
    np.testing.assert_array_equal(whole[:, :171], logits[:, :171])
    np.testing.assert_array_equal(whole[:, 171:], logits[:, 170:171].repeat(85, axis=1))
    np.testing.assert_array_equal(part, whole[:, :176])
