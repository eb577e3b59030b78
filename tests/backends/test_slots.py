"""At most so many at once."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connections

from jobs.backends import GenerationInputs
from jobs.backends.diffusion.automatic1111 import Automatic1111
from jobs.backends.diffusion.concurrency import backend_slot
from jobs.backends.diffusion.deadline import RunDeadline
from jobs.backends.diffusion.errors import Busy
from sessions_app.queueing import redis_client as store
from tests.backends.calls import made
from tests.backends.doubles import Automatic1111Double, images
from tests.harness.factories import as_file

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("quick")]


def patience(seconds: float) -> RunDeadline:
    return RunDeadline(seconds, lambda *_: None)


def test_a_slot_that_stays_taken_is_told_as_busy() -> None:
    with (
        backend_slot("one", count=1, deadline=patience(5)),
        pytest.raises(Busy) as refusal,
        backend_slot("one", count=1, deadline=patience(0.2)),
    ):
        pytest.fail("two at once")

    assert refusal.value.retry


def test_backends_do_not_take_each_others_slots() -> None:
    with (
        backend_slot("one", count=1, deadline=patience(5)),
        backend_slot("two", count=1, deadline=patience(0.2)),
    ):
        pass


def test_a_slot_is_given_back_after_a_fault() -> None:
    with pytest.raises(RuntimeError), backend_slot("one", count=1, deadline=patience(5)):
        raise RuntimeError

    with backend_slot("one", count=1, deadline=patience(0.2)):
        pass


def test_a_held_slot_is_renewed_by_every_heartbeat() -> None:
    deadline = patience(5)
    with backend_slot("one", count=1, deadline=deadline):
        key = f"{store.KEY_PREFIX}backend:one:slot:0"
        store.client().expire(key, 5)
        deadline.sleep(0.1, "x")

        assert store.client().ttl(key) > 30


def test_a_slot_that_was_lost_is_not_taken_back_from_its_new_holder() -> None:
    deadline = patience(5)
    with backend_slot("one", count=1, deadline=deadline):
        store.set_bytes("backend:one:slot:0", b"somebody else", seconds=60)
        deadline.sleep(0.1, "x")

    assert store.get_bytes("backend:one:slot:0") == b"somebody else"


def test_generations_beyond_the_limit_wait_their_turn(
    automatic1111: Automatic1111Double, inputs: GenerationInputs, settings: Any
) -> None:
    settings.AUTOMATIC1111_CONCURRENCY = 2

    def slowly(exchange: Any) -> None:
        time.sleep(0.1)
        exchange.json(images(as_file(inputs.photo)))

    automatic1111.faults = [slowly] * 5
    done: list[bool] = []

    def make() -> None:
        try:
            made(Automatic1111(), inputs)
            done.append(True)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=make) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(done) == 5
    assert automatic1111.most_at_once <= 2


def test_without_redis_there_is_no_limit(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"

    with (
        backend_slot("one", count=1, deadline=patience(5)),
        backend_slot("one", count=1, deadline=patience(0.2)),
    ):
        pass
