"""The start page and the ways into a room: a photo of one's own, or a sample room."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect

from sessions_app.models import Session
from sessions_app.services import uploads
from sessions_app.views import contexts, forms
from sessions_app.views.decorators import visitor_view
from sessions_app.views.request import HtmxHttpRequest
from sessions_app.visitors import ensure_visitor


@never_cache
@visitor_view("GET")
def home(request: HttpRequest) -> HttpResponseBase:
    """Upload, sample rooms, and the rooms this visitor has."""
    return contexts.home_page(request)


@visitor_view("POST")
def upload(request: HtmxHttpRequest) -> HttpResponseBase:
    """A photo comes in; on to its room."""
    data, _ = forms.read_file(request)
    session = uploads.create_session(
        data=data, source=Session.Source.WEB, visitor=ensure_visitor(request)
    )
    return _to_room(request, session)


@visitor_view("POST")
def sample(request: HtmxHttpRequest, slug: str) -> HttpResponseBase:
    """One of the sample rooms is taken; on to it."""
    session = uploads.create_session_from_sample(
        slug=slug, source=Session.Source.WEB, visitor=ensure_visitor(request)
    )
    return _to_room(request, session)


def _to_room(request: HtmxHttpRequest, session: Session) -> HttpResponse:
    address = reverse("session", args=[session.pk])
    if request.htmx:
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)
