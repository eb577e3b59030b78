"""A photo comes in."""

from __future__ import annotations

import errno
from concurrent.futures import Future
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError

from imaging import DECODER_VERSION, read_stored
from sessions_app import storage
from sessions_app.errors import BadUpload, Unavailable
from sessions_app.inference import embeddings, limits
from sessions_app.models import Session
from sessions_app.services import photo_compression, uploads
from tests.harness.factories import as_file, make_session, room_pixels

pytestmark = pytest.mark.django_db


def test_the_stored_photo_equals_the_upload_bit_for_bit() -> None:
    session = make_session()

    stored = read_stored(storage.read(session.photo_key))

    assert (stored == room_pixels()).all()
    assert (session.width, session.height) == (320, 240)


def test_a_new_session_has_all_attempts_and_is_new() -> None:
    session = make_session()

    assert session.attempts_left == 10
    assert session.status == Session.Status.NEW


def test_a_refused_file_leaves_no_session_and_no_object() -> None:
    with pytest.raises(BadUpload) as refusal:
        uploads.create_session(data=b"GIF89a nothing", source=Session.Source.WEB)

    assert refusal.value.status == 422
    assert refusal.value.user_message
    assert not Session.objects.exists()
    assert storage.session_folders() == []


def test_a_full_disk_is_said_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(default_storage, "save", full)

    with pytest.raises(Unavailable) as refusal:
        uploads.create_session(
            data=as_file(room_pixels()), source=Session.Source.WEB, background=False
        )

    assert refusal.value.code == "storage_unavailable"
    assert not Session.objects.exists()


def test_a_photo_can_be_brought_down_on_the_way_in() -> None:
    session = uploads.create_session(
        data=as_file(room_pixels()), source=Session.Source.COMMAND, max_side=160, background=False
    )

    assert (session.width, session.height) == (160, 120)


def test_the_same_file_at_another_size_is_another_photo() -> None:
    data = as_file(room_pixels())

    digests = [
        uploads.create_session(
            data=data, source=Session.Source.COMMAND, max_side=side, background=False
        ).photo_digest
        for side in (None, 160, 160)
    ]

    assert digests[0] != digests[1]
    assert digests[1] == digests[2]


def test_a_file_that_another_decoder_reads_is_another_photo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = make_session().photo_digest
    again = make_session().photo_digest
    monkeypatch.setattr(uploads, "DECODER_VERSION", DECODER_VERSION + 1)

    assert before == again
    assert make_session().photo_digest != before


@pytest.fixture
def encoding(monkeypatch: pytest.MonkeyPatch) -> Future[Any]:
    """An encoding under way; the test says when it ends."""
    future: Future[Any] = Future()
    monkeypatch.setattr(embeddings, "encode_in_background", lambda *_: future)
    # Its thread would go on writing while the test's folder is removed.
    monkeypatch.setattr(photo_compression, "compress_later", lambda _: None)
    return future


def upload_in_web() -> Session:
    return uploads.create_session(data=as_file(room_pixels()), source=Session.Source.WEB)


def test_encoding_begins_before_the_photo_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(embeddings, "encode_in_background", lambda *_: order.append("encode"))
    put = storage.put

    def noting(key: str, data: bytes) -> None:
        order.append("store")
        put(key, data)

    monkeypatch.setattr(storage, "put", noting)

    upload_in_web()

    assert order == ["encode", "store", "store", "store"]


def test_a_session_says_when_its_photo_is_encoded(
    encoding: Future[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        session = upload_in_web()
    before = Session.objects.get(pk=session.pk).status

    encoding.set_result(None)

    session.refresh_from_db()
    assert (before, session.status) == ("new", "embedding_completed")


def test_an_encoding_that_ended_before_the_row_was_there_is_not_forgotten(
    encoding: Future[Any], django_capture_on_commit_callbacks: Any
) -> None:
    encoding.set_result(None)

    with django_capture_on_commit_callbacks(execute=True):
        session = upload_in_web()

    session.refresh_from_db()
    assert session.status == "embedding_completed"


def test_a_failed_encoding_leaves_the_session_new(
    encoding: Future[Any], django_capture_on_commit_callbacks: Any
) -> None:
    encoding.set_exception(OSError("no memory"))

    with django_capture_on_commit_callbacks(execute=True):
        session = upload_in_web()

    session.refresh_from_db()
    assert session.status == "new"


def test_a_photo_that_cannot_be_stored_is_not_encoded(
    encoding: Future[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(default_storage, "save", full)

    with pytest.raises(Unavailable):
        upload_in_web()

    assert encoding.cancelled()


def test_a_room_whose_row_cannot_be_written_leaves_no_object_and_no_encoding(
    encoding: Future[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(Session, "save", away)

    with pytest.raises(OperationalError):
        upload_in_web()

    assert storage.session_folders() == []
    assert encoding.cancelled()


def test_a_cancelled_encoding_leaves_the_session_new(
    encoding: Future[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        session = upload_in_web()

    encoding.cancel()

    session.refresh_from_db()
    assert session.status == "new"


def test_a_sample_room_becomes_a_session() -> None:
    from sessions_app.catalogue import sample_rooms

    room = sample_rooms()[0]

    session = uploads.create_session_from_sample(slug=room.slug, source=Session.Source.WEB)

    assert session.photo_format == "JPEG"


def test_too_many_uploads_at_once_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.decode_limit, "patience_seconds", 0)
    with (
        limits.decode_limit.slot(),
        limits.decode_limit.slot(),
        pytest.raises(Unavailable) as refusal,
    ):
        make_session()

    assert refusal.value.code == "busy"
    assert refusal.value.retry_after_seconds
    assert make_session().pk
