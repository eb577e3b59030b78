"""Deletion of sessions: on request, at the end of their life, and of what crashes left behind.

Objects and rows cannot be deleted in one transaction, so the order makes every crash harmless: the
row is made invisible first (its end of life set to now), then its objects go, then the row. A purge
that stops half-way leaves an expired row, which the next purge finds. Objects without a row (an
upload that died between storing and saving, a worker that finished after the purge) are found by
their folder and deleted when a day old.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Least
from django.utils import timezone

from sessions_app import storage
from sessions_app.errors import NotFound, Unavailable, WrongState
from sessions_app.models import Generation, Session
from sessions_app.storage import keys, listing

logger = logging.getLogger(__name__)

# An upload stores its objects before its row, and takes seconds; a day leaves no doubt.
ORPHAN_AGE: Final = timedelta(days=1)
# A store that is away fails every time and slowly; a single damaged folder must not stop the rest.
MAX_FAILURES: Final = 3
IDS_PER_QUERY: Final = 500


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What a purge deleted, or would delete.

    sessions: rows. objects: stored files of those sessions and of the orphans. orphans: folders
    that had no row. kept: expired sessions left because a generation is in progress. failed:
    folders the store did not give up.
    """

    sessions: int = 0
    objects: int = 0
    orphans: int = 0
    kept: int = 0
    failed: int = 0


def purge_session(*, session_id: UUID, force: bool = False, dry_run: bool = False) -> int:
    """Delete a session with everything it owns; returns how many stored objects went.

    `force` deletes it even while a generation is in progress; its worker finds the row gone and
    stops, and what it may still store is an orphan for `purge_expired`. With `dry_run` nothing is
    changed.

    Raises:
        NotFound: there is no such session.
        WrongState: a generation is in progress. Nothing was changed.
        Unavailable: the store did not answer. The session is invisible and expired; the next purge
            goes on.
    """
    rows = Session.objects.filter(pk=session_id)
    allowed = rows if force else rows.filter(~Exists(_active()))
    # One conditional UPDATE decides and hides. Not later than it was: the end of a life that is
    # over stays true.
    soonest = Least(F("expires_at"), timezone.now())
    if not (allowed.exists() if dry_run else allowed.update(expires_at=soonest)):
        raise _refusal(session_id)
    if dry_run:
        return _count_objects(session_id)
    removed = storage.delete_prefix(keys.session_prefix(session_id))
    rows.delete()  # wallpapers and generations go with it, in one transaction
    logger.info("session %s purged, %d objects", session_id, removed)
    return removed


def _refusal(session_id: UUID) -> NotFound | WrongState:
    if not Session.objects.filter(pk=session_id).exists():
        return NotFound("There is no such session.")
    return WrongState(
        "A generation of this session is in progress. Wait for it to end, then delete it.",
        code="generation_in_progress",
    )


def _active() -> QuerySet[Generation]:
    return Generation.objects.filter(session=OuterRef("pk"), state__in=Generation.ACTIVE)


def purge_expired(*, now: datetime, dry_run: bool = False) -> PurgeReport:
    """Delete the sessions whose life ended by `now`, and folders of objects that have no session.

    What the store does not give up is counted in the report and left for the next purge; after
    `MAX_FAILURES` so is the rest. With `dry_run` nothing is deleted and the report says what would
    be.
    """
    expired = Session.objects.filter(expires_at__lte=now).order_by("expires_at")
    kept = expired.filter(Exists(_active())).count()
    # A list: the rows vanish while we walk.
    ids = list(expired.filter(~Exists(_active())).values_list("pk", flat=True))
    sessions = _each(ids, _count_objects if dry_run else _purge_idle)
    try:
        orphans = _each(_orphans(now), _count_objects if dry_run else _delete_objects)
    except Unavailable:
        orphans = _Outcome(failed=1)
    return PurgeReport(
        sessions=sessions.done,
        objects=sessions.objects + orphans.objects,
        orphans=orphans.done,
        kept=kept,
        failed=sessions.failed + orphans.failed,
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How many folders were dealt with, the objects in them, and how many folders failed."""

    done: int = 0
    objects: int = 0
    failed: int = 0


def _each(ids: Sequence[UUID], deal_with: Callable[[UUID], int]) -> _Outcome:
    done = objects = failed = 0
    for session_id in ids:
        try:
            objects += deal_with(session_id)
            done += 1
        except (NotFound, WrongState):
            continue  # another purge was faster, or a generation was asked for meanwhile
        except Unavailable:
            failed += 1
            if failed == MAX_FAILURES:
                break
    return _Outcome(done, objects, failed)


def _purge_idle(session_id: UUID) -> int:
    return purge_session(session_id=session_id)


def _count_objects(session_id: UUID) -> int:
    return listing.count_objects(keys.session_prefix(session_id))


def _delete_objects(session_id: UUID) -> int:
    removed = storage.delete_prefix(keys.session_prefix(session_id))
    logger.info("%d objects without a session deleted from %s", removed, session_id)
    return removed


def _orphans(now: datetime) -> list[UUID]:
    """Folders without a row whose newest object is old enough.

    The folders are listed before the rows are read: a session made in between has a row by then.

    Raises:
        Unavailable: the store did not answer.
    """
    folders = [found for found in map(_session_id, storage.session_folders()) if found is not None]
    known: set[UUID] = set()
    for start in range(0, len(folders), IDS_PER_QUERY):
        batch = folders[start : start + IDS_PER_QUERY]
        known.update(Session.objects.filter(pk__in=batch).values_list("pk", flat=True))
    return [folder for folder in folders if folder not in known and _is_old(folder, now)]


def _session_id(folder: str) -> UUID | None:
    """The session a folder is named after; None for a folder that is not ours to judge."""
    try:
        session_id = UUID(folder)
    except ValueError:
        return None
    return session_id if str(session_id) == folder else None


def _is_old(session_id: UUID, now: datetime) -> bool:
    """True when the folder's newest object is older than `ORPHAN_AGE`; where the age is unknown, it
    stays.
    """
    newest = listing.newest_change(keys.session_prefix(session_id))
    return newest is not None and newest <= now - ORPHAN_AGE
