"""Uploads beyond what a process takes in at once are refused at once, and nothing else is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from sessions_app.middleware.upload_concurrency import UploadConcurrencyMiddleware
from tests.harness.factories import as_file, room_pixels

pytestmark = pytest.mark.django_db


class Held:
    """A view that answers only when it is let go, and how many are in it."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        self.inside.release()
        assert self.go.wait(60)
        return HttpResponse("done")


@pytest.fixture
def held() -> Iterator[Held]:
    view = Held()
    yield view
    view.go.set()


@pytest.fixture
def site(held: Held, settings: pytest.FixtureRequest) -> UploadConcurrencyMiddleware:
    """A site that takes one upload at a time."""
    settings.UPLOADS_AT_ONCE = 1  # type: ignore[attr-defined]
    return UploadConcurrencyMiddleware(held)


def upload(path: str = "/upload/", **headers: str) -> HttpRequest:
    data = {"file": SimpleUploadedFile("room.png", as_file(room_pixels()))}
    return RequestFactory().post(path, data, headers=headers)


def in_background(call: Callable[[], HttpResponseBase]) -> tuple[threading.Thread, list[int]]:
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(call().status_code))
    thread.start()
    return thread, statuses


def test_an_upload_too_many_is_told_at_once_when_to_come_back(
    site: UploadConcurrencyMiddleware, held: Held
) -> None:
    first, statuses = in_background(lambda: site(upload()))
    assert held.inside.acquire(timeout=60)

    refused = site(upload(**{"HX-Request": "true"}))
    held.go.set()
    first.join(60)

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "5"
    assert refused.headers["X-Error-Code"] == "busy"
    assert refused.content == (  # type: ignore[attr-defined]
        b"Many photos are coming in at this moment. Please try again in a few seconds."
    )
    assert statuses == [200]


def test_a_program_hears_it_as_json(site: UploadConcurrencyMiddleware, held: Held) -> None:
    first, _ = in_background(lambda: site(upload()))
    assert held.inside.acquire(timeout=60)

    refused = site(upload("/v1/sessions/create"))
    held.go.set()
    first.join(60)

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "5"
    assert b'"code": "busy"' in refused.content  # type: ignore[attr-defined]


def test_the_body_of_a_refused_upload_is_read_away(
    site: UploadConcurrencyMiddleware, held: Held
) -> None:
    first, _ = in_background(lambda: site(upload()))
    assert held.inside.acquire(timeout=60)
    request = upload()

    site(request)
    held.go.set()
    first.join(60)

    assert request.read() == b""


def test_the_next_upload_finds_the_place_free(
    site: UploadConcurrencyMiddleware, held: Held
) -> None:
    held.go.set()

    assert [site(upload()).status_code for _ in range(3)] == [200, 200, 200]


def test_clicks_need_no_place(site: UploadConcurrencyMiddleware, held: Held) -> None:
    first, _ = in_background(lambda: site(upload()))
    assert held.inside.acquire(timeout=60)
    held.go.set()

    click = RequestFactory().post(
        "/s/x/clicks/", "x=1&y=2&label=1", content_type="application/x-www-form-urlencoded"
    )

    assert site(click).status_code == 200
    first.join(60)
