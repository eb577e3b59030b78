"""Clicks on the photo: add, undo, redo, clear, find the wall, or bring a finished mask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from uuid import UUID

from django.db.models import F

from imaging import read_mask
from sessions_app.click_history import SCOPES, ClickHistory, ClickTuple
from sessions_app.error_translation import translated
from sessions_app.errors import BadClick, BadRequest, BadUpload, NotFound
from sessions_app.inference.limits import decode_limit
from sessions_app.models import Session
from sessions_app.services import masks
from sessions_app.services.transitions import edit_clicks, prolong_read

MAX_CLICKS_AT_ONCE = 100


def add_click(*, session_id: UUID, x: float, y: float, label: int) -> Session:
    """One more click, in photo pixels; label 1 includes, 0 excludes.

    Raises:
        BadClick: outside the photo, not a number, or an exclusion while nothing is included.
    """

    def add(session: Session, history: ClickHistory) -> ClickHistory:
        prolong_read(session)
        click = checked_click(session, x, y, label)
        if label == 0 and not history.has_mask:
            raise BadClick(
                "Nothing is marked yet. Click the wall first, then take away what does not "
                "belong to it.",
                code="nothing_to_exclude",
            )
        return history.add(click)

    return edit_clicks(session_id, add)


def undo_click(*, session_id: UUID) -> Session:
    """Take the last step back."""
    return edit_clicks(session_id, lambda _, history: history.undo())


def redo_click(*, session_id: UUID) -> Session:
    """Bring the last undone step back."""
    return edit_clicks(session_id, lambda _, history: history.redo())


def clear_clicks(*, session_id: UUID) -> Session:
    """Take all clicks away; can be undone."""
    return edit_clicks(session_id, lambda _, history: history.clear())


def find_wall(*, session_id: UUID) -> Session:
    """Mark the main wall without a click; can be undone."""
    return edit_clicks(session_id, lambda _, history: history.auto())


def choose_scope(*, session_id: UUID, scope: str) -> Session:
    """Mean the clicked wall only, all walls, or what the clicks suggest; can be undone.

    Raises:
        BadRequest: not one of SCOPES.
    """
    check_scope(scope)
    return edit_clicks(session_id, lambda _, history: history.with_scope(scope))


def check_scope(scope: str) -> None:
    """Raises BadRequest unless `scope` is one of SCOPES."""
    if scope not in SCOPES:
        raise BadRequest(
            f"The scope must be one of {', '.join(SCOPES)}: "
            "the clicked wall only is 'this', every wall 'all'.",
            code="bad_scope",
        )


def replace_clicks(
    *, session_id: UUID, clicks: Sequence[ClickTuple], scope: str | None = None
) -> Session:
    """Exactly these clicks in place of all earlier ones; with another scope where one is given.

    Raises:
        BadRequest: not one of SCOPES.
        BadClick: no click, too many, one outside the photo, or none that includes.
    """
    if not clicks:
        raise BadClick("Give at least one point on the wall.")
    if len(clicks) > MAX_CLICKS_AT_ONCE:
        raise BadClick(f"Give at most {MAX_CLICKS_AT_ONCE} points.", code="too_many_clicks")
    if all(label == 0 for _, _, label in clicks):
        raise BadClick("At least one point must include the wall (label 1).")
    if scope is not None:
        check_scope(scope)

    def replace(session: Session, before: ClickHistory) -> ClickHistory:
        fresh = ClickHistory().with_scope(before.scope if scope is None else scope)
        return fresh.replace([checked_click(session, *click) for click in clicks])

    return edit_clicks(session_id, replace)


def use_mask(*, session_id: UUID, data: bytes) -> Session:
    """A finished mask (PNG, the photo's size) in place of clicks.

    Raises:
        BadUpload: not a mask of the photo's size, or nothing is marked in it.
    """
    session = Session.objects.filter(pk=session_id).first()
    if session is None:
        raise NotFound("This room is not here any more.")
    with decode_limit.slot(), translated():
        mask = read_mask(data, size=(session.width, session.height))
    if not mask.any():
        raise BadUpload("The mask is empty: nothing in it is white.", code="empty_mask")
    key, _ = masks.store_mask(session, mask)
    Session.objects.filter(pk=session_id).update(
        uploaded_mask_key=key, click_history={}, revision=F("revision") + 1
    )
    masks.drop_unused(session, session.uploaded_mask_key, keep=key)
    session.refresh_from_db()
    return session


def checked_click(session: Session, x: float, y: float, label: int) -> ClickTuple:
    """The click, if it lies on the photo.

    Raises:
        BadClick: it does not, or is not made of numbers.
    """
    if label not in (0, 1):
        raise BadClick("A click either includes (1) or excludes (0).")
    if not (math.isfinite(x) and math.isfinite(y)):
        raise BadClick("A click needs two numbers, x and y, in pixels of the photo.")
    # A pixel reaches half a pixel to each side of its centre.
    if not (-0.5 <= x <= session.width - 0.5 and -0.5 <= y <= session.height - 0.5):
        raise BadClick(
            f"The click at {x:g}, {y:g} is outside the photo, which is "
            f"{session.width} x {session.height} pixels.",
            code="click_outside",
        )
    x = min(max(x, 0.0), session.width - 1.0)
    y = min(max(y, 0.0), session.height - 1.0)
    return (round(x, 2), round(y, 2), label)
