"""The queue of generations: putting one in, and how the queue stands.

Job ids are `generation-{id}-{run}` and unique: a second enqueue of the same run is a success
without effect. The run is part of the id because RQ refuses an id for as long as it remembers it,
failed ones for a day.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import django_rq
import redis
import rq
from django.conf import settings
from rq.command import send_command
from rq.exceptions import DuplicateJobError

from sessions_app.queueing import redis_client

logger = logging.getLogger(__name__)

_JOB_NAME: Final = re.compile(r"generation-([0-9a-f-]{36})-(\d+)(?:-again-\d+)?$")
TASK: Final = "jobs.tasks.run_generation"
RESULT_LIFETIME_SECONDS: Final = 60
FAILURE_LIFETIME_SECONDS: Final = 24 * 3600
# An idle worker reports every 15 s and a busy one every 10 s (see jobs.worker).
WORKER_SILENCE: Final = timedelta(seconds=45)


class QueueAwayError(Exception):
    """Redis does not answer; the caller decides what becomes of the row."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """How the queue stands: can it be reached, how many workers report, and how many jobs wait."""

    reachable: bool
    workers: int
    waiting: int


def generation_queue(connection: redis.Redis | None = None) -> rq.Queue:
    """The queue, by default on this process's connection; it does not wait for commits."""
    return django_rq.get_queue(
        settings.GENERATE_QUEUE, connection=connection or redis_client.client(), commit_mode="auto"
    )


def job_id(generation_id: UUID | str, run: int) -> str:
    """Name of the job of one run of a generation."""
    return f"generation-{generation_id}-{run}"


def run_of(job: str) -> tuple[str, int] | None:
    """Generation and run a job is named after; None for a job that is none of ours.

    >>> run_of("generation-5f0c1d9e-0000-4000-8000-000000000000-2-again-57")
    ('5f0c1d9e-0000-4000-8000-000000000000', 2)
    """
    found = _JOB_NAME.match(job)
    return (found[1], int(found[2])) if found else None


def enqueue_generation(generation_id: UUID | str, run: int) -> None:
    """Put one run of a generation into the queue; a second time does nothing.

    Raises:
        QueueAwayError: Redis does not answer.
    """
    _enqueue(generation_id, run, job_id(generation_id, run), at_front=False)


def enqueue_again(generation_id: UUID | str, run: int) -> None:
    """Another job, at the front, for a run whose own got lost; several sweeps make one.

    The lost job's name may be taken: Redis remembers a job that failed before it started the run
    for a day. So this one is named after the half minute.

    Raises:
        QueueAwayError: Redis does not answer.
    """
    half_minute = int(time.time()) // 30
    name = f"{job_id(generation_id, run)}-again-{half_minute}"
    _enqueue(generation_id, run, name, at_front=True)


def _enqueue(generation_id: UUID | str, run: int, name: str, *, at_front: bool) -> None:
    try:
        generation_queue().enqueue_call(
            TASK,
            args=(str(generation_id), run),
            kwargs={"retry": True},
            job_id=name,
            unique=True,
            at_front=at_front,
            timeout=settings.GENERATION_TIMEOUT_SECONDS,
            result_ttl=RESULT_LIFETIME_SECONDS,
            failure_ttl=FAILURE_LIFETIME_SECONDS,
        )
    except DuplicateJobError:
        logger.info("job %s is in the queue already", name)
    except redis_client.AnyFailure as error:
        raise QueueAwayError(str(error)) from error


def waiting_runs() -> set[tuple[str, int]]:
    """(generation, run) of all jobs that wait.

    Raises:
        QueueAwayError: Redis does not answer.
    """
    try:
        names = generation_queue().job_ids
    except redis_client.AnyFailure as error:
        raise QueueAwayError(str(error)) from error
    return {found for found in map(run_of, names) if found is not None}


def cancel_job(generation_id: UUID | str, run: int, *, stop: bool) -> None:
    """Take a run's jobs out of the queue, if Redis answers; a run at work finds out by itself.

    Args:
        stop: tell the worker to kill its process at once, instead of letting it notice.
    """
    wanted = (str(generation_id), run)
    try:
        queue = generation_queue()
        for name in queue.job_ids:
            if run_of(name) == wanted:
                queue.remove(name)
        if stop:
            _stop(queue, wanted)
    except redis_client.AnyFailure:
        logger.info(
            "%s could not be taken out of the queue: Redis is away", job_id(generation_id, run)
        )


def _stop(queue: rq.Queue, wanted: tuple[str, int]) -> None:
    for worker in rq.Worker.all(queue=queue, serializer=queue.serializer):
        name = worker.get_current_job_id()
        if name is not None and run_of(name) == wanted:
            send_command(queue.connection, worker.name, "stop-job", job_id=name)


def queue_state() -> QueueState:
    """Reachability, reporting workers and waiting jobs; never raises."""
    try:
        queue = generation_queue()
        oldest = datetime.now(UTC) - WORKER_SILENCE
        workers = sum(
            1
            for worker in rq.Worker.all(queue=queue)
            if worker.last_heartbeat is not None and _aware(worker.last_heartbeat) > oldest
        )
        return QueueState(reachable=True, workers=workers, waiting=len(queue))
    except redis_client.AnyFailure:
        return QueueState(reachable=False, workers=0, waiting=0)


def jobs_ahead(generation_id: UUID, run: int) -> int:
    """How many jobs wait before this one; 0 when it is next, running, or Redis is away."""
    try:
        position = generation_queue().get_job_position(job_id(generation_id, run))
    except redis_client.AnyFailure:
        return 0
    return int(position or 0)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
