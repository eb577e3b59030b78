"""How each click is shown to SAM: as the thing clicked on, against what earlier clicks say it is
not.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from segmentation import Click, Embedding, SamModel
from segmentation.geometry import FloatArray
from segmentation.sam.decoder import Decoder
from segmentation.sam.prompts import Prompt

pytestmark = pytest.mark.model

WALL = Click(230, 40, 1)
PICTURE = Click(110, 100, 0)


class Watched(Decoder):
    """Remembers the prompts that were decoded."""

    def __init__(self, model: SamModel) -> None:
        super().__init__(model.description.decoder, threads=1)
        self.prompts: list[Prompt] = []

    def decode(
        self, embedding: Embedding, prompt: Prompt, hint: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        self.prompts.append(prompt)
        return super().decode(embedding, prompt, hint)


@pytest.fixture
def decoder(weights_folder: Path) -> Watched:
    return Watched(SamModel.load(weights_folder, encoder_threads=1, decoder_threads=1))


def labels_of(prompt: Prompt) -> list[float]:
    """Without the padding point at the end."""
    return [float(label) for label in prompt.labels[0, :-1]]


def test_a_first_click_is_decoded_alone(decoder: Watched, embedding: Embedding) -> None:
    decoder.decode_newest(embedding, [WALL])

    assert labels_of(decoder.prompts[0]) == [1]


def test_what_was_excluded_is_shown_with_the_wall_as_what_it_is_not(
    decoder: Watched, embedding: Embedding
) -> None:
    found = decoder.decode_newest(embedding, [WALL, PICTURE])

    [prompt] = decoder.prompts
    expected = embedding.grid.prompt_to_model([(PICTURE.x, PICTURE.y), (WALL.x, WALL.y)])
    assert found.label == 0
    assert labels_of(prompt) == [1, 0]
    np.testing.assert_array_equal(prompt.coords[0, :2], expected)


def test_earlier_clicks_of_the_same_label_stay_out_of_it(
    decoder: Watched, embedding: Embedding
) -> None:
    decoder.decode_newest(embedding, [WALL, PICTURE, Click(500, 60, 1)])

    assert labels_of(decoder.prompts[0]) == [1, 0]


def test_of_many_other_clicks_the_six_nearest_count(decoder: Watched, embedding: Embedding) -> None:
    far = [Click(30.0 + 60 * k, 20, 0) for k in range(10)]

    decoder.decode_newest(embedding, [WALL, *far, Click(20, 60, 1)])

    points = decoder.prompts[0].coords[0, 1:-1]
    nearest = sorted(far, key=lambda click: math.dist((click.x, click.y), (20, 60)))[:6]
    expected = embedding.grid.prompt_to_model([(click.x, click.y) for click in nearest])
    np.testing.assert_array_equal(points, expected)


def test_the_same_click_against_other_clicks_is_another_decode(
    decoder: Watched, embedding: Embedding
) -> None:
    decoder.decode_newest(embedding, [WALL, PICTURE])
    decoder.decode_newest(embedding, [WALL, PICTURE])
    decoder.decode_newest(embedding, [Click(500, 60, 1), PICTURE])

    assert len(decoder.prompts) == 2
