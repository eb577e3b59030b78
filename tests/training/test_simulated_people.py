"""The simulated people that the click network learns from."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import WALL_MAPS_SHAPE, Click, Embedding
from segmentation.clicks.features import ClickEvidence, PhotoEvidence, Scope
from training.errors import parts_of, with_errors
from training.rooms import WALL
from training.simulated_user import ClickSample, Visit, next_place, same_paint, wall_under
from training.wishes import Whim, Wish, whims

CEILING = 3
LEFT, RIGHT = (slice(60, 180), slice(0, 120)), (slice(60, 180), slice(120, 256))


def room(right_paint: tuple[int, int, int] = (200, 190, 180)) -> ClickSample:
    """Two walls side by side under a ceiling."""
    labels, planes = np.zeros((256, 256), np.uint8), np.zeros((256, 256), np.uint8)
    labels[:60], labels[60:180] = CEILING, WALL
    planes[LEFT], planes[RIGHT] = 1, 2
    rgb = np.full((256, 256, 3), 120, np.uint8)
    rgb[LEFT], rgb[RIGHT] = (200, 190, 180), right_paint
    embedding = Embedding.build(
        np.zeros((1, 256, 64, 64)),
        wall_maps=np.zeros(WALL_MAPS_SHAPE),
        width=1024,
        height=1024,
        model="none",
        thumbnail=rgb,
    )
    share = np.where(labels == WALL, 255, 0).astype(np.uint8)
    return ClickSample("one", embedding, share, planes, (256, 256), parts_of(labels, planes))


def visit(sample: ClickSample, marked: list[tuple[slice, slice]]) -> Visit:
    logits = np.full((256, 256), -5, np.float32)
    for window in marked:
        logits[window] = 5
    flat = np.zeros((256, 256), np.float32)
    photo = PhotoEvidence(flat, flat, np.zeros((256, 256, 3), np.float32))
    return Visit(sample, Wish(sample.is_wall), Scope.AUTO, photo, logits)


def test_a_person_includes_the_wall_that_is_missing() -> None:
    found = next_place(visit(room(), [LEFT]), np.random.default_rng(1))

    assert found is not None
    (column, row), label, part = found
    assert label == 1
    assert part[row, column]
    assert part.sum() == 120 * 136


def test_a_person_excludes_what_is_marked_beside_the_wall() -> None:
    spilled = (slice(0, 60), slice(0, 256))
    found = next_place(visit(room(), [LEFT, RIGHT, spilled]), np.random.default_rng(1))

    assert found is not None
    (_, row), label, _ = found
    assert label == 0
    assert row < 60


def test_a_person_is_content_with_the_right_mask() -> None:
    assert next_place(visit(room(), [LEFT, RIGHT]), np.random.default_rng(1)) is None


@pytest.mark.parametrize(
    ("paint", "alike"), [((150, 142, 135), True), ((120, 60, 50), False)], ids=["shade", "paint"]
)
def test_a_wall_in_another_light_is_alike_and_one_in_another_paint_is_not(
    paint: tuple[int, int, int], alike: bool
) -> None:
    assert bool(same_paint(room(paint), 1)[RIGHT].all()) is alike


def click_on_the_left(share: float) -> ClickEvidence:
    """An include on the left wall, whose plane has `share` of all wall."""
    affinity = np.zeros((128, 128), np.float32)
    affinity[30:90, : round(share * 128)] = 1
    masks = np.zeros((3, 256, 256), np.float32)
    return ClickEvidence.of(
        1, (60, 100), affinity=affinity, similarity=affinity, likeness=affinity, logits=masks
    )


def on_the_right(share: float) -> ClickEvidence:
    """An include on the right wall, whose plane seems to have `share` of the left one's probability."""
    masks = np.zeros((3, 256, 256), np.float32)
    affinity = np.full((128, 128), share, np.float32)
    return ClickEvidence.of(
        1, (200, 100), affinity=affinity, similarity=affinity, likeness=affinity, logits=masks
    )


def newcomer(said: Scope = Scope.AUTO) -> Visit:
    """Wants all walls of a room in which they are seen."""
    some = visit(room(), [])
    some.photo.wall[:], some.logits, some.said = np.where(room().is_wall, 6, -6), None, said
    return some


def test_once_another_wall_is_included_all_that_is_wanted_is_expected() -> None:
    some = newcomer()
    for evidence in (click_on_the_left(0.7), on_the_right(0)):
        some.clicks.append(Click(evidence.x, evidence.y, 1))
        some.hear(evidence)

    assert some.meant is Scope.AUTO
    np.testing.assert_array_equal(some.expected[0], room().is_wall)


def test_of_who_says_all_walls_all_are_expected_at_once() -> None:
    some = newcomer(Scope.ALL_WALLS)
    some.clicks.append(Click(60, 100, 1))

    some.hear(click_on_the_left(0.7))

    np.testing.assert_array_equal(some.expected[0], room().is_wall)


def test_the_wall_clicked_on_is_meant_though_another_seems_more_of_its_plane() -> None:
    np.testing.assert_array_equal(wall_under(room(), on_the_right(0.7))[RIGHT], True)
    np.testing.assert_array_equal(wall_under(room(), on_the_right(0.7))[LEFT], False)


@pytest.mark.parametrize(("share", "expected"), [(0.7, [LEFT]), (0.5, [LEFT, RIGHT])])
def test_of_a_lone_click_that_wall_is_expected_where_it_is_the_main_one(
    share: float, expected: list[tuple[slice, slice]]
) -> None:
    some = newcomer()
    some.clicks.append(Click(60, 100, 1))

    some.hear(click_on_the_left(share))

    wanted = np.zeros((256, 256), bool)
    for window in expected:
        wanted[window] = True
    np.testing.assert_array_equal(some.expected[0], wanted)


def test_errors_reach_whole_things_and_leave_the_given_logits_alone() -> None:
    wall = np.where(room().is_wall, 6.0, -6.0).astype(np.float32)
    before = wall.copy()
    changed = [
        with_errors(wall, wall, room().parts, np.random.default_rng(seed))[0] for seed in range(30)
    ]

    assert (wall == before).all()
    spilled = [(c[:60] > 0).mean() for c in changed]
    lost = [(c[60:180] < 0).mean() for c in changed]
    assert max(spilled) > 0.5
    assert max(lost) > 0.3
    assert min(spilled) == 0


def window(rows: slice, columns: slice) -> np.ndarray:
    part = np.zeros((256, 256), bool)
    part[rows, columns] = True
    return part


CUPBOARD, NICHE = window(slice(180, 230), slice(20, 90)), window(slice(60, 180), slice(200, 256))


def person_with_whims() -> Wish:
    """Wants a cupboard as well, and not the end of the right wall."""
    return Wish(room().is_wall, (Whim(CUPBOARD, True), Whim(NICHE, False)))


def test_a_person_with_whims_clicks_where_one_is_not_met() -> None:
    some = visit(room(), [LEFT, RIGHT])
    some.wish = person_with_whims()

    found = next_place(some, np.random.default_rng(1))

    assert found is not None
    (column, row), label, part = found
    assert (label, bool(part[row, column])) == (0, True)
    np.testing.assert_array_equal(part, NICHE)


def test_a_whim_is_asked_of_nobody_before_a_click_has_said_it() -> None:
    wish = person_with_whims()

    expected, unknown = wish.expected([(60, 100)], wish.walls)

    np.testing.assert_array_equal(expected, wish.walls)
    np.testing.assert_array_equal(unknown, CUPBOARD | NICHE)


def test_a_click_on_a_whim_says_all_of_it() -> None:
    wish = person_with_whims()

    expected, unknown = wish.expected([(60, 100), (50, 200)], wish.walls)

    np.testing.assert_array_equal(expected, wish.walls | CUPBOARD)
    np.testing.assert_array_equal(unknown, NICHE)


def test_whims_are_things_beside_the_walls_and_parts_of_walls() -> None:
    walls = room().is_wall

    found = [w for seed in range(40) for w in whims(room().parts, np.random.default_rng(seed))]

    assert {whim.wanted for whim in found} == {True, False}
    assert not any((whim.part & walls).any() for whim in found if whim.wanted)
    assert all((whim.part <= walls).all() for whim in found if not whim.wanted)
