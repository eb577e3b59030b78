"""The steps of one run of a generation: start, report, complete, fail; and rescue of what a dead worker left.

A run is (generation, run number). Each step is a conditional UPDATE on exactly that run in exactly the expected
state; a run that was given to somebody else changes nothing any more. Jobs may be delivered more than once:
the second delivery finds nothing to start.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from jobs import queues
from sessions_app.models import Generation, Session

logger = logging.getLogger(__name__)

MAX_RUNS = 3
# A queued row whose job is older than this may have lost it (Redis restarted without its last second).
QUEUED_UNSEEN = timedelta(seconds=30)
WORKER_LOST = (
    "The picture could not be made: the server was interrupted several times. "
    "Your attempt was given back; please try again."
)


class SupersededError(Exception):
    """This run is not the one the row is waiting for any more: stop, and leave nothing behind."""


@dataclass(frozen=True, slots=True)
class Rescue:
    """What a sweep did: runs queued again, generations given up, and waiting rows queued anew."""

    requeued: int = 0
    given_up: int = 0
    reminded: int = 0


def start(generation_id: UUID | str, run: int) -> Generation | None:
    """`queued` to `generating` for this run; None when it is not there to be started."""
    now = timezone.now()
    with transaction.atomic():
        started = _rows(generation_id, run, Generation.State.QUEUED).update(
            state=Generation.State.GENERATING,
            started_at=now,
            lease_until=now + timedelta(seconds=settings.GENERATION_LEASE_SECONDS),
            stage="starting",
            progress=0,
        )
        if not started:
            return None
        generation = Generation.objects.select_related("session", "wallpaper").get(pk=generation_id)
        _mirror(generation.session_id, Session.Status.GENERATING)
    return generation


def report(generation_id: UUID | str, run: int, *, stage: str, progress: int) -> None:
    """Write progress and prolong the lease.

    Raises:
        SupersededError: the run was given to somebody else, or the row is gone.
    """
    written = _rows(generation_id, run, Generation.State.GENERATING).update(
        stage=stage,
        progress=max(0, min(100, progress)),
        lease_until=timezone.now() + timedelta(seconds=settings.GENERATION_LEASE_SECONDS),
    )
    if not written:
        raise SupersededError(f"run {run} of {generation_id}")


def complete(generation_id: UUID | str, run: int, **result: Any) -> bool:
    """`generating` to `completed` with the result's fields; False when somebody else was first."""
    with transaction.atomic():
        done = _rows(generation_id, run, Generation.State.GENERATING).update(
            state=Generation.State.COMPLETED,
            stage="",
            progress=100,
            lease_until=None,
            finished_at=timezone.now(),
            **result,
        )
        if done:
            _mirror_of(generation_id, Session.Status.COMPLETED)
    return bool(done)


def fail(
    generation_id: UUID | str, run: int, *, code: str, message: str, detail: str, is_ours: bool
) -> bool:
    """To `failed` with a reason; False when too late.

    When the fault was ours, the attempt is given back, if this generation took one.
    """
    with transaction.atomic():
        failed = _rows(generation_id, run, *Generation.ACTIVE).update(
            state=Generation.State.FAILED,
            stage="",
            lease_until=None,
            finished_at=timezone.now(),
            error_code=code[:40],
            error_message=message,
            error_detail=detail[-8000:],
        )
        if failed:
            session_id = _mirror_of(generation_id, Session.Status.FAILED)
            if is_ours:
                _give_attempt_back(generation_id, session_id)
    return bool(failed)


def _give_attempt_back(generation_id: UUID | str, session_id: UUID) -> None:
    took = Generation.objects.filter(pk=generation_id, took_attempt=True, attempt_returned=False)
    if took.update(attempt_returned=True):
        Session.objects.filter(pk=session_id).update(attempts_left=F("attempts_left") + 1)


def give_up_lease(generation_id: UUID | str, run: int) -> None:
    """The run's process is known to be dead: let the next sweep take it at once."""
    _rows(generation_id, run, Generation.State.GENERATING).update(lease_until=timezone.now())


def rescue_stale() -> Rescue:
    """Give runs whose lease is over to another worker, and queue waiting rows whose job was lost.

    Raises:
        queues.QueueAwayError: Redis does not answer; the next sweep goes on where this one stopped.
    """
    now = timezone.now()
    requeued = given_up = reminded = 0
    stale = Generation.objects.filter(state=Generation.State.GENERATING, lease_until__lte=now)
    for generation in stale[:100]:
        if generation.run >= MAX_RUNS:
            given_up += fail(
                generation.pk,
                generation.run,
                code="worker_lost",
                message=WORKER_LOST,
                detail=f"lease ended {generation.lease_until} in stage {generation.stage!r}",
                is_ours=True,
            )
        elif _next_run(generation):
            requeued += 1
    waiting = Generation.objects.filter(
        state=Generation.State.QUEUED, queued_at__lte=now - QUEUED_UNSEEN
    )
    for generation in waiting[:100]:
        queues.enqueue_generation(generation.pk, generation.run)  # no effect where its job is alive
        reminded += 1
    if requeued or given_up:
        logger.warning("rescued runs: %d queued again, %d given up", requeued, given_up)
    return Rescue(requeued, given_up, reminded)


def _next_run(generation: Generation) -> bool:
    with transaction.atomic():
        moved = _rows(generation.pk, generation.run, Generation.State.GENERATING).update(
            state=Generation.State.QUEUED,
            run=generation.run + 1,
            lease_until=None,
            stage="",
            progress=0,
            queued_at=timezone.now(),
        )
        if moved:
            _mirror(generation.session_id, Session.Status.QUEUED)
    if moved:
        queues.enqueue_generation(generation.pk, generation.run + 1)
    return bool(moved)


def _rows(generation_id: UUID | str, run: int, *states: str) -> QuerySet[Generation]:
    return Generation.objects.filter(pk=generation_id, run=run, state__in=states)


def _mirror_of(generation_id: UUID | str, status: str) -> UUID:
    session_id = Generation.objects.values_list("session_id", flat=True).get(pk=generation_id)
    _mirror(session_id, status)
    return session_id


def _mirror(session_id: UUID, status: str) -> None:
    """The session tells how its newest generation stands; only one can be in progress."""
    Session.objects.filter(pk=session_id).update(status=status)
