"""Floor plans are counter-clockwise, and points are told inside from outside."""

from __future__ import annotations

import numpy as np
import pytest

from training.generator.colours import Palette, hsv, whiten
from training.generator.patterns import art_image, pattern
from training.generator.plans import edge_distance, inside, plan

SQUARE = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (0.0, 3.0)]


def area(poly: list[tuple[float, float]]) -> float:
    p, q = np.array(poly), np.roll(np.array(poly), -1, axis=0)
    return float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / 2)


def test_plans_run_counter_clockwise_and_have_room() -> None:
    for seed in range(200):
        assert area(plan(np.random.default_rng(seed))) > 2.0


def test_the_inside_is_told_from_the_outside() -> None:
    assert inside(SQUARE, 2.0, 1.0)
    assert not inside(SQUARE, 5.0, 1.0)


def test_the_distance_to_the_nearest_wall() -> None:
    assert edge_distance(SQUARE, 2.0, 1.0) == pytest.approx(1.0)
    assert edge_distance(SQUARE, 3.5, 1.5) == pytest.approx(0.5)


def test_patterns_and_pictures_are_colours() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        for a in (pattern(rng, hsv(0.1, 0.3, 0.8)), art_image(rng)):
            assert a.ndim == 3
            assert 0 <= a.min() <= a.max() <= 1


def test_a_white_room_whitens_most_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    colours = [rng.random(3) for _ in range(300)]
    assert all(np.array_equal(whiten(c), c) for c in colours)

    monkeypatch.setattr(Palette, "white", 0.85)

    near_white = [whiten(c).min() > 0.75 for c in colours]
    assert 0.7 < np.mean(near_white) < 1.0
