"""Changes of a session's row that more than one service makes, each one conditional UPDATE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from sessions_app.click_history import MAX_OPERATIONS, ClickHistory
from sessions_app.errors import BadClick, NotFound, WrongState
from sessions_app.models import Session

TRIES = 20
PROLONGED_BY_AT_LEAST = timedelta(hours=1)


def edit_clicks(session_id: UUID, edit: Callable[[Session, ClickHistory], ClickHistory]) -> Session:
    """Apply `edit` to the clicks and store the outcome, whoever else is clicking at the same time.

    Returns the session with its wallpaper, as it is then.

    Optimistic: the row is written only where its revision is still the one that was read; otherwise
    the edit is applied anew. A click replaces an uploaded mask.

    Raises:
        NotFound: the session is gone.
        BadClick: more operations than a session holds.
        WrongState: somebody else kept changing the clicks.
    """
    for _ in range(TRIES):
        session = Session.objects.select_related("wallpaper").filter(pk=session_id).first()
        if session is None:
            raise NotFound("This room is not here any more.")
        before = session.history
        after = edit(session, before)
        if after == before and not session.uploaded_mask_key:
            return session
        if len(after.operations) > MAX_OPERATIONS:
            raise BadClick(
                f"This room has {MAX_OPERATIONS} clicks, which is the most it can hold. "
                "Clear them and start again.",
                code="too_many_clicks",
            )
        changed = Session.objects.filter(pk=session_id, revision=session.revision).update(
            click_history=after.as_json(), uploaded_mask_key="", revision=F("revision") + 1
        )
        if changed:
            # What the row has now, without reading it once more: each statement less is felt with
            # every click.
            session.click_history, session.uploaded_mask_key = after.as_json(), ""
            session.revision += 1
            return session
    raise WrongState("The clicks are being changed in another window. Please click again.")


def mark_embedding_completed(session_id: UUID) -> bool:
    """`new` to `embedding_completed`; any later status stays."""
    return bool(
        Session.objects.filter(pk=session_id, status=Session.Status.NEW).update(
            status=Session.Status.EMBEDDING_COMPLETED
        )
    )


def prolong(session_id: UUID) -> None:
    """A session in use lives on: at most once an hour its end moves to a lifetime from now."""
    end = end_of_life()
    Session.objects.filter(
        pk=session_id, expires_at__gt=timezone.now(), expires_at__lt=end - PROLONGED_BY_AT_LEAST
    ).update(expires_at=end)


def prolong_read(session: Session) -> None:
    """The same for a session that was just read, which nearly always shows that there is nothing to
    do.
    """
    if session.expires_at < end_of_life() - PROLONGED_BY_AT_LEAST:
        prolong(session.pk)


def end_of_life() -> datetime:
    """When a session that is used now will be deleted."""
    return timezone.now() + timedelta(days=settings.SESSION_LIFETIME_DAYS)
