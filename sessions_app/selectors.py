"""Reads sessions and generations: which ones a visitor may see, and the status of a generation."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from sessions_app.errors import Expired, NotFound
from sessions_app.inference import embeddings
from sessions_app.models import Generation, Session
from sessions_app.queueing import queues

NO_SUCH_ROOM = "There is no such room here. It may have been opened in another browser, or deleted."
ROOM_EXPIRED = "This room has expired and its pictures were deleted. Please upload the photo again."


@dataclass(frozen=True, slots=True)
class GenerationStatus:
    """The status of a generation, for the page and the API.

    state: queued, generating, completed or failed.
    stage: what the worker is doing.
    progress: per cent, 0 to 100.
    waited_seconds: time in the queue.
    worked_seconds: time since the work began, to its end if it has ended.
    waiting_for_worker: it is queued, and no worker is running.
    ahead: how many jobs are before it in the queue.
    error_message: why it failed; else empty.
    attempt_returned: it failed, and the visitor got the attempt back.
    """

    state: str
    stage: str
    progress: int
    waited_seconds: float
    worked_seconds: float
    waiting_for_worker: bool
    ahead: int
    error_message: str
    attempt_returned: bool


def owned_session(*, session_id: UUID, visitor: str) -> Session:
    """The visitor's session.

    Raises:
        NotFound: there is none with that id, or it is another visitor's.
        Expired: it has expired.
    """
    found = (
        _with_wallpaper().filter(pk=session_id, source=Session.Source.WEB, visitor=visitor).first()
    )
    return _existing(found if visitor else None)


def api_session(*, session_id: UUID) -> Session:
    """A session made through the API: whoever knows its random id may use it.

    Raises:
        NotFound: there is none with that id, or it was not made through the API.
        Expired: it has expired.
    """
    return _existing(_with_wallpaper().filter(pk=session_id, source=Session.Source.API).first())


def recent_sessions(*, visitor: str, limit: int = 12) -> list[Session]:
    """The visitor's sessions that have not expired, newest first, at most `limit`."""
    if not visitor:
        return []
    return list(
        _with_wallpaper().filter(
            source=Session.Source.WEB, visitor=visitor, expires_at__gt=timezone.now()
        )[:limit]
    )


def shown_status(session: Session) -> str:
    """The session's status as its visitor should see it.

    The row learns that its photo is encoded when the encoding ends, or with the next change of the
    marks. Where looking at the marked wall had to encode it, only this process knows.
    """
    is_new = session.status == Session.Status.NEW and session.has_mask
    if is_new and embeddings.is_in_memory(session.photo_digest):
        return Session.Status.EMBEDDING_COMPLETED
    return session.status


def all_generations(session: Session) -> list[Generation]:
    """All of the session's generations, newest first, in one query: they are few."""
    return list(
        Generation.objects.select_related("wallpaper").filter(session=session).order_by("-number")
    )


def generation_status(generation: Generation) -> GenerationStatus:
    """The generation's status now; asks the queue only while it is queued."""
    now = timezone.now()
    is_queued = generation.state == Generation.State.QUEUED
    started = generation.started_at if not is_queued else None
    ended = generation.finished_at or now
    state = queues.queue_state() if is_queued else None
    return GenerationStatus(
        state=generation.state,
        stage=generation.stage,
        progress=generation.progress,
        waited_seconds=max(0.0, ((started or ended) - generation.queued_at).total_seconds()),
        worked_seconds=max(0.0, (ended - started).total_seconds()) if started else 0.0,
        waiting_for_worker=state is not None and state.workers == 0,
        ahead=queues.jobs_ahead(generation.pk, generation.run) if is_queued else 0,
        error_message=generation.error_message,
        attempt_returned=generation.attempt_returned,
    )


def _with_wallpaper() -> QuerySet[Session]:
    return Session.objects.select_related("wallpaper")


def _existing(session: Session | None) -> Session:
    if session is None:
        raise NotFound(NO_SUCH_ROOM)
    if session.expires_at <= timezone.now():
        raise Expired(ROOM_EXPIRED)
    return session
