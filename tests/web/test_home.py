"""The start page and the ways into a room."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from sessions_app.models import Session
from sessions_app.services import uploads
from tests.harness.factories import as_file, room_pixels
from tests.web.conftest import HTMX, OWNER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoding has its own tests; here it would only outlive the test."""
    monkeypatch.setattr(uploads, "start_encoding", lambda photo_digest, pixels: None)


def photo(data: bytes | None = None, name: str = "room.png") -> dict[str, SimpleUploadedFile]:
    """The fields of an upload."""
    return {"file": SimpleUploadedFile(name, as_file(room_pixels()) if data is None else data)}


def test_the_start_page_offers_upload_and_sample_rooms(stranger: Client) -> None:
    answer = stranger.get(reverse("home"))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'data-testid="photo-input"' in page
    assert page.count('data-testid="sample-room"') == 3
    assert "visitor" not in answer.cookies


def test_the_start_page_lists_the_visitors_own_rooms_only(
    room: Session, owner: Client, outsider: Client
) -> None:
    address = reverse("session", args=[room.pk])

    assert address in owner.get(reverse("home")).content.decode()
    assert address not in outsider.get(reverse("home")).content.decode()


def test_the_start_page_asks_the_database_once_whatever_the_rooms(
    room: Session, owner: Client, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        owner.get(reverse("home"))


def test_the_start_page_only_answers_get(stranger: Client) -> None:
    assert stranger.post(reverse("home")).status_code == 405


def test_an_upload_makes_a_room_and_goes_there(stranger: Client) -> None:
    answer = stranger.post(reverse("upload"), photo())

    session = Session.objects.get()
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("session", args=[session.pk])
    assert answer.cookies["visitor"]["httponly"]
    assert answer.cookies["visitor"]["samesite"] == "Lax"
    assert stranger.get(answer.headers["Location"]).status_code == 200


def test_an_upload_by_htmx_is_told_where_to_go(owner: Client) -> None:
    answer = owner.post(reverse("upload"), photo(), **HTMX)

    session = Session.objects.get()
    assert session.visitor == OWNER
    assert answer.headers["HX-Redirect"] == reverse("session", args=[session.pk])


def test_a_sample_room_is_taken(stranger: Client) -> None:
    answer = stranger.post(reverse("sample", args=["living-room"]))

    assert answer.status_code == 302
    assert Session.objects.get().width == 1152


def test_an_unknown_sample_room_is_not_found(stranger: Client) -> None:
    assert stranger.post(reverse("sample", args=["ballroom"])).status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello, this is text", "picture"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "GIF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (as_file(room_pixels())[:600], ""),
    ],
    ids=["empty", "text", "gif", "svg", "truncated"],
)
def test_a_bad_photo_is_refused_with_a_sentence(data: bytes, words: str, stranger: Client) -> None:
    by_htmx = stranger.post(reverse("upload"), photo(data, "room.jpg"), **HTMX)
    plain = stranger.post(reverse("upload"), photo(data, "room.jpg"))

    assert by_htmx.status_code == plain.status_code == 422
    assert words.lower() in by_htmx.content.decode().lower()
    assert plain.context["error"].user_message == by_htmx.content.decode()
    assert 'data-testid="photo-input"' in plain.content.decode()
    assert not Session.objects.exists()


def test_a_missing_file_is_asked_for(stranger: Client) -> None:
    answer = stranger.post(reverse("upload"), **HTMX)

    assert answer.status_code == 422
    assert "Choose a file" in answer.content.decode()


def test_a_file_over_the_limit_is_413(stranger: Client, settings: object) -> None:
    settings.MAX_UPLOAD_BYTES = 1024 * 1024  # type: ignore[attr-defined]

    answer = stranger.post(reverse("upload"), photo(b"\xff" * (1024 * 1024 + 1)), **HTMX)

    assert answer.status_code == 413
    assert "1 MB" in answer.content.decode()
