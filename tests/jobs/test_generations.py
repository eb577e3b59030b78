"""Asking for a generation: attempts, double clicks, and what is missing."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connections
from django.test import override_settings

from sessions_app.errors import BadRequest, NoAttemptsLeft, NotFound, Unavailable, WrongState
from sessions_app.models import Generation, Session
from sessions_app.queueing import queues, redis_client
from sessions_app.services import generations, previews, runs, wallpapers
from tests.harness.factories import make_generation, make_ready_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]

NOWHERE = "unix:///nonexistent/valkey.sock?db=0"


def ask(session: Session, key: str = "key-1") -> Generation:
    return generations.request_generation(session_id=session.pk, request_key=key)


def test_asking_queues_one_job_and_takes_one_attempt() -> None:
    session = make_ready_session()

    generation = ask(session)

    session.refresh_from_db()
    assert session.attempts_left == 9
    assert session.status == Session.Status.QUEUED
    assert generation.state == Generation.State.QUEUED
    assert queues.generation_queue().job_ids == [queues.job_id(generation.pk, 1)]


def test_a_double_click_makes_one_generation() -> None:
    session = make_ready_session()

    first, second = ask(session), ask(session)

    session.refresh_from_db()
    assert first.pk == second.pk
    assert session.attempts_left == 9
    assert len(queues.generation_queue()) == 1


def test_a_second_tab_gets_the_generation_in_progress() -> None:
    session = make_ready_session()

    assert ask(session, "tab-1").pk == ask(session, "tab-2").pk


def test_a_refresh_after_the_end_gives_the_finished_generation() -> None:
    session = make_ready_session()
    generation = ask(session)
    runs.start(generation.pk, 1)
    runs.fail(generation.pk, 1, code="x", message="x", detail="", is_ours=False)

    assert ask(session).pk == generation.pk


def test_many_threads_at_once_make_one_generation() -> None:
    session = make_ready_session()
    made: list[uuid.UUID] = []
    gate = threading.Barrier(6)

    def click(number: int) -> None:
        try:
            gate.wait()
            made.append(ask(session, f"key-{number}").pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    session.refresh_from_db()
    assert len(made) == 6
    assert len(set(made)) == 1
    assert session.attempts_left == 9


def test_no_attempts_left_is_said() -> None:
    session = make_ready_session(attempts_left=0)

    with pytest.raises(NoAttemptsLeft):
        ask(session)

    assert not Generation.objects.exists()


@pytest.mark.parametrize("missing", ["mask", "wallpaper"])
def test_generating_without_mask_or_wallpaper_is_refused(missing: str) -> None:
    session = make_ready_session()
    change: dict[str, Any] = {"uploaded_mask_key": ""} if missing == "mask" else {"wallpaper": None}
    Session.objects.filter(pk=session.pk).update(**change)

    with pytest.raises(WrongState) as refusal:
        generations.request_generation(session_id=session.pk, request_key="k", inline=True)

    assert refusal.value.code == f"no_{missing}"
    session.refresh_from_db()
    assert session.attempts_left == 10


def test_an_unknown_backend_is_refused() -> None:
    session = make_ready_session()

    with pytest.raises(BadRequest):
        generations.request_generation(
            session_id=session.pk, request_key="k", backend="magic", inline=True
        )


def test_an_unknown_session_is_not_found() -> None:
    with pytest.raises(NotFound):
        generations.request_generation(session_id=uuid.uuid4(), request_key="k", inline=True)


@override_settings(REDIS_URL=NOWHERE)
def test_with_redis_away_nothing_is_lost() -> None:
    session = make_ready_session()

    with pytest.raises(Unavailable) as refusal:
        ask(session)

    session.refresh_from_db()
    assert refusal.value.status == 503
    assert session.attempts_left == 10
    assert not Generation.objects.exists()


def test_redis_going_away_just_before_the_enqueue_gives_the_attempt_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = make_ready_session()

    def break_off(*_: object) -> None:
        raise queues.QueueAwayError("connection lost")

    monkeypatch.setattr(queues, "enqueue_generation", break_off)

    with pytest.raises(Unavailable):
        ask(session)

    session.refresh_from_db()
    generation = Generation.objects.get()
    assert session.attempts_left == 10
    assert generation.state == Generation.State.FAILED
    assert generation.attempt_returned
    monkeypatch.undo()
    assert ask(session).state == Generation.State.QUEUED


def test_queue_again_repeats_the_inputs_without_taking_an_attempt() -> None:
    old = make_generation()
    runs.fail(old.pk, 1, code="x", message="x", detail="", is_ours=False)

    new = generations.queue_again(generation_id=old.pk)

    new.session.refresh_from_db()
    assert new.number == 2
    assert (new.mask_digest, new.wallpaper_id, new.plane) == (
        old.mask_digest,
        old.wallpaper_id,
        old.plane,
    )
    assert new.session.attempts_left == 9


def test_queue_again_never_gives_back_an_attempt_it_did_not_take() -> None:
    old = make_generation()
    runs.fail(old.pk, 1, code="x", message="x", detail="", is_ours=True)

    new = generations.queue_again(generation_id=old.pk)
    runs.fail(new.pk, 1, code="x", message="x", detail="", is_ours=True)

    new.session.refresh_from_db()
    assert new.session.attempts_left == 10


def test_queue_again_refuses_a_generation_in_progress() -> None:
    generation = make_generation()

    with pytest.raises(WrongState):
        generations.queue_again(generation_id=generation.pk)


def test_the_queue_tells_how_many_are_ahead() -> None:
    first, second = make_generation(inline=False), make_generation(inline=False)

    assert queues.jobs_ahead(first.pk, 1) == 0
    assert queues.jobs_ahead(second.pk, 1) == 1
    assert queues.queue_state() == queues.QueueState(reachable=True, workers=0, waiting=2)


def test_a_lock_is_held_by_one_and_ends_by_itself() -> None:
    ours, theirs = (redis_client.SharedLock("door", seconds=30) for _ in range(2))

    assert ours.acquire()
    assert 25 < redis_client.client().ttl(f"{redis_client.KEY_PREFIX}door") <= 30
    assert not theirs.acquire()
    theirs.release()
    assert not theirs.acquire()
    ours.release()
    assert theirs.acquire()


def test_who_waits_for_a_lock_gets_it_when_it_is_released() -> None:
    ours, theirs = (redis_client.SharedLock("door", seconds=30) for _ in range(2))
    ours.acquire()
    released = threading.Timer(0.2, ours.release)
    released.start()

    assert theirs.acquire(wait_seconds=10)
    released.join()


def test_a_lock_that_ran_out_is_not_renewed_once_another_holds_it() -> None:
    ours, theirs = (redis_client.SharedLock("door", seconds=30) for _ in range(2))
    ours.acquire()
    redis_client.client().delete(f"{redis_client.KEY_PREFIX}door")
    theirs.acquire()
    redis_client.client().expire(f"{redis_client.KEY_PREFIX}door", 5)

    ours.renew()
    assert redis_client.client().ttl(f"{redis_client.KEY_PREFIX}door") <= 5
    theirs.renew()
    assert redis_client.client().ttl(f"{redis_client.KEY_PREFIX}door") > 5


def test_canceling_a_waiting_generation_gives_the_attempt_back_and_empties_the_queue() -> None:
    generation, other = make_generation(inline=False), make_generation(inline=False)

    canceled = generations.cancel_generation(generation_id=generation.pk)

    assert (canceled.state, canceled.error_code) == (Generation.State.FAILED, "canceled")
    assert canceled.attempt_returned
    assert Session.objects.get(pk=generation.session_id).attempts_left == 10
    assert Session.objects.get(pk=generation.session_id).status == Session.Status.FAILED
    assert queues.generation_queue().job_ids == [queues.job_id(other.pk, 1)]


def test_canceling_a_generation_at_work_keeps_the_attempt_and_stops_the_run() -> None:
    generation = make_generation()
    runs.start(generation.pk, 1)

    canceled = generations.cancel_generation(session_id=generation.session_id, number=1)

    assert not canceled.attempt_returned
    assert Session.objects.get().attempts_left == 9
    with pytest.raises(runs.SupersededError):
        runs.report(generation.pk, 1, stage="paper", progress=40)
    assert not runs.complete(generation.pk, 1, result_key="x", result_view_key="y")


@override_settings(REDIS_URL=NOWHERE)
def test_canceling_works_while_redis_is_away() -> None:
    generation = make_generation()

    assert generations.cancel_generation(generation_id=generation.pk).error_code == "canceled"


def test_an_ended_generation_cannot_be_canceled() -> None:
    generation = make_generation()
    runs.fail(generation.pk, 1, code="x", message="x", detail="", is_ours=False)

    with pytest.raises(WrongState):
        generations.cancel_generation(generation_id=generation.pk)

    generation.refresh_from_db()
    assert generation.error_code == "x"


def test_canceling_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        generations.cancel_generation(generation_id=uuid.uuid4())


def test_after_a_cancel_the_next_generation_can_be_asked_for() -> None:
    generation = make_generation(inline=False)
    generations.cancel_generation(generation_id=generation.pk)

    assert ask(generation.session, "another").number == 2


def test_what_was_not_seen_is_not_generated() -> None:
    session = make_ready_session()
    seen = previews.preview_version(session)
    wallpapers.set_placement(session_id=session.pk, placement={"repeat_width_m": 0.2})

    with pytest.raises(WrongState) as refusal:
        generations.request_generation(session_id=session.pk, request_key="k", seen=seen)

    session.refresh_from_db()
    assert refusal.value.code == "changed_elsewhere"
    assert session.attempts_left == 10
