"""Asking for the picture, and following it."""

from __future__ import annotations

from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache

from sessions_app.errors import WrongState
from sessions_app.models import Generation, Session
from sessions_app.services import generations
from sessions_app.views import contexts, forms
from sessions_app.views.decorators import visitor_view, with_session
from sessions_app.views.request import HtmxHttpRequest

PANEL = "session/generation.html"
RESULT = "session/result.html"


@visitor_view("POST")
@with_session
def generate(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """One attempt is taken and the picture queued; the same request again changes nothing."""
    key, seen = forms.read_generate(request.POST)
    generations.request_generation(session_id=session.pk, request_key=key, seen=seen)
    if not request.htmx:
        return HttpResponseRedirect(reverse("session", args=[session.pk]))
    return _panel(request, session)


@visitor_view("POST")
@with_session
def cancel(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """Stop the picture with the number the page shows; pressed twice or in two tabs it is stopped
    once.

    One that ended in the meantime is no error: the answer is how it stands, with a sentence that
    says so.
    """
    notice = ""
    try:
        generations.cancel_generation(session_id=session.pk, number=forms.read_cancel(request.POST))
    except WrongState as late:
        notice = late.user_message
    if request.htmx:
        return _panel(request, session, notice=notice)
    if not notice or session.generations.filter(state__in=Generation.ACTIVE).exists():
        return HttpResponseRedirect(reverse("session", args=[session.pk]))
    # The room's page with the sentence in its alert: it does not ask again by itself, so it may
    # stand at this address.
    raise WrongState(notice, code="not_in_progress")


@never_cache
@visitor_view("GET")
@with_session
def status(request: HtmxHttpRequest, session: Session) -> HttpResponseBase:
    """How the picture stands; the fragment says itself whether to ask again. `part=result` is the
    picture's section.
    """
    if not request.htmx:
        return HttpResponseRedirect(reverse("session", args=[session.pk]))
    if request.GET.get("part") == "result":
        return TemplateResponse(request, RESULT, contexts.result_context(session))
    return TemplateResponse(request, PANEL, contexts.generation_context(session))


def _panel(request: HtmxHttpRequest, session: Session, *, notice: str = "") -> HttpResponseBase:
    """The fragment, after a change of the row."""
    fresh = Session.objects.select_related("wallpaper").get(pk=session.pk)
    context = {**contexts.generation_context(fresh), "notice": notice}
    return TemplateResponse(request, PANEL, context)
