"""The real worker on a real Valkey: forks, dies, and hands on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from jobs import worker
from jobs.backends import Generated, GenerationInputs
from jobs.backends.local import LocalBackend
from sessions_app.models import Generation
from sessions_app.queueing import queues
from sessions_app.services import runs
from tests.harness.factories import make_generation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.redis,
    pytest.mark.slow,
]


def work_until_empty() -> None:
    connections.close_all()  # as in a worker's parent: nothing open is inherited by the fork
    worker.build_worker().work(burst=True, logging_level="ERROR")


def test_a_queued_generation_is_made() -> None:
    generation = make_generation(inline=False)

    work_until_empty()

    generation.refresh_from_db()
    assert generation.state == Generation.State.COMPLETED, generation.error_detail
    assert len(queues.generation_queue()) == 0


def test_a_process_killed_once_is_replaced_and_the_picture_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    original = LocalBackend.generate

    def die_the_first_time(
        self: LocalBackend, inputs: GenerationInputs, on_stage: object
    ) -> Generated:
        if not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, inputs, on_stage)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalBackend, "generate", die_the_first_time)
    generation = make_generation(inline=False)

    work_until_empty()

    generation.refresh_from_db()
    assert (generation.state, generation.run) == (Generation.State.COMPLETED, 2)


def test_a_process_killed_every_time_ends_as_failed_with_the_attempt_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LocalBackend, "generate", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    generation = make_generation(inline=False)

    work_until_empty()

    generation.refresh_from_db()
    assert (generation.state, generation.error_code) == (Generation.State.FAILED, "worker_lost")
    assert generation.session.__class__.objects.get().attempts_left == 10


def test_a_process_killed_before_it_began_is_replaced_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    original = runs.start

    def die_the_first_time(generation_id: str, run: int) -> Generation | None:
        if not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return original(generation_id, run)

    monkeypatch.setattr(runs, "start", die_the_first_time)
    generation = make_generation(inline=False)

    work_until_empty()

    generation.refresh_from_db()
    assert (generation.state, generation.run) == (Generation.State.COMPLETED, 2)


def test_a_worker_may_be_called_like_one_that_was_killed_just_now() -> None:
    worker.build_worker("one").register_birth()
    generation = make_generation(inline=False)
    connections.close_all()

    worker.work("one", burst=True, log_level="ERROR")

    generation.refresh_from_db()
    assert generation.state == Generation.State.COMPLETED


def status_of_worker_that(act: Callable[[worker.GenerationWorker], None]) -> int:
    """Exit status of a process with a group of its own, in which a worker acts."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        os.setpgrp()
        try:
            act(worker.build_worker())
        finally:
            os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_worker_told_to_kill_its_process_while_it_has_none_lives_on() -> None:
    def kill_none(at_work: worker.GenerationWorker) -> None:
        at_work.kill_horse()
        os._exit(0)

    assert status_of_worker_that(kill_none) == 0


def test_a_worker_told_to_kill_a_process_as_it_is_born_kills_that_one_alone() -> None:
    def kill_newborn(at_work: worker.GenerationWorker) -> None:
        newborn = os.fork()
        if newborn == 0:  # it had no time yet to leave the worker's process group
            time.sleep(60)
            os._exit(1)
        at_work._horse_pid = newborn
        at_work.kill_horse()
        killed = os.waitstatus_to_exitcode(os.waitpid(newborn, 0)[1]) == -signal.SIGKILL
        os._exit(0 if killed else 1)

    assert status_of_worker_that(kill_newborn) == 0
