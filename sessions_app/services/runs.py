"""The steps of one run of a generation: start, report, complete, fail, requeue.

A run is (generation, run number). Each step is a conditional UPDATE on exactly that run in exactly
the expected state; a run that was given to somebody else changes nothing any more. Jobs may be
delivered more than once: the second delivery finds nothing to start. `jobs.recovery` looks for what
dead workers left.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from sessions_app.models import Generation, Session
from sessions_app.queueing import queues

logger = logging.getLogger(__name__)

MAX_RUNS = 3
WORKER_LOST = (
    "The picture could not be made: the server was interrupted several times. "
    "Your attempt was given back; please try again."
)
TOO_SLOW = (
    "Making the picture took too long and was stopped. "
    "Your attempt was given back; please try again."
)


class SupersededError(Exception):
    """This run is not the one the row is waiting for any more: stop, and leave nothing behind."""


def start(generation_id: UUID | str, run: int) -> Generation | None:
    """`queued` to `generating` for this run; None when it is not there to be started."""
    now = timezone.now()
    with transaction.atomic():
        _lock_session(generation_id)
        started = _rows(generation_id, run, Generation.State.QUEUED).update(
            state=Generation.State.GENERATING,
            started_at=now,
            lease_until=lease_end(),
            stage="starting",
            progress=0,
        )
        if not started:
            return None
        generation = Generation.objects.select_related("session", "wallpaper").get(pk=generation_id)
        _sync_session_status(generation.session_id, Session.Status.GENERATING)
    return generation


def report(generation_id: UUID | str, run: int, *, stage: str, progress: int) -> None:
    """Write progress and prolong the lease.

    Raises:
        SupersededError: the run was given to somebody else, or the row is gone.
    """
    written = _rows(generation_id, run, Generation.State.GENERATING).update(
        stage=stage,
        progress=max(0, min(100, progress)),
        lease_until=lease_end(),
    )
    if not written:
        raise SupersededError(f"run {run} of {generation_id}")


def complete(generation_id: UUID | str, run: int, **result: Any) -> bool:
    """`generating` to `completed` with the result's fields; False when somebody else was first."""
    with transaction.atomic():
        _lock_session(generation_id)
        done = _rows(generation_id, run, Generation.State.GENERATING).update(
            state=Generation.State.COMPLETED,
            stage="",
            progress=100,
            lease_until=None,
            finished_at=timezone.now(),
            **result,
        )
        if done:
            _sync_session_of(generation_id, Session.Status.COMPLETED)
    return bool(done)


def fail(
    generation_id: UUID | str,
    run: int,
    *,
    code: str,
    message: str,
    detail: str,
    is_ours: bool,
    states: Sequence[str] = Generation.ACTIVE,
    stale_at: datetime | None = None,
) -> bool:
    """To `failed` with a reason; False when too late.

    When the fault was ours, the attempt is given back, if this generation took one.

    Args:
        states: only from these.
        stale_at: only where the lease had ended by then.
    """
    with transaction.atomic():
        _lock_session(generation_id)
        failed = _stale(_rows(generation_id, run, *states), stale_at).update(
            state=Generation.State.FAILED,
            stage="",
            lease_until=None,
            finished_at=timezone.now(),
            error_code=code[:40],
            error_message=message,
            error_detail=detail[-8000:],
        )
        if failed:
            session_id = _sync_session_of(generation_id, Session.Status.FAILED)
            if is_ours:
                _give_attempt_back(generation_id, session_id)
    return bool(failed)


def _give_attempt_back(generation_id: UUID | str, session_id: UUID) -> None:
    took = Generation.objects.filter(pk=generation_id, took_attempt=True, attempt_returned=False)
    if took.update(attempt_returned=True):
        Session.objects.filter(pk=session_id).update(attempts_left=F("attempts_left") + 1)


def keep_alive(generation_id: UUID | str, run: int) -> bool:
    """Prolong the lease of a run whose process is at work; False when it was superseded.

    So the lease is about dead workers only: a stage that takes long on a slow machine does not lose
    it.
    """
    own = _rows(generation_id, run, *Generation.ACTIVE)
    own.filter(state=Generation.State.GENERATING).update(lease_until=lease_end())
    return own.exists()


def requeue(
    generation_id: UUID | str,
    run: int,
    *,
    delay_seconds: float = 0,
    stale_at: datetime | None = None,
) -> bool:
    """Give up this run and queue the next one; False when it was not this run's turn any more.

    With a delay the row waits without a job; the sweep makes one when its time has come. With Redis
    away there is no job either: the next sweep that reaches it makes one.

    Args:
        stale_at: only where the lease had ended by then.
    """
    now = timezone.now()
    with transaction.atomic():
        _lock_session(generation_id)
        moved = _stale(_rows(generation_id, run, *Generation.ACTIVE), stale_at).update(
            state=Generation.State.QUEUED,
            run=run + 1,
            lease_until=now + timedelta(seconds=delay_seconds) if delay_seconds else None,
            stage="",
            progress=0,
            queued_at=now,
        )
        if moved:
            _sync_session_of(generation_id, Session.Status.QUEUED)
    if moved and not delay_seconds:
        try:
            queues.enqueue_generation(generation_id, run + 1)
        except queues.QueueAwayError:
            logger.warning("%s waits for Redis", queues.job_id(generation_id, run + 1))
    return bool(moved)


def handle_worker_death(
    generation_id: UUID | str, run: int, *, detail: str, stale_at: datetime | None = None
) -> str:
    """Queue the run of a dead process again, or fail it after `MAX_RUNS`.

    Args:
        stale_at: only where the lease had ended by then; None: the caller knows that the process
            is dead.

    Returns:
        "requeued", "given up", or "" when somebody was faster.
    """
    if run < MAX_RUNS:
        return "requeued" if requeue(generation_id, run, stale_at=stale_at) else ""
    failed = fail(
        generation_id,
        run,
        code="worker_lost",
        message=WORKER_LOST,
        detail=detail,
        is_ours=True,
        stale_at=stale_at,
    )
    return "given up" if failed else ""


def lease_end() -> datetime:
    """When a run that reports now would be given to somebody else."""
    return timezone.now() + timedelta(seconds=settings.GENERATION_LEASE_SECONDS)


def _lock_session(generation_id: UUID | str) -> None:
    """First the session, then its generations: one order everywhere.

    Two transactions that lock the two in opposite orders are a deadlock on PostgreSQL; SQLite has
    one lock.
    """
    Session.objects.select_for_update(of=("self",)).filter(generations__pk=generation_id).first()


def _stale(rows: QuerySet[Generation], at: datetime | None) -> QuerySet[Generation]:
    return rows if at is None else rows.filter(lease_until__lte=at)


def _rows(generation_id: UUID | str, run: int, *states: str) -> QuerySet[Generation]:
    return Generation.objects.filter(pk=generation_id, run=run, state__in=states)


def _sync_session_of(generation_id: UUID | str, status: str) -> UUID:
    session_id = Generation.objects.values_list("session_id", flat=True).get(pk=generation_id)
    _sync_session_status(session_id, status)
    return session_id


def _sync_session_status(session_id: UUID, status: str) -> None:
    """Give the session the status of its newest generation; only one can be in progress."""
    Session.objects.filter(pk=session_id).update(status=status)
