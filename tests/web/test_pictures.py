"""Pictures of a room: type, caching, and refusals."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app import storage
from sessions_app.errors import Unavailable
from sessions_app.models import Session
from tests.harness.factories import make_session
from tests.web.conftest import HTMX, OWNER

pytestmark = pytest.mark.django_db


def to(name: str, session: Session, *more: object) -> str:
    """The address of a room's picture."""
    return reverse(name, args=[session.pk, *more])


@pytest.mark.parametrize("name", ["photo-view", "thumbnail"])
def test_the_photo_is_served_for_its_owners_browser_to_keep(
    name: str, room: Session, owner: Client
) -> None:
    answer = owner.get(to(name, room))

    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content.startswith(b"\xff\xd8")
    again = owner.get(to(name, room), headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert not again.content


def test_a_preview_is_kept_only_under_its_own_version(room: Session, owner: Client) -> None:
    page = owner.get(to("session", room)).content.decode()
    found = re.search(r'data-preview src="([^"]+)"', page)
    assert found

    named = owner.get(found[1])
    unnamed = owner.get(to("preview", room) + "?v=old")

    assert named.headers["Cache-Control"].endswith("immutable")
    assert unnamed.headers["Cache-Control"] == "private, no-cache"
    assert named.content == unnamed.content
    assert named.content.startswith(b"\xff\xd8")


def test_a_preview_without_a_wall_is_409(owner: Client) -> None:
    session = make_session(visitor=OWNER)

    answer = owner.get(to("preview", session), **HTMX)

    assert answer.status_code == 409
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_wallpaper_that_was_brought_has_a_picture(room: Session, owner: Client) -> None:
    answer = owner.get(to("wallpaper-picture", room, room.wallpaper_id))

    assert answer.headers["Content-Type"] == "image/jpeg"


def test_a_store_that_is_away_is_503_and_not_kept(
    room: Session, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(key: str) -> bytes:
        raise Unavailable("Pictures cannot be read at the moment.", code="storage_unavailable")

    monkeypatch.setattr(storage, "read", away)

    answer = owner.get(to("photo-view", room))

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.headers["Cache-Control"] == "no-store"
