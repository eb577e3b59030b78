"""The real weights: clicks to masks, in any thread and any process, the same every time."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from segmentation import (
    Box,
    Click,
    Embedding,
    EmbeddingError,
    PhotoError,
    PromptError,
    SamModel,
    Scope,
)
from segmentation.clicks.features import EarlierClicks
from segmentation.model import downscaled
from segmentation.sam.decoder import Decoder
from segmentation.values import DecodedClick
from tests.segmentation.shapes import iou

pytestmark = pytest.mark.model

WALL = [Click(230, 40, 1)]


def walls(photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Both walls of the drawn room, from the polygons that `drawn_room` draws."""
    truth = np.zeros(photo.shape[:2], bool)
    truth[:340, :400] = True
    truth[:370, 400:] = True
    truth[60:180, 60:160] = False
    truth[90:160, 240:330] = False
    truth[250:, 330:560] = False
    return truth


def test_one_click_finds_the_plain_walls(
    model: SamModel, embedding: Embedding, room: npt.NDArray[np.uint8]
) -> None:
    prediction = model.predict(embedding, WALL)

    mask = prediction.mask()

    assert mask.shape == room.shape[:2]
    assert iou(mask > 127, walls(room)) > 0.8
    assert 0 < prediction.score <= 1
    assert prediction.candidates.shape == (4, 256, 256)
    assert prediction.scores.shape == (4,)


def test_an_exclude_click_takes_something_away(model: SamModel, embedding: Embedding) -> None:
    before = model.predict(embedding, WALL).mask()

    after = model.predict(embedding, [*WALL, Click(560, 200, 0)]).mask()

    assert after[200, 560] == 0
    assert (after > 127).sum() <= (before > 127).sum()


@pytest.mark.parametrize("which", ["", "plain_"])
def test_every_click_is_honoured(which: str, request: pytest.FixtureRequest) -> None:
    model: SamModel = request.getfixturevalue(f"{which}model")
    embedding: Embedding = request.getfixturevalue(f"{which}embedding")
    clicks = [Click(230, 40, 1), Click(110, 100, 0), Click(600, 450, 1), Click(40, 300, 1)]

    mask = model.predict(embedding, clicks).mask()

    for click in clicks:
        assert (mask[int(click.y), int(click.x)] > 127) == (click.label == 1)


def test_a_box_is_followed(model: SamModel, embedding: Embedding) -> None:
    mask = model.predict(embedding, [], Box(232, 84, 338, 168)).mask() > 127

    truth = np.zeros(mask.shape, bool)
    truth[90:161, 240:331] = True
    assert iou(mask, truth) > 0.85


def test_the_main_wall_is_found_without_a_click(
    model: SamModel, embedding: Embedding, room: npt.NDArray[np.uint8]
) -> None:
    prediction = model.predict_auto(embedding, room)

    assert prediction.mask()[40, 230] == 255
    assert 0.1 < prediction.area < 0.9


def test_plain_sam_proposes_a_wall_too(
    plain_model: SamModel, plain_embedding: Embedding, room: npt.NDArray[np.uint8]
) -> None:
    assert 0.05 < plain_model.predict_auto(plain_embedding, room).area < 0.9


def test_a_photo_that_is_not_the_embeddings_is_refused(
    model: SamModel, embedding: Embedding
) -> None:
    with pytest.raises(PhotoError, match="not the embedding's"):
        model.predict_auto(embedding, np.zeros((10, 10, 3), np.uint8))


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
        np.zeros((48, 64, 3), np.float32),
        np.zeros((0, 64, 3), np.uint8),
    ],
)
def test_an_array_that_is_no_photo_is_refused(model: SamModel, photo: npt.NDArray[Any]) -> None:
    with pytest.raises(PhotoError):
        model.encode(photo)


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3)])
def test_extreme_photos_are_segmented_without_a_crash(
    model: SamModel, size: tuple[int, int]
) -> None:
    height, width = size
    embedding = model.encode(np.full((height, width, 3), 120, np.uint8))

    assert model.predict(embedding, [Click(0, 0, 1)]).mask().shape == size


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1536, 2048), (1536, 2048)),
        ((3000, 4000), (1500, 2000)),
        ((4032, 3024), (2016, 1512)),
        ((1, 9000), (1, 9000)),
    ],
)
def test_a_large_photo_is_halved_while_it_stays_twice_what_sam_reads(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    photo = np.full((*size, 3), 120, np.uint8)

    found = downscaled(photo)

    assert found.shape[:2] == expected
    assert (found == 120).all()


def test_the_same_clicks_give_the_same_mask_whatever_came_before(
    weights_folder: Path, embedding: Embedding, model: SamModel
) -> None:
    clicks = [Click(230, 40, 1), Click(500, 300, 0)]
    model.predict(embedding, [Click(300, 300, 1)])
    first = model.predict(embedding, clicks)
    fresh = SamModel.load(weights_folder, encoder_threads=2, decoder_threads=1)

    again = fresh.predict(Embedding.from_bytes(embedding.to_bytes()), clicks)

    np.testing.assert_array_equal(again.logits, first.logits)


def test_rounding_to_float16_changes_no_mask_noticeably(
    plain_model: SamModel, plain_embedding: Embedding, room: npt.NDArray[np.uint8]
) -> None:
    from segmentation.geometry import PhotoGrid
    from segmentation.model import _resize, encoder_input

    rounded = plain_embedding
    small = _resize(room, PhotoGrid(640, 480).resized)
    encoder = plain_model._encoder
    [features] = encoder.run(
        list(encoder.signature.outputs),
        {next(iter(encoder.signature.inputs)): encoder_input(small)},
    )
    exact = Embedding(
        features,
        rounded.wall_maps,
        rounded.tokens,
        640,
        480,
        rounded.model,
        rounded.thumbnail,
        digest="without rounding",
    )

    one, other = (plain_model.predict(e, WALL).mask() > 127 for e in (rounded, exact))

    assert iou(one, other) > 0.998


def test_two_threads_get_what_one_gets(
    weights_folder: Path, model: SamModel, embedding: Embedding
) -> None:
    sets = [[Click(40 + 60 * k, 60 + 20 * k, 1)] for k in range(6)]
    alone = [model.predict(embedding, clicks).logits for clicks in sets]
    fresh = SamModel.load(weights_folder, encoder_threads=1, decoder_threads=1)

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda clicks: fresh.predict(embedding, clicks).logits, sets))

    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def _in_child(model: SamModel, data: bytes, queue: multiprocessing.Queue[Any]) -> None:
    loaded_before = model._decoder._session.loaded
    logits = model.predict(Embedding.from_bytes(data), WALL).logits
    queue.put((loaded_before, model._decoder._session.loaded, logits))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_builds_sessions_of_its_own(model: SamModel, embedding: Embedding) -> None:
    here = model.predict(embedding, WALL).logits
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()

    child = fork.Process(target=_in_child, args=(model, embedding.to_bytes(), queue))
    child.start()
    loaded_before, loaded_after, there = queue.get(timeout=60)
    child.join(60)

    assert (loaded_before, loaded_after) == (False, True)
    assert child.exitcode == 0
    np.testing.assert_array_equal(there, here)


def test_undoing_a_click_decodes_nothing_again(
    weights_folder: Path, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SamModel.load(weights_folder, encoder_threads=1, decoder_threads=1)
    clicks = [Click(230, 40, 1), Click(500, 300, 0), Click(300, 200, 1)]
    for count in (2, 3):
        model.predict(embedding, clicks[:count])
    decodes: list[int] = []
    original = Decoder.decode

    def counting(*args: Any) -> Any:
        decodes.append(1)
        return original(*args)

    monkeypatch.setattr(Decoder, "decode", counting)

    model.predict(embedding, clicks[:2])

    assert decodes == []


def test_an_embedding_of_another_model_is_refused(model: SamModel, embedding: Embedding) -> None:
    other = Embedding.build(
        embedding.features,
        width=640,
        height=480,
        model="another",
        thumbnail=embedding.thumbnail,
    )

    with pytest.raises(EmbeddingError):
        model.predict(other, WALL)


def test_a_click_outside_the_photo_is_refused_in_words(
    model: SamModel, embedding: Embedding
) -> None:
    with pytest.raises(PromptError) as caught:
        model.predict(embedding, [Click(640, 40, 1)])

    assert "640 x 480" in caught.value.user_message


def test_the_wall_heads_are_part_of_the_identity(model: SamModel, plain_model: SamModel) -> None:
    assert model.identity != plain_model.identity


@pytest.mark.parametrize("size", [(640, 480), (683, 1024), (750, 508), (900, 1)])
def test_what_sam_says_beside_the_photo_plays_no_part(
    model: SamModel, size: tuple[int, int]
) -> None:
    heads = model._heads
    assert heads is not None
    rng = np.random.default_rng(1)
    photo = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    embedding = model.encode(photo)
    columns, rows = embedding.grid.mask_extent
    logits = rng.normal(0, 5, (4, 256, 256)).astype(np.float16)
    other = logits.copy()
    other[:, rows:], other[:, :, columns:] = 30, 30

    one, same = (
        heads.propose(
            embedding,
            heads.evidence(
                embedding, DecodedClick(columns / 2, rows / 2, 1, some, np.ones(4, np.float32))
            ),
            EarlierClicks(),
            None,
            Scope.AUTO,
        )
        for some in (logits, other)
    )

    np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("shape", [(20, 900), (900, 20), (1, 900), (900, 1)])
def test_a_strip_of_a_photo_is_clicked_like_any_other(
    model: SamModel, shape: tuple[int, int]
) -> None:
    photo = np.random.default_rng(1).integers(0, 255, (*shape, 3), dtype=np.uint8)
    column, row = shape[1] // 2, shape[0] // 2

    mask = model.predict(model.encode(photo), [Click(column, row, 1)]).mask()

    assert mask.shape == shape
    assert mask[row, column] == 255


def test_exclusions_alone_correct_the_walls_found_without_a_click(
    model: SamModel, embedding: Embedding, room: npt.NDArray[np.uint8]
) -> None:
    found = model.predict_auto(embedding, room)

    corrected = model.predict(embedding, [Click(230, 40, 0)], start=found.logits)

    assert found.mask()[40, 230] == 255
    assert corrected.mask()[40, 230] == 0
    assert not ((corrected.logits > 0) & (found.logits <= 0)).any()


def test_an_include_never_loses_wall_and_an_exclude_never_adds_any(
    model: SamModel, embedding: Embedding
) -> None:
    clicks = [Click(230, 40, 1), Click(40, 200, 1), Click(420, 120, 0), Click(600, 60, 1)]
    masks = [model.predict(embedding, clicks[: n + 1]).logits > 0 for n in range(len(clicks))]

    for before, after, click in zip(masks, masks[1:], clicks[1:], strict=False):
        changed_wrongly = before & ~after if click.label == 1 else after & ~before
        # Discs of earlier clicks of the other kind are the only exception.
        assert changed_wrongly.sum() <= 4 * np.pi * 2.5**2
