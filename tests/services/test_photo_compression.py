"""A photo is stored at once, and made small later."""

from __future__ import annotations

import uuid
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from imaging import encode_stored_photo, read_stored
from sessions_app import storage
from sessions_app.errors import NotFound
from sessions_app.inference import embeddings
from sessions_app.inference.background import BackgroundExecutor
from sessions_app.models import Session
from sessions_app.services import photo_compression, uploads
from sessions_app.storage import keys
from tests.harness.factories import as_file, make_session, room_pixels

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """The sessions whose photos were to be compressed, once encoding has ended, which it has."""
    asked: list[uuid.UUID] = []
    done: Future[Any] = Future()
    done.set_result(None)
    monkeypatch.setattr(embeddings, "encode_in_background", lambda *_: done)
    monkeypatch.setattr(photo_compression, "compress_later", asked.append)
    return asked


def upload() -> Session:
    return uploads.create_session(data=as_file(room_pixels()), source=Session.Source.WEB)


def stored_bytes(session: Session) -> int:
    return len(storage.read(session.photo_key))


def test_an_upload_stores_the_pixels_as_they_are_and_has_them_compressed(
    asked_for: list[uuid.UUID], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        session = upload()

    assert asked_for == [session.pk]
    assert stored_bytes(session) > room_pixels().nbytes
    assert np.array_equal(read_stored(storage.read(session.photo_key)), room_pixels())


def test_compressing_changes_no_pixel_and_takes_less_room(asked_for: list[uuid.UUID]) -> None:
    session = upload()

    assert photo_compression.compress(session.pk)

    assert stored_bytes(session) == len(encode_stored_photo(room_pixels()))
    assert np.array_equal(read_stored(storage.read(session.photo_key)), room_pixels())


def test_with_many_photos_waiting_the_next_is_compressed_before_it_is_stored(
    asked_for: list[uuid.UUID],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(photo_compression, "MAX_WAITING", 0)

    with django_capture_on_commit_callbacks(execute=True):
        session = upload()

    assert asked_for == []
    assert stored_bytes(session) < room_pixels().nbytes


def test_a_photo_larger_than_memory_allows_beside_others_is_compressed_before_it_is_stored(
    asked_for: list[uuid.UUID],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(photo_compression, "MAX_PIXEL_BYTES", room_pixels().nbytes - 1)

    with django_capture_on_commit_callbacks(execute=True):
        session = upload()

    assert asked_for == []
    assert stored_bytes(session) < room_pixels().nbytes


@pytest.mark.s3
def test_on_s3_a_photo_is_compressed_before_it_is_sent(
    asked_for: list[uuid.UUID], s3_storage: Any
) -> None:
    session = upload()

    assert asked_for == []
    assert stored_bytes(session) < room_pixels().nbytes


def test_a_photo_that_was_deleted_meanwhile_does_not_come_back() -> None:
    session = make_session()
    storage.delete(session.photo_key)

    with pytest.raises(NotFound):
        photo_compression.compress(session.pk)

    assert not storage.exists(session.photo_key)


def test_a_photo_whose_room_is_deleted_while_it_is_compressed_leaves_no_folder() -> None:
    session = make_session()
    Session.objects.filter(pk=session.pk).delete()

    assert not photo_compression.compress(session.pk)

    assert str(session.pk) not in storage.session_folders()


def test_a_photo_whose_room_is_hidden_while_its_row_is_still_there_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = make_session()
    replace = storage.replace

    def purged_before_the_file_is_moved(key: str, data: bytes) -> bool:
        Session.objects.filter(pk=session.pk).update(expires_at=timezone.now())
        storage.delete_prefix(keys.session_prefix(session.pk))
        storage.put(key, b"")  # the look at the old file came before it was deleted
        return replace(key, data)

    monkeypatch.setattr(storage, "replace", purged_before_the_file_is_moved)

    assert not photo_compression.compress(session.pk)

    assert str(session.pk) not in storage.session_folders()
    assert Session.objects.filter(pk=session.pk).exists()


def test_an_error_nobody_thought_of_is_logged_and_makes_room_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: uuid.UUID) -> bool:
        raise MemoryError("no memory")

    monkeypatch.setattr(photo_compression, "compress", fail)

    done = photo_compression.compress_later(uuid.uuid4())

    assert done is not None
    assert isinstance(done.exception(10), MemoryError)
    photo_compression.executor.wait_idle(10)
    assert photo_compression.executor.state().items == 0
    assert "no memory" in caplog.text


def test_a_process_that_is_stopping_compresses_nothing_and_keeps_no_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped = BackgroundExecutor("stopped", max_items=1)
    stopped.stop()
    monkeypatch.setattr(photo_compression, "executor", stopped)

    assert photo_compression.compress_later(uuid.uuid4()) is None
    assert stopped.state().items == 0


def test_replacing_an_object_that_is_gone_makes_none() -> None:
    assert not storage.replace("sessions/none/photo.png", b"data")
    assert not storage.exists("sessions/none/photo.png")
