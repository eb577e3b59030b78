"""The sweep: runs of dead workers, lost jobs, and objects of runs that lost."""

from __future__ import annotations

import os
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from rq.job import JobStatus

from jobs import recovery
from sessions_app import storage
from sessions_app.models import Generation
from sessions_app.queueing import queues
from sessions_app.services import runs
from sessions_app.storage import keys
from tests.harness.factories import make_generation
from tests.jobs.test_run import result_objects, run

pytestmark = pytest.mark.django_db(transaction=True)


def left_behind(generation: Generation, number: int) -> str:
    """An object that a run stored before it was killed."""
    key = keys.result(generation.session_id, generation.number, number)
    storage.save(key, b"half a picture")
    return key


def test_the_winner_removes_what_killed_runs_left() -> None:
    generation = make_generation()
    left_behind(generation, 1)
    Generation.objects.update(run=2)
    generation.refresh_from_db()

    run(generation)

    assert sorted(result_objects(generation)) == ["1-2.jpg", "1-2.png"]


@pytest.mark.parametrize(("minutes", "removed"), [(1, 0), (20, 1), (300, 0)])
def test_what_a_late_run_left_is_removed_once_no_run_can_be_alive(
    minutes: int, removed: int
) -> None:
    generation = make_generation()
    Generation.objects.update(run=2)
    generation.refresh_from_db()
    run(generation)
    key = left_behind(generation, 1)
    Generation.objects.update(finished_at=timezone.now() - timedelta(minutes=minutes))

    assert recovery.remove_leftovers(dry_run=True) == removed
    assert storage.exists(key)
    assert recovery.remove_leftovers() == removed
    assert storage.exists(key) is not bool(removed)
    assert storage.exists(generation.result_key)


@pytest.mark.parametrize(("hours_old", "removed"), [(0, 0), (1, 1)])
def test_a_half_written_picture_of_a_killed_run_is_removed_once_nobody_can_be_writing_it(
    hours_old: int, removed: int
) -> None:
    generation = make_generation()
    Generation.objects.update(run=2)
    generation.refresh_from_db()
    run(generation)
    folder = Path(default_storage.path(keys.results_folder(generation.session_id)))
    draft = folder / f".{uuid.uuid4().hex}.part"
    draft.write_bytes(b"half a pict")
    written = time.time() - 3600 * hours_old
    os.utime(draft, (written, written))
    Generation.objects.update(finished_at=timezone.now() - timedelta(minutes=20))

    assert recovery.remove_leftovers() == removed

    assert draft.exists() is not bool(removed)
    assert storage.exists(generation.result_key)


@pytest.mark.redis
def test_a_run_whose_worker_died_is_queued_again() -> None:
    generation = make_generation()
    runs.start(generation.pk, 1)
    Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert recovery.recover_stale() == recovery.RecoveryReport(requeued=1)

    generation.refresh_from_db()
    assert (generation.state, generation.run) == (Generation.State.QUEUED, 2)
    assert queues.generation_queue().job_ids == [queues.job_id(generation.pk, 2)]


@pytest.mark.redis
def test_a_generation_that_keeps_killing_workers_is_given_up() -> None:
    generation = make_generation()
    Generation.objects.update(run=runs.MAX_RUNS)
    runs.start(generation.pk, runs.MAX_RUNS)
    Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert recovery.recover_stale() == recovery.RecoveryReport(given_up=1)

    generation.refresh_from_db()
    assert generation.error_code == "worker_lost"
    assert generation.attempt_returned


@pytest.mark.redis
def test_a_live_run_is_left_alone() -> None:
    generation = make_generation()
    runs.start(generation.pk, 1)

    assert recovery.recover_stale() == recovery.RecoveryReport()


@pytest.mark.redis
def test_a_waiting_row_whose_job_was_lost_is_queued_anew() -> None:
    generation = make_generation(inline=False)
    queues.generation_queue().empty()
    Generation.objects.update(queued_at=timezone.now() - timedelta(minutes=1))

    assert recovery.recover_stale() == recovery.RecoveryReport(jobs_replaced=1)

    (name,) = queues.generation_queue().job_ids
    assert queues.run_of(name) == (str(generation.pk), 1)
    assert recovery.recover_stale() == recovery.RecoveryReport()


@pytest.mark.redis
def test_a_lease_that_was_prolonged_meanwhile_is_not_taken_away() -> None:
    generation = make_generation()
    runs.start(generation.pk, 1)

    assert runs.handle_worker_death(generation.pk, 1, detail="", stale_at=timezone.now()) == ""
    assert runs.keep_alive(generation.pk, 1)


def test_a_run_that_was_replaced_is_not_kept_alive() -> None:
    generation = make_generation()
    runs.start(generation.pk, 1)
    Generation.objects.update(run=2)

    assert not runs.keep_alive(generation.pk, 1)


@pytest.mark.redis
def test_the_oldest_of_many_lost_jobs_is_the_first_again() -> None:
    rows = [make_generation() for _ in range(3)]
    for age, row in enumerate(rows, start=1):
        queued = timezone.now() - timedelta(minutes=age)
        Generation.objects.filter(pk=row.pk).update(queued_at=queued)

    recovery.recover_stale()

    names = queues.generation_queue().job_ids
    assert [queues.run_of(name) for name in names] == [(str(row.pk), 1) for row in reversed(rows)]


@pytest.mark.redis
def test_a_row_whose_job_failed_before_it_began_is_queued_anew() -> None:
    generation = make_generation(inline=False)
    queue = queues.generation_queue()
    job = queue.fetch_job(queues.job_id(generation.pk, 1))
    assert job is not None
    queue.empty()
    job.save()  # Redis remembers failed jobs for a day
    job.set_status(JobStatus.FAILED)
    Generation.objects.update(queued_at=timezone.now() - timedelta(minutes=1))

    assert recovery.recover_stale() == recovery.RecoveryReport(jobs_replaced=1)
    assert len(queue) == 1
