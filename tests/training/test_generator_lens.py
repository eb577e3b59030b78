"""A lens bends the photo and its maps in the same way."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.generator.lens import bend, sources

WIDTH, HEIGHT = 160, 120


def test_a_straight_lens_leaves_the_picture_alone() -> None:
    picture = np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)

    assert bend(picture, 0.0, mix=True) is picture


@pytest.mark.parametrize("k", [0.05, 0.22])
def test_corners_and_centre_stay_where_they_are(k: float) -> None:
    x, y = sources(WIDTH + 1, HEIGHT + 1, k)

    assert (x[0, 0], y[0, 0]) == pytest.approx((0, 0), abs=1e-4)
    assert (x[-1, -1], y[-1, -1]) == pytest.approx((WIDTH, HEIGHT), abs=1e-4)
    assert (x[HEIGHT // 2, WIDTH // 2], y[HEIGHT // 2, WIDTH // 2]) == (WIDTH / 2, HEIGHT / 2)


def test_nothing_outside_the_straight_picture_is_asked_for() -> None:
    x, y = sources(WIDTH, HEIGHT, 0.22)

    assert x.min() >= -1e-3
    assert x.max() <= WIDTH - 1 + 1e-3
    assert y.min() >= -1e-3
    assert y.max() <= HEIGHT - 1 + 1e-3


def test_a_straight_line_bulges_outwards() -> None:
    picture = np.zeros((HEIGHT, WIDTH), np.float32)
    picture[20:24] = 1

    bent = bend(picture, 0.2, mix=True)

    middle, end = (int(np.argmax(bent[:60, x])) for x in (WIDTH // 2, 4))
    assert middle < end


def test_labels_stay_whole_and_follow_the_photo() -> None:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(labels, (30, 20), (120, 90), 7, -1)

    bent = bend(labels, 0.2, mix=False)
    photo = bend(labels.astype(np.float32), 0.2, mix=True)

    assert set(np.unique(bent)) == {0, 7}
    assert np.mean((bent == 7) == (photo > 3.5)) > 0.99
