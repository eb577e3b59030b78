"""The room's page, its deletion, and how a change of the room is answered."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache

from sessions_app.errors import AppError, Busy
from sessions_app.models import Session
from sessions_app.services import overlays, prefetch, retention
from sessions_app.views import contexts
from sessions_app.views.decorators import visitor_view, with_session
from sessions_app.views.request import HtmxHttpRequest

KEPT = "Your change is kept, but the wall could not be drawn yet. Reload the page to see it."


@never_cache
@visitor_view("GET")
@with_session
def session(request: HttpRequest, session: Session) -> HttpResponseBase:
    """The workspace, as the server knows it."""
    return contexts.room_page(request, session)


@visitor_view("POST")
@with_session
def session_delete(request: HttpRequest, session: Session) -> HttpResponseBase:
    """Delete the room with everything in it."""
    retention.purge_session(session_id=session.pk)
    response = HttpResponseRedirect(reverse("home"))
    # Its pictures may be kept by the browser for a year; deleting means deleting there too.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def wall_changed(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """After a click: the overlay and what follows from it. `session` is as the click left it.

    Raises:
        AppError: the mask could not be made; the click itself is kept.
    """
    if not request.htmx:
        with suppress(AppError):  # the page that follows meets the same trouble and shows it
            overlays.draw(session)
        return _back(session)
    context = contexts.wall_context(session, after_change=True)
    trouble = context["masking_error"]
    if isinstance(trouble, Busy):
        # "Try again" would have the visitor click once more, on top of the click that is kept.
        raise Busy(KEPT) from trouble
    if trouble is not None:
        raise trouble
    if context["overlay"] is not None and session.wallpaper is None:
        # With a wallpaper chosen already the page asks for its preview at once.
        prefetch.prefetch(session)
    return TemplateResponse(request, "session/updates.html#wall-changed", context)


def paper_changed(request: HtmxHttpRequest, session: Session, template: str) -> HttpResponseBase:
    """After a change of the wallpaper: its fragments, the preview's address, and the button."""
    if not request.htmx:
        return _back(session)
    fresh = Session.objects.select_related("wallpaper").get(pk=session.pk)
    context = contexts.paper_context(fresh)
    return TemplateResponse(request, template, context)


def _back(session: Session) -> HttpResponseRedirect:
    """A plain form is sent back to the page, so that a reload repeats nothing."""
    return HttpResponseRedirect(reverse("session", args=[session.pk]))
