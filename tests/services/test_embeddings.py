"""Each photo is encoded once."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import override_settings

from segmentation import Embedding, SamModel
from sessions_app.inference import embeddings
from sessions_app.inference.background import BackgroundExecutor
from sessions_app.inference.model import sam_model
from tests.harness.factories import room_pixels

pytestmark = [pytest.mark.model, pytest.mark.redis, pytest.mark.usefixtures("sam_weights")]


def the_encoder_is_idle() -> None:
    """Waits until all that was begun has ended, with what follows from its end."""
    embeddings.executor.wait_idle(120)


@pytest.fixture(autouse=True)
def _forget() -> None:
    the_encoder_is_idle()  # what another test's upload began would be counted here
    embeddings.memory.clear()


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often the real encoder runs."""
    counted: list[int] = []
    original = SamModel.encode

    def counting(self: SamModel, photo: np.ndarray) -> Embedding:
        counted.append(1)
        return original(self, photo)

    monkeypatch.setattr(SamModel, "encode", counting)
    return counted


def test_ten_threads_that_ask_at_once_encode_once(encodings: list[int]) -> None:
    found: list[Embedding] = []

    def ask() -> None:
        found.append(embeddings.obtain("digest-a", room_pixels))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(encodings) == 1
    assert len({embedding.digest for embedding in found}) == 1


def test_another_process_finds_the_embedding_in_the_shared_cache(encodings: list[int]) -> None:
    first = embeddings.obtain("digest-b", room_pixels)
    embeddings.memory.clear()  # as in a process that has just started

    again = embeddings.obtain("digest-b", room_pixels)

    assert len(encodings) == 1
    assert again.digest == first.digest


@override_settings(REDIS_URL="unix:///nonexistent/valkey.sock?db=0")
def test_with_redis_away_the_photo_is_encoded_here(encodings: list[int]) -> None:
    embeddings.obtain("digest-c", room_pixels)
    embeddings.obtain("digest-c", room_pixels)

    assert len(encodings) == 1


def test_a_failed_encoding_is_told_to_all_who_wait_and_tried_anew_later(
    encodings: list[int],
) -> None:
    def broken() -> np.ndarray:
        raise OSError("photo is gone")

    with pytest.raises(OSError, match="gone"):
        embeddings.obtain("digest-d", broken)

    assert embeddings.obtain("digest-d", room_pixels).width == 320
    assert len(encodings) == 1


def test_no_more_pixels_wait_for_the_encoder_than_memory_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embeddings.executor, "max_bytes", room_pixels().nbytes)

    first = embeddings.encode_in_background("digest-e", room_pixels())
    second = embeddings.encode_in_background("digest-f", room_pixels())

    assert first is not None
    assert second is None
    assert first.result(120).width == 320
    the_encoder_is_idle()
    assert embeddings.encode_in_background("digest-g", room_pixels()) is not None
    the_encoder_is_idle()


def test_an_encoding_cancelled_before_it_began_makes_room_at_once() -> None:
    go_on = threading.Event()
    embeddings.executor.submit(lambda: go_on.wait(60), label="something else")
    pixels = room_pixels()
    waiting = embeddings.encode_in_background("digest-h", pixels)
    assert waiting is not None
    kept = weakref.ref(pixels)
    del pixels

    assert waiting.cancel()

    assert embeddings.executor.state().bytes == 0
    assert kept() is None
    go_on.set()
    the_encoder_is_idle()


def test_a_process_that_is_stopping_begins_no_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = BackgroundExecutor("stopped", max_items=1)
    stopped.stop()
    monkeypatch.setattr(embeddings, "executor", stopped)

    assert embeddings.encode_in_background("digest-i", room_pixels()) is None


def test_a_process_that_starts_loads_the_model_before_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[SamModel] = []
    monkeypatch.setattr(SamModel, "warm_up", lambda model: loaded.append(model))

    embeddings.warm_up()
    the_encoder_is_idle()

    assert loaded == [sam_model()]


def test_a_process_starts_without_the_weights_and_says_so(
    settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SAM_MODEL_DIR = str(tmp_path)

    embeddings.warm_up()
    the_encoder_is_idle()

    assert "loading the model failed" in caplog.text
    assert "Traceback" not in caplog.text


def test_the_key_names_the_model() -> None:
    assert sam_model().identity in embeddings.cache_key("digest")
