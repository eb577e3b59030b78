"""The queue of generations: putting one in, and how the queue stands.

Job ids are `generation-{id}-{run}` and unique: a second enqueue of the same run is a success without effect. The
run is part of the id because RQ refuses an id for as long as it remembers it, failed ones for a day.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import django_rq
import redis
import rq
from django.conf import settings
from rq.exceptions import DuplicateJobError

from jobs import valkey

logger = logging.getLogger(__name__)

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
    """The queue, by default on this process's connection; enqueues at once, callers care for commits."""
    return django_rq.get_queue(
        settings.GENERATE_QUEUE, connection=connection or valkey.client(), commit_mode="auto"
    )


def job_id(generation_id: UUID | str, run: int) -> str:
    """Name of the job of one run of a generation."""
    return f"generation-{generation_id}-{run}"


def enqueue_generation(generation_id: UUID, run: int) -> None:
    """Put one run of a generation into the queue; a second time does nothing.

    Raises:
        QueueAwayError: Redis does not answer.
    """
    try:
        generation_queue().enqueue_call(
            TASK,
            args=(str(generation_id), run),
            job_id=job_id(generation_id, run),
            unique=True,
            timeout=settings.GENERATION_TIMEOUT_SECONDS,
            result_ttl=RESULT_LIFETIME_SECONDS,
            failure_ttl=FAILURE_LIFETIME_SECONDS,
        )
    except DuplicateJobError:
        logger.info("run %s of generation %s is in the queue already", run, generation_id)
    except valkey.AnyFailure as error:
        raise QueueAwayError(str(error)) from error


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
    except valkey.AnyFailure:
        return QueueState(reachable=False, workers=0, waiting=0)


def jobs_ahead(generation_id: UUID, run: int) -> int:
    """How many jobs wait before this one; 0 when it is next, running, or Redis is away."""
    try:
        position = generation_queue().get_job_position(job_id(generation_id, run))
    except valkey.AnyFailure:
        return 0
    return int(position or 0)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
