"""What staff can do: queue generations again, cancel them, purge sessions. Each calls a service and
reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import DELETION, LogEntry
from django.http import HttpRequest

from sessions_app.admin.markup import short_id
from sessions_app.errors import AppError, Unavailable
from sessions_app.models import Generation, Session
from sessions_app.services.generations import cancel_generation, queue_again
from sessions_app.services.retention import purge_session

# The confirmation lists every session; for more of them there is `manage.py purge`.
MOST_AT_ONCE: Final = 200


def queue_each(
    model_admin: ModelAdmin[Any], request: HttpRequest, generations: Iterable[Generation]
) -> int:
    """Queue each generation again; report how many were, and why the others were not. Returns how
    many were.

    Stops when queue or store do not answer: the others would fail as well, and slowly.
    """
    queued = 0
    reasons: Counter[str] = Counter()
    for old in generations:
        try:
            new = queue_again(generation_id=old.pk)
        except Unavailable as error:
            model_admin.message_user(request, f"Stopped: {error.user_message}", messages.ERROR)
            break
        except AppError as error:
            reasons[f"{short_id(old.session_id)} #{old.number}: {error.user_message}"] += 1
        else:
            queued += 1
            model_admin.log_change(request, old, f"Queued again as generation {new.number}.")
    if queued:
        model_admin.message_user(request, f"Queued again: {queued}.", messages.SUCCESS)
    _report_skipped(model_admin, request, list(reasons))
    return queued


def cancel_each(
    model_admin: ModelAdmin[Any], request: HttpRequest, generations: Iterable[Generation]
) -> int:
    """Stop each generation; report how many were, and why the others were not. Returns how many
    were.
    """
    canceled = 0
    reasons: list[str] = []
    for row in generations:
        try:
            cancel_generation(generation_id=row.pk, by_staff=True)
        except AppError as error:
            reasons.append(f"{short_id(row.session_id)} #{row.number}: {error.user_message}")
        else:
            canceled += 1
            model_admin.log_change(request, row, "Canceled.")
    if canceled:
        model_admin.message_user(request, f"Canceled: {canceled}.", messages.SUCCESS)
    _report_skipped(model_admin, request, reasons)
    return canceled


def purge_each(
    model_admin: ModelAdmin[Any], request: HttpRequest, sessions: Iterable[Session]
) -> tuple[int, int]:
    """Delete each session with its pictures and report; returns how many sessions and objects were
    deleted.
    """
    purged = objects = 0
    skipped: list[str] = []
    for session in sessions:
        try:
            removed = purge_session(session_id=session.pk)
        except Unavailable as error:
            model_admin.message_user(request, f"Stopped: {error.user_message}", messages.ERROR)
            break
        except AppError as error:
            skipped.append(f"{short_id(session.pk)}: {error.user_message}")
        else:
            purged, objects = purged + 1, objects + removed
            _log_purge(request, session, removed)
    if purged:
        text = f"Deleted {purged} session(s) with {objects} stored object(s)."
        model_admin.message_user(request, text, messages.SUCCESS)
    _report_skipped(model_admin, request, skipped)
    return purged, objects


def _log_purge(request: HttpRequest, session: Session, removed: int) -> None:
    """Record in the admin's history who purged which session; only its id is left."""
    LogEntry.objects.log_actions(
        user_id=int(request.user.pk or 0),
        queryset=[session],
        action_flag=DELETION,
        change_message=f"Purged with {removed} stored objects.",
    )


def _report_skipped(
    model_admin: ModelAdmin[Any], request: HttpRequest, reasons: Sequence[str]
) -> None:
    """The first few reasons in full, the rest by count."""
    if not reasons:
        return
    shown = "; ".join(reasons[:5])
    more = f"; and {len(reasons) - 5} more" if len(reasons) > 5 else ""
    model_admin.message_user(request, f"Skipped {len(reasons)}: {shown}{more}", messages.WARNING)
