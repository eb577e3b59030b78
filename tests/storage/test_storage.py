"""Stored objects, on disk and on a real S3 server alike."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.core.files.storage import default_storage, storages

from jobs import tasks
from sessions_app import storage
from sessions_app.errors import NotFound, Unavailable
from sessions_app.models import Generation
from sessions_app.storage import keys
from tests.harness.factories import make_generation


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.s3)])
def _store(request: pytest.FixtureRequest) -> None:
    """Each test once on each kind of store."""
    if request.param == "s3":
        request.getfixturevalue("s3_storage")


pytestmark = pytest.mark.usefixtures("_store")


def test_what_is_saved_is_read_back() -> None:
    digest = storage.save("sessions/a/photo.png", b"bytes")

    assert storage.read("sessions/a/photo.png") == b"bytes"
    assert storage.exists("sessions/a/photo.png")
    assert digest == storage.digest_of(b"bytes")


def test_what_is_put_is_read_back_too() -> None:
    storage.put("sessions/a/view.jpg", b"bytes")

    assert storage.read("sessions/a/view.jpg") == b"bytes"


def test_a_missing_object_is_not_found() -> None:
    assert not storage.exists("sessions/a/none.png")
    with pytest.raises(NotFound):
        storage.read("sessions/a/none.png")


def test_deleting_what_is_not_there_is_no_error() -> None:
    storage.delete("sessions/a/none.png")


def test_a_sessions_objects_are_removed_together_and_nobody_elses() -> None:
    for key in ("sessions/a/photo.png", "sessions/a/masks/1.png", "sessions/b/photo.png"):
        storage.save(key, b"x")

    removed = storage.delete_prefix("sessions/a/")

    assert removed == 2
    assert not storage.exists("sessions/a/masks/1.png")
    assert storage.exists("sessions/b/photo.png")
    assert storage.session_folders() == ["b"]


def test_removing_an_empty_prefix_removes_nothing() -> None:
    assert storage.delete_prefix("sessions/none/") == 0
    assert storage.session_folders() == []


@pytest.mark.django_db(transaction=True)
def test_a_generation_runs_from_photo_to_result() -> None:
    generation = make_generation()

    tasks.run_generation(str(generation.pk), generation.run)

    generation.refresh_from_db()
    assert generation.state == Generation.State.COMPLETED, generation.error_detail
    assert storage.digest_of(storage.read(generation.result_key)) == generation.result_digest
    assert storage.delete_prefix(keys.session_prefix(generation.session_id)) >= 7


@pytest.mark.s3
def test_objects_on_s3_are_private_and_links_are_signed(s3_storage: object) -> None:
    storage.save("sessions/a/photo.png", b"bytes")
    url = default_storage.url("sessions/a/photo.png")

    with urlopen(url) as answer:
        assert answer.read() == b"bytes"
    with pytest.raises(HTTPError) as refusal:
        urlopen(url.split("?")[0])
    assert refusal.value.code in (400, 401, 403)
    refusal.value.close()


def test_a_file_appears_as_a_whole_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if "s3" in request.node.name:
        pytest.skip("S3 takes an object whole or not at all")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(Unavailable):
        storage.save("sessions/a/photo.png", b"bytes")

    assert not storage.exists("sessions/a/photo.png")
    assert default_storage.listdir("sessions/a") == ([], [])


def test_a_store_that_does_not_answer_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    storage.save("sessions/a/photo.png", b"bytes")

    def away(*_: object) -> bool:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(type(storages["default"]), "exists", away)
        with pytest.raises(Unavailable):
            storage.save("sessions/a/photo.png", b"bytes")

    assert storage.read("sessions/a/photo.png") == b"bytes"


def test_saving_the_same_object_twice_keeps_one() -> None:
    storage.save("sessions/a/photo.png", b"bytes")
    storage.save("sessions/a/photo.png", b"bytes")

    assert default_storage.listdir("sessions/a")[1] == ["photo.png"]
