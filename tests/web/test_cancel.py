"""The Cancel button: stops what waits or runs, and answers clearly when it comes second or too
late.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from jobs.tasks import run_generation
from sessions_app.models import Generation, Session
from sessions_app.queueing import queues
from sessions_app.services import generations, runs
from tests.harness.factories import make_generation
from tests.web.conftest import HTMX, OWNER, client_of
from tests.web.test_generation import status, to, word

pytestmark = pytest.mark.django_db(transaction=True)


def press(owner: Client, room: Session, number: object = 1, **more: Any) -> str:
    """What htmx shows after the button was pressed."""
    answer = owner.post(to("cancel", room), {"number": number}, **HTMX, **more)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_a_picture_in_progress_has_a_cancel_button_and_a_finished_one_has_none(
    room: Session, owner: Client
) -> None:
    assert 'data-testid="cancel"' not in status(owner, room)
    generation = make_generation(session=room)
    waiting = status(owner, room)
    runs.start(generation.pk, 1)
    working = status(owner, room)
    runs.fail(generation.pk, 1, code="x", message="x", detail="", is_ours=True)

    assert 'data-testid="cancel"' in waiting
    assert 'data-testid="cancel"' in working
    assert 'data-testid="cancel"' not in status(owner, room)


@pytest.mark.redis
def test_a_waiting_picture_is_stopped_and_can_be_started_again(
    room: Session, owner: Client
) -> None:
    make_generation(session=room, inline=False)

    shown = press(owner, room)

    assert word(shown) == "failed"
    assert ">Stopped</p>" in shown
    assert generations.CANCELED in shown
    assert re.search(r'data-testid="generate">\s*Start again', shown)
    assert "every" not in shown
    assert queues.generation_queue().job_ids == []
    room.refresh_from_db()
    assert room.attempts_left == 10


def test_a_picture_at_work_is_stopped_and_its_process_finds_out(
    room: Session, owner: Client
) -> None:
    generation = make_generation(session=room)
    runs.start(generation.pk, 1)

    shown = press(owner, room)

    assert generations.CANCELED_AT_WORK in shown
    assert re.search(r'data-testid="attempts-left">9<', shown)
    with pytest.raises(runs.SupersededError):
        runs.report(generation.pk, 1, stage="paper", progress=50)


def test_a_double_click_stops_once_and_says_the_same_twice(room: Session, owner: Client) -> None:
    make_generation(session=room)

    first, second = press(owner, room), press(owner, room)

    assert generations.CANCELED in first
    assert generations.CANCELED in second
    room.refresh_from_db()
    assert room.attempts_left == 10


def test_a_picture_that_was_finished_meanwhile_is_shown_with_a_sentence(
    room: Session, owner: Client
) -> None:
    generation = make_generation(session=room)
    run_generation(str(generation.pk), 1)

    shown = press(owner, room)

    assert word(shown) == "completed"
    assert generations.FINISHED_FIRST in shown
    assert Generation.objects.get().state == Generation.State.COMPLETED


def test_without_script_a_press_too_late_is_answered_on_the_rooms_page(
    room: Session, owner: Client
) -> None:
    generation = make_generation(session=room)
    run_generation(str(generation.pk), 1)

    answer = owner.post(to("cancel", room), {"number": 1})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert generations.FINISHED_FIRST in page
    assert 'data-testid="photo"' in page


def test_without_script_a_press_leads_back_to_the_page(room: Session, owner: Client) -> None:
    make_generation(session=room)

    answer = owner.post(to("cancel", room), {"number": 1})
    page = owner.get(answer.headers["Location"]).content.decode()

    assert ">Stopped</p>" in page
    assert generations.CANCELED in page


def test_a_page_left_open_does_not_stop_a_newer_picture(room: Session, owner: Client) -> None:
    old = make_generation(session=room)
    run_generation(str(old.pk), 1)
    make_generation(session=room)

    shown = press(owner, room, 1)
    plain = owner.post(to("cancel", room), {"number": 1})

    assert generations.FINISHED_FIRST in shown
    assert word(shown) == "queued"
    assert plain.headers["Location"] == to("session", room)


@pytest.mark.parametrize("number", ["", "0", "-1", "x", "1e9", "9" * 400])
def test_a_press_without_a_usable_number_is_told_to_reload(
    number: str, room: Session, owner: Client
) -> None:
    make_generation(session=room)

    answer = owner.post(to("cancel", room), {"number": number}, **HTMX)

    assert answer.status_code == 422
    assert "Reload" in answer.content.decode()
    assert Generation.objects.get().state == Generation.State.QUEUED


def test_a_number_that_is_not_there_is_not_found(room: Session, owner: Client) -> None:
    assert owner.post(to("cancel", room), {"number": 7}, **HTMX).status_code == 404


def test_a_forged_press_stops_nothing(room: Session) -> None:
    make_generation(session=room)
    browser = client_of(OWNER, enforce_csrf_checks=True)

    assert browser.post(to("cancel", room), {"number": 1}, **HTMX).status_code == 403
    assert Generation.objects.get().state == Generation.State.QUEUED
