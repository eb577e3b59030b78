"""The sweep: what dead workers, a restarted Redis and crashes at the wrong moment left, put right.

Run by every worker every 30 s and by `manage.py requeue_stuck`. Any number may run at once: each
step is a conditional UPDATE, or a job that finds nothing to start when it comes second.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from sessions_app import storage
from sessions_app.errors import Unavailable
from sessions_app.models import Generation
from sessions_app.queueing import queues
from sessions_app.services import runs
from sessions_app.storage import keys, listing

logger = logging.getLogger(__name__)

# A row queued for less time may be between its commit and its job, or its job and its start.
QUEUED_UNSEEN_SECONDS = 30
AT_ONCE = 500
# Results of runs that lost are looked for this long after the end of their generation.
LEFTOVERS_FOR = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a sweep did, or would do.

    requeued: runs of dead workers, queued again. given_up: those that had been tried often enough.
    retried: rows whose pause before another try is over. jobs_replaced: waiting rows whose job was
    lost, queued anew.
    """

    requeued: int = 0
    given_up: int = 0
    retried: int = 0
    jobs_replaced: int = 0


def recover_stale(*, dry_run: bool = False) -> RecoveryReport:
    """Give runs whose lease is over to another worker, and queue waiting rows that have no job.

    Raises:
        queues.QueueAwayError: Redis does not answer; the next sweep goes on where this one stopped.
    """
    now = timezone.now()
    requeued, given_up = _recover_dead_runs(now, dry_run)
    retried = _requeue_delayed(now, dry_run)
    replaced = _requeue_lost(now, dry_run)
    if requeued or given_up or replaced:
        logger.warning(
            "%d run(s) queued again, %d given up, %d job(s) replaced", requeued, given_up, replaced
        )
    return RecoveryReport(requeued, given_up, retried, replaced)


def _recover_dead_runs(now: datetime, dry_run: bool) -> tuple[int, int]:
    stale = Generation.objects.filter(state=Generation.State.GENERATING, lease_until__lte=now)
    outcomes = []
    for row in stale.order_by("lease_until")[:AT_ONCE]:
        if dry_run:
            outcomes.append("requeued" if row.run < runs.MAX_RUNS else "given up")
            continue
        detail = f"lease ended {row.lease_until} in stage {row.stage!r}"
        outcomes.append(runs.handle_worker_death(row.pk, row.run, detail=detail, stale_at=now))
    return outcomes.count("requeued"), outcomes.count("given up")


def _requeue_delayed(now: datetime, dry_run: bool) -> int:
    """A queued row with a lease is one that waits before another try: not before then."""
    due = Generation.objects.filter(state=Generation.State.QUEUED, lease_until__lte=now)
    if dry_run:
        return due.count()
    ended = 0
    for pk, run in due.order_by("lease_until").values_list("pk", "run")[:AT_ONCE]:
        queues.enqueue_generation(pk, run)
        ended += due.filter(pk=pk, run=run).update(lease_until=None)
    return ended


def _requeue_lost(now: datetime, dry_run: bool) -> int:
    """Queue waiting rows again that have no job: it was lost, or ended before it began."""
    unseen = timedelta(seconds=min(QUEUED_UNSEEN_SECONDS, settings.GENERATION_LEASE_SECONDS))
    old = Generation.objects.filter(
        state=Generation.State.QUEUED, queued_at__lte=now - unseen, lease_until=None
    ).order_by("queued_at")
    # The jobs are read before the rows: a row that is queued in between has its job.
    with_job = queues.waiting_runs()
    rows = old.values_list("pk", "run")
    lost = [(pk, run) for pk, run in rows if (str(pk), run) not in with_job][:AT_ONCE]
    if not dry_run:
        for pk, run in reversed(lost):  # each goes to the front, the oldest last
            queues.enqueue_again(pk, run)
    return len(lost)


def remove_leftovers(*, dry_run: bool = False) -> int:
    """Delete results of runs that lost: killed while storing, or before telling.

    Looks at generations that ended in the last two hours, but not before any other run of theirs
    must have ended too. Returns how many objects there were.

    Raises:
        Unavailable: the store did not answer.
    """
    now = timezone.now()
    settled = now - timedelta(
        seconds=2 * settings.GENERATION_LEASE_SECONDS + settings.GENERATION_TIMEOUT_SECONDS
    )
    ended = Generation.objects.filter(
        Q(run__gt=1) | Q(state=Generation.State.FAILED),
        state__in=(Generation.State.COMPLETED, Generation.State.FAILED),
        finished_at__gt=now - LEFTOVERS_FOR,
        finished_at__lte=settled,
    )
    removed = 0
    folders = set()
    for row in _rows_of(ended):
        removed += remove_results(row, dry_run=dry_run)
        folders.add(keys.results_folder(row.session_id))
    for folder in sorted(folders):
        leftovers = listing.partial_files_in(folder, before=settled)
        removed += len(leftovers)
        for name in [] if dry_run else leftovers:
            storage.delete(name)
    return removed


def remove_results(generation: Generation, *, dry_run: bool = False) -> int:
    """Delete the objects of all runs of an ended generation but of the one its row points at.

    Raises:
        Unavailable: the store did not answer.
    """
    removed = 0
    for key in result_keys(generation.session_id, generation.number, range(1, generation.run + 1)):
        if key in (generation.result_key, generation.result_view_key) or not storage.exists(key):
            continue
        if not dry_run:
            storage.delete(key)
        removed += 1
    return removed


def result_keys(session_id: UUID, number: int, of_runs: Iterable[int]) -> list[str]:
    """Names of the objects that these runs of a generation may have stored."""
    return [
        name(session_id, number, run) for run in of_runs for name in (keys.result, keys.result_view)
    ]


def clean_up() -> int:
    """`remove_leftovers`, with a store that does not answer left for the next time."""
    try:
        removed = remove_leftovers()
    except Unavailable:
        return 0
    if removed:
        logger.info("%d object(s) of runs that lost deleted", removed)
    return removed


def _rows_of(query: QuerySet[Generation]) -> Iterable[Generation]:
    return query.only(
        "session_id", "number", "run", "state", "result_key", "result_view_key"
    ).iterator(chunk_size=200)
