"""A photo comes in."""

from __future__ import annotations

import errno

import pytest
from django.core.files.storage import default_storage

from sessions_app import places, storage
from sessions_app.errors import BadUpload, Unavailable
from sessions_app.intake import read_stored
from sessions_app.models import Session
from sessions_app.services import uploads
from tests.factories import as_file, make_session, room_pixels

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
        uploads.create_session(data=as_file(room_pixels()), source=Session.Source.WEB)

    assert refusal.value.code == "storage_unavailable"
    assert not Session.objects.exists()


def test_a_photo_can_be_brought_down_on_the_way_in() -> None:
    session = uploads.create_session(
        data=as_file(room_pixels()), source=Session.Source.COMMAND, max_side=160, background=False
    )

    assert (session.width, session.height) == (160, 120)


def test_a_sample_room_becomes_a_session() -> None:
    from sessions_app.catalogue import sample_rooms

    room = sample_rooms()[0]

    session = uploads.create_session_from_sample(slug=room.slug, source=Session.Source.WEB)

    assert session.photo_format == "JPEG"


def test_too_many_uploads_at_once_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "DECODING_PATIENCE_SECONDS", 0)
    with (
        places.a_decoding_place(),
        places.a_decoding_place(),
        pytest.raises(Unavailable) as refusal,
    ):
        make_session()

    assert refusal.value.code == "busy"
    assert refusal.value.retry_after_seconds
    assert make_session().pk
