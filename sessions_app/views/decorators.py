"""What stands before every page view: the method, the visitor's own session, and one response to
every refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from sessions_app.errors import AppError
from sessions_app.selectors import owned_session
from sessions_app.views.errors import not_allowed, refusal
from sessions_app.views.request import HtmxHttpRequest
from sessions_app.visitors import visitor_of

View = Callable[..., HttpResponseBase]


def visitor_view(*methods: str) -> Callable[[View], View]:
    """A view for visitors: these methods only (GET brings HEAD), and an `AppError` becomes its
    page.
    """
    allowed = [*methods, "HEAD"] if "GET" in methods else list(methods)

    def decorate(view: View) -> View:
        @wraps(view)
        def respond(request: HtmxHttpRequest, **path: Any) -> HttpResponseBase:
            if request.method not in allowed:
                return not_allowed(request, allowed)
            try:
                response = view(request, **path)
            except AppError as error:
                response = refusal(request, error)
            patch_vary_headers(response, ["HX-Request"])
            return response

        return respond

    return decorate


def with_session(view: View) -> View:
    """Swap `session_id` for the visitor's own session.

    The permission is decided here and nowhere else: an unknown id and somebody else's are the same
    404, an expired session is a 410. The session is noted on the request, so that a refusal can be
    shown in its room.
    """

    @wraps(view)
    def respond(request: HtmxHttpRequest, *, session_id: UUID, **path: Any) -> HttpResponseBase:
        session = owned_session(session_id=session_id, visitor=visitor_of(request))
        request.room = session
        return view(request, session, **path)

    return respond
