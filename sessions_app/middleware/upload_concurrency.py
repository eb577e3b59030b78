"""How many uploads a web process takes at once; whoever comes beyond that is told so at once.

An upload holds one of the process's threads for as long as the sender's network needs, then for
decoding. Were all threads given to uploads, clicks would wait behind them, and the next uploads
behind those, unheard, until something times out.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError
from django.http.response import HttpResponseBase

from sessions_app.api.errors import error_response
from sessions_app.errors import Busy
from sessions_app.inference.limits import ConcurrencyLimit
from sessions_app.views.errors import standalone

API_ROOT: Final = "/v1/"
_CHUNK_BYTES: Final = 1 << 16
# A sender that has not got rid of its file by then may find the connection closed.
_DRAIN_SECONDS: Final = 5.0


class UploadConcurrencyMiddleware:
    """Before anything reads the request's body: a form with a file takes a slot, or is refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._limit = ConcurrencyLimit(
            settings.UPLOADS_AT_ONCE,
            patience_seconds=0.0,
            full_message="Many photos are coming in at this moment.",
        )

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, or say that it should come back."""
        if request.method != "POST" or request.content_type != "multipart/form-data":
            return self.get_response(request)
        try:
            with self._limit.slot():
                return self.get_response(request)
        except Busy as error:
            return _refusal(request, error)


def _refusal(request: HttpRequest, error: Busy) -> HttpResponseBase:
    _drain(request)
    if request.path.startswith(API_ROOT):
        return error_response(error)
    response = standalone(request, error)
    response.headers["X-Error-Code"] = error.code
    response.headers["Retry-After"] = str(error.retry_after_seconds)
    response.headers["Cache-Control"] = "no-store"
    return response


def _drain(request: HttpRequest) -> None:
    """Read the body away: a browser whose sending is cut off never reads the answer."""
    left = settings.MAX_UPLOAD_BYTES
    until = time.monotonic() + _DRAIN_SECONDS
    with contextlib.suppress(UnreadablePostError, OSError):
        while left > 0 and time.monotonic() < until:
            chunk = request.read(_CHUNK_BYTES)
            if not chunk:
                return
            left -= len(chunk)
