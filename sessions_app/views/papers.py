"""The wallpaper of a room and how it lies on the wall."""

from __future__ import annotations

from uuid import UUID

from django.http.response import HttpResponseBase

from sessions_app.models import Session
from sessions_app.services import wallpapers
from sessions_app.views import forms
from sessions_app.views.decorators import visitor_view, with_session
from sessions_app.views.request import HtmxHttpRequest
from sessions_app.views.room import paper_changed


@visitor_view("POST")
@with_session
def wallpaper_design(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """A wallpaper of the gallery: a design, or one that was brought to this room before."""
    choice = forms.read_choice(request.POST)
    if isinstance(choice, UUID):
        wallpapers.choose_kept(session_id=session.pk, wallpaper_id=choice)
    else:
        wallpapers.choose_design(session_id=session.pk, slug=choice)
    return paper_changed(request, session, "session/updates.html#wallpaper-chosen")


@visitor_view("POST")
@with_session
def wallpaper_upload(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """A wallpaper from the visitor's device."""
    data, name = forms.read_file(request)
    wallpapers.choose_upload(session_id=session.pk, data=data, name=name)
    return paper_changed(request, session, "session/updates.html#wallpaper-added")


@visitor_view("POST")
@with_session
def wallpaper_link(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """A wallpaper behind a link, fetched by the server."""
    wallpapers.choose_link(session_id=session.pk, url=forms.read_link(request.POST))
    return paper_changed(request, session, "session/updates.html#wallpaper-added")


@visitor_view("POST")
@with_session
def placement(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """Size, match, direction and the rest of how the wallpaper lies."""
    values = forms.read_placement(request.POST)
    wallpapers.set_placement(session_id=session.pk, placement=values)
    return paper_changed(request, session, "session/updates.html#placement-changed")
