"""POST /v1/sessions/{id}/cancel."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import tasks
from sessions_app.models import Generation, Session
from sessions_app.queueing import queues
from sessions_app.services import runs
from tests.api.program import Program, at, code_of
from tests.harness.factories import make_generation, make_ready_session, make_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]


def make_api_generation(*, inline: bool = True) -> Generation:
    session = make_ready_session(source=Session.Source.API, visitor="")
    return make_generation(session=session, inline=inline)


def cancel(api: Program, session: Session, body: Any = None) -> Any:
    path = at(session, "/cancel")
    return api.call("POST", path) if body is None else api.post_json(path, body)


def test_a_waiting_generation_is_stopped_and_gives_its_attempt_back(api: Program) -> None:
    generation = make_api_generation(inline=False)

    response = cancel(api, generation.session)

    shown = response.json()
    assert response.status_code == 200
    assert (shown["status"], shown["error"]["code"]) == ("failed", "canceled")
    assert shown["attempts_left"] == 10
    assert queues.generation_queue().job_ids == []


def test_one_at_work_is_stopped_and_keeps_its_attempt(api: Program) -> None:
    generation = make_api_generation()
    runs.start(generation.pk, 1)

    shown = cancel(api, generation.session, {"generation": 1}).json()

    assert (shown["error"]["code"], shown["attempts_left"]) == ("canceled", 9)


def test_a_second_time_changes_nothing(api: Program) -> None:
    generation = make_api_generation()
    cancel(api, generation.session)
    before = Generation.objects.values().get()

    assert cancel(api, generation.session).status_code == 200
    assert Generation.objects.values().get() == before


def test_a_finished_one_stays_finished(api: Program) -> None:
    generation = make_api_generation()
    tasks.run_generation(str(generation.pk), 1)

    response = cancel(api, generation.session)

    assert (response.status_code, code_of(response)) == (409, "not_in_progress")
    generation.refresh_from_db()
    assert generation.state == Generation.State.COMPLETED


def test_a_number_names_the_one_that_is_meant(api: Program) -> None:
    first = make_api_generation()
    tasks.run_generation(str(first.pk), 1)
    make_generation(session=first.session)

    response = cancel(api, first.session, {"generation": 1})

    assert code_of(response) == "not_in_progress"
    assert Generation.objects.get(number=2).state == Generation.State.QUEUED


def test_with_no_generation_there_is_nothing_to_cancel(api: Program) -> None:
    session = make_session(source=Session.Source.API, visitor="")

    response = cancel(api, session)

    assert (response.status_code, code_of(response)) == (409, "not_in_progress")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"generation": 0}, "bad_generation"),
        ({"generation": "1"}, "bad_generation"),
        ({"generation": True}, "bad_generation"),
        ({"generation": 9}, "unknown_generation"),
        ({"number": 1}, "unknown_field"),
        ("[", "bad_json"),
    ],
)
def test_a_body_that_makes_no_sense_stops_nothing(api: Program, body: Any, code: str) -> None:
    generation = make_api_generation()

    response = cancel(api, generation.session, body)

    assert (response.status_code, code_of(response)) == (422, code)
    generation.refresh_from_db()
    assert generation.is_active


def test_a_session_of_a_browser_is_not_reached(api: Program) -> None:
    generation = make_generation()

    assert cancel(api, generation.session).status_code == 404


def test_every_session_says_where_to_cancel(api: Program) -> None:
    session = make_session(source=Session.Source.API, visitor="")

    links = api.get(at(session)).json()["links"]

    assert links["cancel"].endswith(f"/v1/sessions/{session.pk}/cancel")
