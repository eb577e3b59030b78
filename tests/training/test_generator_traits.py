"""Traits follow from the seed, each with its own chance."""

from __future__ import annotations

from collections import Counter

from training.dataset import CLASSES
from training.generator import classes
from training.generator.traits import RoomTraits, ViewTraits, draw_room_traits, draw_view_traits

MANY = range(2000)


def test_the_same_room_has_the_same_traits() -> None:
    assert draw_room_traits(17) == draw_room_traits(17)
    assert draw_view_traits(17, 1) == draw_view_traits(17, 1)


def test_the_views_of_a_room_differ() -> None:
    drawn = {draw_view_traits(seed, view) for seed in range(20) for view in range(2)}

    assert len(drawn) > 15


def test_some_rooms_and_photos_stay_plain() -> None:
    rooms = sum(draw_room_traits(seed) == RoomTraits() for seed in MANY)
    views = sum(draw_view_traits(seed, 0) == ViewTraits() for seed in MANY)

    assert 0.05 < rooms / len(MANY) < 0.4
    assert 0.2 < views / len(MANY) < 0.6


def test_every_kind_comes_up() -> None:
    rooms = [draw_room_traits(seed) for seed in MANY]

    for kinds, least in (
        (Counter(room.furnishing for room in rooms), 3),
        (Counter(room.ceiling for room in rooms), 5),
        (Counter(room.paint for room in rooms), 4),
    ):
        assert len(kinds) == least
        assert min(kinds.values()) > 0.03 * len(MANY)
    for name in ("white", "crowded", "mixed_light"):
        assert 0.08 < sum(getattr(room, name) for room in rooms) / len(MANY) < 0.3


def test_a_lens_never_asks_for_more_than_the_model_allows() -> None:
    barrels = [draw_view_traits(seed, 0).barrel for seed in MANY]

    assert min(barrels) >= 0
    assert 0.1 < max(barrels) < 0.3


def test_the_generator_numbers_its_classes_as_the_reader_does() -> None:
    numbers = [getattr(classes, name.upper()) for name in CLASSES]

    assert numbers == list(range(len(CLASSES)))
