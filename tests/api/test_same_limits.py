"""The API and the pages refuse the same things, with the same status and the same code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse

from sessions_app.models import Session
from sessions_app.visitors import COOKIE_NAME, SALT
from tests.api.program import Program, at, code_of
from tests.harness.factories import as_file, make_ready_session, make_session, room_pixels

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]

VISITOR = "visitor-a"


@dataclass
class Page:
    """A browser's requests as htmx sends them."""

    client: Client

    def post(self, name: str, session: Session | None, data: Mapping[str, Any]) -> tuple[int, str]:
        """Status and code of the answer to a form."""
        path = reverse(name, args=[session.pk] if session else [])
        response = self.client.post(path, data, headers={"HX-Request": "true"})
        return response.status_code, response.headers.get("X-Error-Code", "")


@pytest.fixture
def page() -> Page:
    client = Client()
    signer = signing.get_cookie_signer(salt=COOKIE_NAME + SALT)
    client.cookies[COOKIE_NAME] = signer.sign(VISITOR)
    return Page(client)


def answer(response: Any) -> tuple[int, str]:
    return response.status_code, code_of(response)


def twins(*, ready: bool = False, **fields: Any) -> tuple[Session, Session]:
    """Two equal sessions, the program's and the browser's."""
    make = make_ready_session if ready else make_session
    return (
        make(source=Session.Source.API, visitor="", **fields),
        make(source=Session.Source.WEB, visitor=VISITOR, **fields),
    )


@pytest.mark.parametrize(
    "data",
    [b"GIF89a", b"<svg/>", as_file(room_pixels(), "JPEG")[:2000], as_file(room_pixels()[:5])],
    ids=["gif", "svg", "truncated", "sliver"],
)
def test_the_same_photos_are_refused(api: Program, page: Page, data: bytes) -> None:
    by_page = page.post("upload", None, {"file": SimpleUploadedFile("a.png", data)})

    assert answer(api.create(data)) == by_page
    assert by_page[0] == 422


@override_settings(MAX_UPLOAD_BYTES=1000)
def test_a_file_is_too_large_at_the_same_size(api: Program, page: Page) -> None:
    upload = SimpleUploadedFile("a.png", b"x" * 1001)

    by_page = page.post("upload", None, {"file": upload})

    assert answer(api.create(b"x" * 1001)) == by_page == (413, "too_big")


@pytest.mark.parametrize("point", [(-1, 5), (5, 240), (320, 5)])
def test_the_same_points_are_outside(api: Program, page: Page, point: tuple[int, int]) -> None:
    ours, theirs = twins()

    by_program = api.post_json(at(ours, "/clicks"), {"points": [[*point, 1]]})
    by_page = page.post("click", theirs, {"x": point[0], "y": point[1], "label": 1})

    assert answer(by_program) == by_page == (422, "click_outside")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"attempts_left": 0}, (403, "no_attempts_left")),
        ({"wallpaper": None}, (409, "no_wallpaper")),
        ({"uploaded_mask_key": ""}, (409, "no_mask")),
    ],
)
def test_generating_is_refused_for_the_same_reasons(
    api: Program, page: Page, fields: dict[str, Any], expected: tuple[int, str]
) -> None:
    ours, theirs = twins(ready=True)
    Session.objects.update(**fields)

    by_program = api.post_json(at(ours, "/generate"), {})
    by_page = page.post("generate", theirs, {"request_key": "k"})

    assert answer(by_program) == by_page == expected


def test_both_have_the_same_attempts_and_use_them_alike(api: Program, page: Page) -> None:
    ours, theirs = twins(ready=True)
    api.post_json(at(ours, "/generate"), {})
    page.post("generate", theirs, {"request_key": "k"})

    left = set(Session.objects.values_list("attempts_left", flat=True))

    assert left == {settings.ATTEMPTS_PER_SESSION - 1}


def test_redis_away_is_the_same_refusal(api: Program, page: Page) -> None:
    ours, theirs = twins(ready=True)

    with override_settings(REDIS_URL="unix:///nonexistent/valkey.sock?db=0"):
        by_program = api.post_json(at(ours, "/generate"), {})
        by_page = page.post("generate", theirs, {"request_key": "k"})

    assert answer(by_program) == by_page == (503, "queue_unavailable")


def test_the_same_links_are_refused(api: Program, page: Page) -> None:
    ours, theirs = twins(ready=True)

    for url in ("ftp://example.org/a", "http://127.0.0.1/a", "http://10.0.0.1/", "x" * 2001):
        by_program = api.post_json(at(ours, "/generate"), {"wallpaper_url": url})
        by_page = page.post("wallpaper-link", theirs, {"url": url})
        assert by_program.status_code == by_page[0] == 422
