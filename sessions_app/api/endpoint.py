"""The edge of the API: picks the handler by method and turns every failure into the one JSON shape.

Endpoints are exempt from CSRF protection on purpose. That protection guards authority a browser sends along
by itself (cookies); the API reads no cookie and no login. What gives access is the session's random
128-bit id in the address, which a forging page does not know.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import (
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from sessions_app.api.errors import (
    BadBody,
    InternalError,
    MethodNotAllowed,
    TooLarge,
    UnknownAddress,
    error_response,
)
from sessions_app.errors import AppError

logger = logging.getLogger(__name__)

Handler = Callable[..., HttpResponseBase]

UNREADABLE_BODY = (
    MultiPartParserError,
    UnreadablePostError,
    TooManyFieldsSent,
    TooManyFilesSent,
)


def endpoint(
    *, get: Handler | None = None, post: Handler | None = None, delete: Handler | None = None
) -> Handler:
    """One address of the API, from the handler of each method it has.

    HEAD is answered wherever GET is, OPTIONS everywhere; any other method gets 405 with Allow. Answers are
    never cached unless the handler says so: the state of a session changes by the second.
    """
    handlers = {
        name: handler
        for name, handler in (("GET", get), ("HEAD", get), ("POST", post), ("DELETE", delete))
        if handler is not None
    }
    allowed = (*handlers, "OPTIONS")

    def dispatch(request: HttpRequest, **path: object) -> HttpResponseBase:
        if request.method == "OPTIONS":
            response: HttpResponseBase = HttpResponse(
                status=204, headers={"Allow": ", ".join(allowed)}
            )
        else:
            response = _answer(handlers.get(request.method or ""), request, allowed, path)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return csrf_exempt(dispatch)


def _answer(
    handler: Handler | None, request: HttpRequest, allowed: tuple[str, ...], path: dict[str, object]
) -> HttpResponseBase:
    """The handler's answer, or its failure as JSON."""
    if handler is None:
        return error_response(MethodNotAllowed(request.method, allowed))
    try:
        return handler(request, **path)
    except AppError as error:
        return error_response(error)
    except RequestDataTooBig:
        return error_response(TooLarge("The request's body is too large."))
    except UNREADABLE_BODY:
        return error_response(BadBody("The request's body is incomplete or malformed."))
    except Http404:
        return error_response(UnknownAddress("There is nothing at this address."))
    # The outermost edge: a program that asked for JSON must not get a page of HTML, let alone a traceback.
    except Exception:
        logger.exception("api request failed: %s %s", request.method, request.path)
        return error_response(
            InternalError("Something went wrong on our side. Nothing you sent was at fault.")
        )


@csrf_exempt
def unknown_address(request: HttpRequest, **path: object) -> HttpResponseBase:
    """Answers every address below /v1 that is none of ours."""
    del path
    return error_response(
        UnknownAddress(f"There is no {request.path} here; /v1/openapi.json lists what there is.")
    )
