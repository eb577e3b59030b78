"""The request as page views get it, with what the middleware has added."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from sessions_app.models import Session


class HtmxHttpRequest(HttpRequest):
    """A request after `HtmxMiddleware`; for annotations only, Django makes the object.

    `htmx` is true when htmx asks. `room` is the visitor's own session, once `with_session` has
    found it.
    """

    htmx: HtmxDetails
    room: Session
