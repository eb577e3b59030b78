"""Who a browser is: a random token in a signed cookie, set with the first upload.

There are no accounts. The token identifies only the browser that made a session; for every other
browser that session does not exist.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE_NAME = "visitor"
SALT = "sessions_app.visitors"


def visitor_of(request: HttpRequest) -> str:
    """The browser's token; empty when it has none, or one with a wrong signature."""
    return str(getattr(request, "visitor", ""))


def ensure_visitor(request: HttpRequest) -> str:
    """The browser's token; a new one when it has none, for which the middleware then sets the
    cookie.
    """
    if not visitor_of(request):
        request.visitor = secrets.token_urlsafe(24)  # type: ignore[attr-defined]
        request.visitor_is_new = True  # type: ignore[attr-defined]
    return visitor_of(request)


class VisitorMiddleware:
    """Reads the cookie into `request.visitor`; sets it when `ensure_visitor` made a new token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, with the cookie if the token is new."""
        request.visitor = self._read(request)  # type: ignore[attr-defined]
        request.visitor_is_new = False  # type: ignore[attr-defined]
        response = self.get_response(request)
        if getattr(request, "visitor_is_new", False):
            response.set_signed_cookie(
                COOKIE_NAME,
                visitor_of(request),
                salt=SALT,
                max_age=settings.VISITOR_COOKIE_AGE_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    @staticmethod
    def _read(request: HttpRequest) -> str:
        try:
            value = request.get_signed_cookie(COOKIE_NAME, default="", salt=SALT)
        except signing.BadSignature:
            return ""
        return value or ""
