"""Canceling what waits and what is at work, through the API of a real web server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from sessions_app.errors import WrongState
from sessions_app.models import Generation, Session
from sessions_app.queueing import queues
from sessions_app.services import generations
from tests.harness import farm as farms
from tests.harness import servers
from tests.harness.factories import make_ready_session
from tests.harness.farm import Farm, alive, ask, results

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(scope="module")
def shared_farm(django_db_setup: None) -> Iterator[Farm]:
    """A farm for all tests here: none of them harms its Valkey, web server or worker."""
    with farms.farm() as made:
        yield made


@pytest.fixture
def farm(shared_farm: Farm, transactional_db: None, settings: Any) -> Farm:
    """The shared farm as a new one: without faults and without a queue."""
    farms.point_at(shared_farm, settings)
    shared_farm.forget_faults()
    queues.generation_queue().empty()
    return shared_farm


@pytest.fixture(scope="module")
def site(shared_farm: Farm) -> str:
    """The address of the farm's web server."""
    port = servers.free_port()
    shared_farm.web(port)
    return f"http://127.0.0.1:{port}"


def call(site: str, session: Session, what: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a POST (of a GET, for the status)."""
    request = urllib.request.Request(
        f"{site}/v1/sessions/{session.pk}/{what}",
        data=None if what == "status" else json.dumps(body or {}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def api_session() -> Session:
    return make_ready_session(source=Session.Source.API)


@pytest.mark.parametrize("backend", ["local", "service"])
def test_a_picture_canceled_at_work_ends_its_process_and_the_worker_goes_on(
    farm: Farm, backend: str
) -> None:
    generation = ask(backend)
    worker = farm.steady_worker()
    horse = farm.wait_for_horse()

    generations.cancel_generation(generation_id=generation.pk)
    farm.wait(lambda: not alive(horse), "end of the process")

    generation.refresh_from_db()
    assert (generation.state, generation.error_code) == (Generation.State.FAILED, "canceled")
    assert not generation.attempt_returned
    assert results(generation) == []
    farm.say("go")
    assert farm.ended(ask(backend, generation.session)).state == Generation.State.COMPLETED
    assert worker.poll() is None


def test_one_at_work_is_stopped_through_the_api_and_started_again(farm: Farm, site: str) -> None:
    generation = ask(session=api_session())
    session = generation.session
    worker = farm.steady_worker()
    horse = farm.wait_for_horse()

    status, stopped = call(site, session, "cancel")
    again = call(site, session, "cancel")
    farm.wait(lambda: not alive(horse), "end of the process")

    assert (status, stopped["status"], stopped["error"]["code"]) == (200, "failed", "canceled")
    assert again[0] == 200
    assert stopped["attempts_left"] == 9
    farm.say("go")
    assert call(site, session, "generate")[0] == 202
    farm.ended(Generation.objects.get(number=2))
    assert call(site, session, "status")[1]["status"] == "completed"
    assert results(generation) == ["2-1.jpg", "2-1.png"]
    assert worker.poll() is None


def test_one_that_waits_is_stopped_through_the_api_and_never_begun(farm: Farm, site: str) -> None:
    at_work = ask()
    farm.steady_worker()
    farm.wait_for_horse()
    waiting = ask(session=api_session())

    status, stopped = call(site, waiting.session, "cancel", {"generation": 1})

    assert (status, stopped["error"]["code"], stopped["attempts_left"]) == (200, "canceled", 10)
    assert queues.generation_queue().job_ids == []
    farm.say("go")
    assert farm.ended(at_work).state == Generation.State.COMPLETED
    assert len(farm.horses()) == 1
    assert results(waiting) == []


def test_one_that_was_finished_first_stays_finished(farm: Farm, site: str) -> None:
    generation = ask(session=api_session())
    farm.say("go")
    farm.steady_worker()
    farm.ended(generation)

    status, refused = call(site, generation.session, "cancel")

    assert (status, refused["error"]["code"]) == (409, "not_in_progress")
    assert call(site, generation.session, "status")[1]["status"] == "completed"
    assert results(generation) == ["1-1.jpg", "1-1.png"]


def test_a_canceled_process_that_goes_on_for_a_while_overwrites_nothing(farm: Farm) -> None:
    generation = ask("service")  # not ended at once: it may have a service to call off
    farm.steady_worker()
    canceled = farm.wait_for_horse()

    generations.cancel_generation(generation_id=generation.pk)
    next_one = ask("service", generation.session)
    farm.say("go")  # the canceled one too, if it is there still

    assert farm.ended(next_one).state == Generation.State.COMPLETED
    farm.wait(lambda: not alive(canceled), "end of the canceled process")
    assert results(generation) == ["2-1.jpg", "2-1.png"]
    assert farm.ended(generation).error_code == "canceled"
    assert generation.session.status == Session.Status.COMPLETED


def test_whenever_the_cancel_comes_the_attempts_add_up(farm: Farm) -> None:
    session = make_ready_session()
    farm.say("go")
    farm.steady_worker()
    farm.wait(lambda: queues.queue_state().workers == 1, "worker")

    for _ in range(6):  # some of them before the worker has begun, some after
        generation = ask(session=session)
        with suppress(WrongState):  # on a slow day it was finished first
            generations.cancel_generation(generation_id=generation.pk)
    last = farm.ended(ask(session=session))

    rows = list(session.generations.all())
    finished = [row for row in rows if row.state == Generation.State.COMPLETED]
    assert {row.error_code for row in rows if row not in finished} <= {"canceled"}
    session.refresh_from_db()
    assert session.attempts_left == 10 - sum(not row.attempt_returned for row in rows)
    assert last in finished
    assert {name.partition("-")[0] for name in results(last)} == {str(r.number) for r in finished}
