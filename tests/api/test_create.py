"""POST /v1/sessions/create."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sessions_app.models import Session
from tests.api.program import Program, code_of
from tests.harness.factories import as_file, room_pixels

pytestmark = pytest.mark.django_db


def test_a_photo_begins_a_session(api: Program) -> None:
    response = api.create(as_file(room_pixels()))

    shown = response.json()
    session = Session.objects.get()
    assert response.status_code == 201
    assert shown["session_id"] == str(session.pk)
    assert (shown["width"], shown["height"]) == (320, 240)
    assert shown["attempts_left"] == settings.ATTEMPTS_PER_SESSION
    assert (session.source, session.visitor) == (Session.Source.API, "")


def test_the_answer_says_where_to_go_on(api: Program) -> None:
    response = api.create(as_file(room_pixels()))

    links = response.json()["links"]
    base = f"http://testserver/v1/sessions/{Session.objects.get().pk}"
    assert response.headers["Location"] == links["self"] == base
    assert links["status"] == f"{base}/status"


def test_no_cookie_is_set(api: Program) -> None:
    assert not api.create(as_file(room_pixels())).cookies


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"<svg/>", b"text", as_file(room_pixels(), "JPEG")[:2000]]
)
def test_a_file_that_is_no_photo_is_refused_with_the_decoders_reason(
    api: Program, data: bytes
) -> None:
    response = api.create(data)

    assert response.status_code == 422
    assert code_of(response) not in ("error", "bad_upload")
    assert not Session.objects.exists()


def test_a_request_without_a_file_is_refused(api: Program) -> None:
    response = api.create(b"x", field_name="photo")

    assert response.status_code == 422
    assert code_of(response) == "no_file"


def test_two_files_are_refused(api: Program) -> None:
    both = [SimpleUploadedFile("a.png", b"a"), SimpleUploadedFile("b.png", b"b")]

    response = Client().post("/v1/sessions/create", {"file": both})

    api.check("POST", "/sessions/create", response)
    assert "2 files" in response.json()["error"]["message"]


def test_a_text_in_the_files_field_is_refused(api: Program) -> None:
    response = Client().post("/v1/sessions/create", {"file": "room.png"})

    api.check("POST", "/sessions/create", response)
    assert code_of(response) == "no_file"


def test_json_is_another_media_type(api: Program) -> None:
    response = api.post_json("/sessions/create", {"file": "data:"})

    assert response.status_code == 415


def test_a_file_beyond_the_limit_is_too_large(api: Program) -> None:
    response = api.create(b"\xff" * (settings.MAX_UPLOAD_BYTES + 1))

    assert response.status_code == 413
    assert "20 MB" in response.json()["error"]["message"]


def test_a_body_stated_far_too_long_is_refused_unread(api: Program) -> None:
    response = api.call(
        "POST",
        "/sessions/create",
        data=b"--x",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(2 * 1024**3),
    )

    assert response.status_code == 413


def test_a_malformed_multipart_body_is_refused(api: Program) -> None:
    response = api.call(
        "POST",
        "/sessions/create",
        data=b"no boundary anywhere",
        content_type="multipart/form-data",
    )

    assert response.status_code == 422
