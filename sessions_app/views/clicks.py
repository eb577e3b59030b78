"""Clicks on the photo: each answers with the overlay, and what changed around it."""

from __future__ import annotations

from django.http.response import HttpResponseBase

from sessions_app.models import Session
from sessions_app.services import clicking
from sessions_app.views import forms
from sessions_app.views.decorators import visitor_view, with_session
from sessions_app.views.request import HtmxHttpRequest
from sessions_app.views.room import wall_changed


@visitor_view("POST")
@with_session
def click(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """One click: x, y in photo pixels, label 1 to include or 0 to exclude."""
    x, y, label = forms.read_click(request.POST, session)
    changed = clicking.add_click(session_id=session.pk, x=x, y=y, label=label)
    return wall_changed(request, changed)


@visitor_view("POST")
@with_session
def click_undo(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """The last step is taken back."""
    changed = clicking.undo_click(session_id=session.pk)
    return wall_changed(request, changed)


@visitor_view("POST")
@with_session
def click_redo(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """The last undone step comes back."""
    changed = clicking.redo_click(session_id=session.pk)
    return wall_changed(request, changed)


@visitor_view("POST")
@with_session
def click_clear(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """All clicks go; can be undone."""
    changed = clicking.clear_clicks(session_id=session.pk)
    return wall_changed(request, changed)


@visitor_view("POST")
@with_session
def scope(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """The clicked wall only, all walls, or what the clicks suggest."""
    changed = clicking.choose_scope(session_id=session.pk, scope=request.POST.get("scope", ""))
    return wall_changed(request, changed)


@visitor_view("POST")
@with_session
def find_wall(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """The main wall is marked without a click."""
    changed = clicking.find_wall(session_id=session.pk)
    return wall_changed(request, changed)
