"""The simulated users that the click network learns from."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import WALL_MAPS_SHAPE, Click, Embedding
from segmentation.clicks.features import ClickEvidence, PhotoEvidence, Scope
from training.click_samples import ClickSample
from training.dataset import WALL
from training.intent import Intent, Preference, draw_preferences
from training.simulated_errors import parts_of, with_errors
from training.simulated_user import SimulatedUser, next_place, same_paint, wall_under

CEILING = 3
LEFT, RIGHT = (slice(60, 180), slice(0, 120)), (slice(60, 180), slice(120, 256))


def two_walls(right_paint: tuple[int, int, int] = (200, 190, 180)) -> ClickSample:
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


def user(sample: ClickSample, marked: list[tuple[slice, slice]]) -> SimulatedUser:
    logits = np.full((256, 256), -5, np.float32)
    for window in marked:
        logits[window] = 5
    flat = np.zeros((256, 256), np.float32)
    photo = PhotoEvidence(flat, flat, np.zeros((256, 256, 3), np.float32))
    return SimulatedUser(sample, Intent(sample.is_wall), Scope.AUTO, photo, logits)


def test_a_user_includes_the_wall_that_is_missing() -> None:
    found = next_place(user(two_walls(), [LEFT]), np.random.default_rng(1))

    assert found is not None
    (column, row), label, part = found
    assert label == 1
    assert part[row, column]
    assert part.sum() == 120 * 136


def test_a_user_excludes_what_is_marked_beside_the_wall() -> None:
    spilled = (slice(0, 60), slice(0, 256))
    found = next_place(user(two_walls(), [LEFT, RIGHT, spilled]), np.random.default_rng(1))

    assert found is not None
    (_, row), label, _ = found
    assert label == 0
    assert row < 60


def test_a_user_does_not_click_on_the_right_mask() -> None:
    assert next_place(user(two_walls(), [LEFT, RIGHT]), np.random.default_rng(1)) is None


@pytest.mark.parametrize(
    ("paint", "alike"), [((150, 142, 135), True), ((120, 60, 50), False)], ids=["shade", "paint"]
)
def test_a_wall_in_another_light_is_alike_and_one_in_another_paint_is_not(
    paint: tuple[int, int, int], alike: bool
) -> None:
    assert bool(same_paint(two_walls(paint), 1)[RIGHT].all()) is alike


def click_on_the_left(share: float) -> ClickEvidence:
    """An include on the left wall, whose plane has `share` of all wall."""
    affinity = np.zeros((128, 128), np.float32)
    affinity[30:90, : round(share * 128)] = 1
    masks = np.zeros((3, 256, 256), np.float32)
    return ClickEvidence.of(
        1, (60, 100), affinity=affinity, similarity=affinity, likeness=affinity, logits=masks
    )


def on_the_right(share: float) -> ClickEvidence:
    """An include on the right wall, whose plane has `share` of the left one's probability."""
    masks = np.zeros((3, 256, 256), np.float32)
    affinity = np.full((128, 128), share, np.float32)
    return ClickEvidence.of(
        1, (200, 100), affinity=affinity, similarity=affinity, likeness=affinity, logits=masks
    )


def user_without_clicks(stated_scope: Scope = Scope.AUTO) -> SimulatedUser:
    """Wants all walls of a photo in which the wall networks see them."""
    some = user(two_walls(), [])
    some.photo.wall[:] = np.where(two_walls().is_wall, 6, -6)
    some.logits, some.stated_scope = None, stated_scope
    return some


def test_an_include_on_a_second_wall_expects_all_that_is_wanted() -> None:
    some = user_without_clicks()
    for evidence in (click_on_the_left(0.7), on_the_right(0)):
        some.clicks.append(Click(evidence.x, evidence.y, 1))
        some.observe(evidence)

    assert some.inferred_scope is Scope.AUTO
    np.testing.assert_array_equal(some.expected[0], two_walls().is_wall)


def test_a_user_who_states_all_walls_expects_them_at_once() -> None:
    some = user_without_clicks(Scope.ALL_WALLS)
    some.clicks.append(Click(60, 100, 1))

    some.observe(click_on_the_left(0.7))

    np.testing.assert_array_equal(some.expected[0], two_walls().is_wall)


def test_the_wall_clicked_on_is_meant_though_another_seems_more_of_its_plane() -> None:
    np.testing.assert_array_equal(wall_under(two_walls(), on_the_right(0.7))[RIGHT], True)
    np.testing.assert_array_equal(wall_under(two_walls(), on_the_right(0.7))[LEFT], False)


@pytest.mark.parametrize(("share", "expected"), [(0.7, [LEFT]), (0.5, [LEFT, RIGHT])])
def test_a_single_click_on_the_main_wall_expects_that_wall_alone(
    share: float, expected: list[tuple[slice, slice]]
) -> None:
    some = user_without_clicks()
    some.clicks.append(Click(60, 100, 1))

    some.observe(click_on_the_left(share))

    wanted = np.zeros((256, 256), bool)
    for window in expected:
        wanted[window] = True
    np.testing.assert_array_equal(some.expected[0], wanted)


def test_errors_reach_whole_objects_and_leave_the_given_logits_alone() -> None:
    wall = np.where(two_walls().is_wall, 6.0, -6.0).astype(np.float32)
    before = wall.copy()
    changed = [
        with_errors(wall, wall, two_walls().parts, np.random.default_rng(seed))[0]
        for seed in range(30)
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


def user_with_preferences() -> Intent:
    """Wants a cupboard as well, and not the end of the right wall."""
    return Intent(two_walls().is_wall, (Preference(CUPBOARD, True), Preference(NICHE, False)))


def test_a_user_clicks_where_a_preference_is_not_met() -> None:
    some = user(two_walls(), [LEFT, RIGHT])
    some.intent = user_with_preferences()

    found = next_place(some, np.random.default_rng(1))

    assert found is not None
    (column, row), label, part = found
    assert (label, bool(part[row, column])) == (0, True)
    np.testing.assert_array_equal(part, NICHE)


def test_a_preference_is_not_expected_before_a_click_shows_it() -> None:
    intent = user_with_preferences()

    expected, unknown = intent.expected([(60, 100)], intent.walls)

    np.testing.assert_array_equal(expected, intent.walls)
    np.testing.assert_array_equal(unknown, CUPBOARD | NICHE)


def test_a_click_on_a_preference_shows_all_of_it() -> None:
    intent = user_with_preferences()

    expected, unknown = intent.expected([(60, 100), (50, 200)], intent.walls)

    np.testing.assert_array_equal(expected, intent.walls | CUPBOARD)
    np.testing.assert_array_equal(unknown, NICHE)


def test_preferences_are_objects_beside_the_walls_and_parts_of_walls() -> None:
    walls = two_walls().is_wall

    parts = two_walls().parts
    found = [p for seed in range(40) for p in draw_preferences(parts, np.random.default_rng(seed))]

    assert {preference.wanted for preference in found} == {True, False}
    assert not any((preference.part & walls).any() for preference in found if preference.wanted)
    assert all((preference.part <= walls).all() for preference in found if not preference.wanted)
