"""What every address of a room has in common: its methods, its owner, its end of life."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.models import Session
from sessions_app.services import clicking, wallpapers
from sessions_app.urls import room_patterns
from tests.harness.factories import make_session
from tests.web.conftest import HTMX, OWNER, client_of

pytestmark = pytest.mark.django_db

READS: dict[str, list[Any]] = {
    "session": [],
    "status": [],
    "photo-view": [],
    "thumbnail": [],
    "preview": [],
    "wallpaper-picture": [uuid.UUID(int=7)],
    "result-view": [1],
    "download": [1],
}
WRITES = [
    "session-delete",
    "click",
    "click-undo",
    "click-redo",
    "click-clear",
    "scope",
    "find-wall",
    "wallpaper-design",
    "wallpaper-upload",
    "wallpaper-link",
    "placement",
    "generate",
    "cancel",
]
EVERY = [*((name, "get") for name in READS), *((name, "post") for name in WRITES)]


def address(name: str, session: Session) -> str:
    """Where the view of that name is, in that room."""
    return reverse(name, args=[session.pk, *READS.get(name, ())])


def test_this_list_holds_every_address_of_a_room() -> None:
    assert {name for name, _ in EVERY} == {str(pattern.name) for pattern in room_patterns}


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_an_outsider_finds_nothing(
    name: str, method: str, room: Session, outsider: Client, stranger: Client
) -> None:
    for client in (outsider, stranger):
        answer = getattr(client, method)(address(name, room))

        assert answer.status_code == 404
    assert Session.objects.filter(pk=room.pk, click_history=room.click_history).exists()


@pytest.mark.model
@pytest.mark.parametrize("name", READS)
def test_a_page_that_is_only_looked_at_writes_nothing(name: str, owner: Client) -> None:
    """Not even that the photo is encoded, which looking at the marked wall may have waited for."""
    session = make_session(visitor=OWNER)
    session = clicking.add_click(session_id=session.pk, x=20, y=20, label=1)
    wallpapers.choose_design(session_id=session.pk, slug="brick")

    with CaptureQueriesContext(connection) as statements:
        owner.get(address(name, session))

    asked = [statement["sql"].lstrip() for statement in statements]
    assert [sql for sql in asked if not sql.startswith("SELECT")] == []


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_an_expired_room_is_gone(
    name: str, method: str, room: Session, owner: Client, expire: Callable[[Session], None]
) -> None:
    expire(room)

    answer = getattr(owner, method)(address(name, room))

    assert answer.status_code == 410
    assert reverse("home") in answer.content.decode()


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_the_wrong_method_is_refused(name: str, method: str, room: Session, owner: Client) -> None:
    wrong = "post" if method == "get" else "get"

    answer = getattr(owner, wrong)(address(name, room))

    assert answer.status_code == 405
    assert method.upper() in answer.headers["Allow"]


@pytest.mark.parametrize("name", WRITES)
def test_a_post_without_the_token_is_refused(name: str, room: Session) -> None:
    client = client_of("visitor-a", enforce_csrf_checks=True)

    answer = client.post(address(name, room))

    assert answer.status_code == 403
    assert "reload" in answer.content.decode()


def test_the_token_of_the_page_is_enough_for_htmx(room: Session) -> None:
    client = client_of("visitor-a", enforce_csrf_checks=True)
    client.get(address("session", room))
    token = client.cookies["csrftoken"].value

    answer = client.post(address("click-clear", room), headers={"X-CSRFToken": token}, **HTMX)

    assert answer.status_code == 200


def test_an_unknown_room_and_somebody_elses_look_the_same(room: Session, outsider: Client) -> None:
    unknown = outsider.get(reverse("session", args=[uuid.uuid4()]))
    other = outsider.get(address("session", room))

    assert unknown.status_code == other.status_code == 404
    # The token against forged posts is masked anew in every page.
    shown = [re.sub(rb'"X-CSRFToken": "\w+"', b"", answer.content) for answer in (unknown, other)]
    assert shown[0] == shown[1]


def test_a_room_made_through_the_api_has_no_page(room: Session, owner: Client) -> None:
    Session.objects.filter(pk=room.pk).update(source=Session.Source.API)

    assert owner.get(address("session", room)).status_code == 404


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_htmx_is_told_in_one_plain_sentence(
    name: str, method: str, room: Session, outsider: Client
) -> None:
    answer = getattr(outsider, method)(address(name, room), **HTMX)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.content.decode().startswith("There is no such room here.")
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_forged_cookie_is_nobodys(room: Session) -> None:
    client = Client()
    client.cookies["visitor"] = "visitor-a:forged"

    assert client.get(address("session", room)).status_code == 404
