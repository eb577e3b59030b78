"""Asking for the picture, following it, and getting it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.tasks import run_generation
from sessions_app.models import Generation, Session
from sessions_app.services.runs import fail, start
from sessions_app.views.contexts import generation_context
from tests.harness.factories import make_generation, make_session
from tests.web.conftest import HTMX, OWNER

pytestmark = pytest.mark.django_db


def to(name: str, session: Session, *more: object) -> str:
    """The address of a room's view."""
    return reverse(name, args=[session.pk, *more])


def status(owner: Client, session: Session) -> str:
    """The fragment that the page polls for."""
    return owner.get(to("status", session), **HTMX).content.decode()


def word(fragment: str) -> str:
    """The status word of a fragment."""
    found = re.search(r'data-testid="status" data-status="(\w+)"', fragment)
    assert found
    return found[1]


def key_on_page(owner: Client, session: Session) -> str:
    """The request key that the page would send."""
    found = re.search(r'name="request_key" value="([^"]+)"', status(owner, session))
    assert found
    return found[1]


@pytest.mark.redis
@pytest.mark.model
def test_generate_queues_one_picture_and_starts_the_polling(room: Session, owner: Client) -> None:
    key = key_on_page(owner, room)

    first = owner.post(to("generate", room), {"request_key": key}, **HTMX)
    second = owner.post(to("generate", room), {"request_key": key}, **HTMX)

    assert word(first.content.decode()) == word(second.content.decode()) == "queued"
    assert "every 1s" in first.content.decode()
    assert Generation.objects.count() == 1
    room.refresh_from_db()
    assert room.attempts_left == 9


@pytest.mark.redis
@pytest.mark.model
def test_generate_by_a_plain_form_goes_back_to_the_page(room: Session, owner: Client) -> None:
    answer = owner.post(to("generate", room), {"request_key": "one"})

    assert answer.headers["Location"] == to("session", room)
    assert '<meta http-equiv="refresh"' in owner.get(to("session", room)).content.decode()


@pytest.mark.redis
@pytest.mark.model
def test_the_key_stays_the_same_until_the_picture_has_ended(room: Session, owner: Client) -> None:
    before = key_on_page(owner, room)
    owner.post(to("generate", room), {"request_key": before}, **HTMX)
    during = key_on_page(owner, room)

    run_generation(str(Generation.objects.get().pk), 1)

    assert during == before
    assert key_on_page(owner, room) != before


@pytest.mark.redis
@pytest.mark.model
def test_with_no_worker_the_page_says_that_it_waits(room: Session, owner: Client) -> None:
    owner.post(to("generate", room), {"request_key": "one"}, **HTMX)

    assert "No worker is running" in status(owner, room)


def test_with_the_queue_away_nothing_is_lost(
    room: Session, owner: Client, settings: Any, tmp_path: Path
) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody-listens.sock?db=0"

    answer = owner.post(to("generate", room), {"request_key": "one"}, **HTMX)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "try again" in answer.content.decode()
    room.refresh_from_db()
    assert room.attempts_left == 10


@pytest.mark.redis
def test_generating_without_a_wall_is_409(owner: Client) -> None:
    session = make_session(visitor=OWNER)

    by_htmx = owner.post(to("generate", session), {"request_key": "one"}, **HTMX)
    plain = owner.post(to("generate", session), {"request_key": "one"})

    assert by_htmx.status_code == plain.status_code == 409
    assert "Click the wall" in plain.content.decode()


@pytest.mark.redis
def test_generating_with_no_attempts_left_is_403(room: Session, owner: Client) -> None:
    Session.objects.filter(pk=room.pk).update(attempts_left=0)

    answer = owner.post(to("generate", room), {"request_key": "one"}, **HTMX)

    assert answer.status_code == 403
    page = owner.get(to("session", room)).content.decode()
    assert re.search(r'data-testid="generate" disabled', page)


@pytest.mark.parametrize("key", ["", "k" * 65])
def test_a_generation_without_a_usable_key_is_422(key: str, room: Session, owner: Client) -> None:
    answer = owner.post(to("generate", room), {"request_key": key}, **HTMX)

    assert answer.status_code == 422


@pytest.mark.model
def test_the_page_follows_the_work_and_then_stops_asking(room: Session, owner: Client) -> None:
    generation = make_generation(session=room)
    assert "every 1s" in status(owner, room)

    start(generation.pk, 1)
    working = status(owner, room)
    assert word(working) == "generating"
    assert "<progress" in working

    Generation.objects.filter(pk=generation.pk).update(
        started_at=timezone.now() - timedelta(seconds=31)
    )
    assert "every 3s" in status(owner, room)

    Generation.objects.filter(pk=generation.pk).update(state=Generation.State.QUEUED)
    run_generation(str(generation.pk), 1)
    done = status(owner, room)
    assert word(done) == "completed"
    assert "every" not in done
    assert 'data-completed="1"' in done


@pytest.mark.model
def test_a_failure_says_why_and_that_the_attempt_is_back(room: Session, owner: Client) -> None:
    generation = make_generation(session=room)
    fail(generation.pk, 1, code="boom", message="The light went out.", detail="", is_ours=True)

    fragment = status(owner, room)

    assert word(fragment) == "failed"
    assert "The light went out. Your attempt was returned." in fragment
    assert "Try again" in fragment
    assert "every" not in fragment


@pytest.mark.model
def test_the_result_is_shown_downloaded_and_kept_by_the_browser(
    room: Session, owner: Client
) -> None:
    generation = make_generation(session=room)
    run_generation(str(generation.pk), 1)

    section = owner.get(to("status", room) + "?part=result", **HTMX).content.decode()
    view = owner.get(to("result-view", room, 1))
    file = owner.get(to("download", room, 1))
    again = owner.get(to("download", room, 1), headers={"If-None-Match": file.headers["ETag"]})

    for name in ("result-image", "download", "compare"):
        assert f'data-testid="{name}"' in section
    assert view.headers["Content-Type"] == "image/jpeg"
    assert view.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert view.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Content-Type"] == "image/png"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert b"".join(file).startswith(b"\x89PNG")
    assert again.status_code == 304


def test_a_status_by_a_plain_get_is_the_page(room: Session, owner: Client) -> None:
    assert owner.get(to("status", room)).headers["Location"] == to("session", room)


def test_a_picture_that_is_not_there_is_404(room: Session, owner: Client) -> None:
    assert owner.get(to("download", room, 5)).status_code == 404
    assert owner.get(to("result-view", room, 5)).status_code == 404


def test_a_picture_that_ends_while_its_page_is_made_is_shown_as_ended() -> None:
    generation = make_generation()
    run = start(str(generation.pk), generation.run)
    assert run is not None
    before_the_end = Session.objects.get(pk=generation.session_id)
    fail(str(generation.pk), run.run, code="odd", message="It broke.", detail="", is_ours=True)

    shown = generation_context(before_the_end)

    assert (shown["status_text"], shown["poll_every"]) == ("Failed", "")
    assert shown["session"].attempts_left == Session.objects.get().attempts_left
