"""The edge of the API: one JSON shape for every failure, and what holds at every address.

Endpoints are exempt from CSRF protection on purpose. That protection guards authority a browser
sends along by itself (cookies); the API reads no cookie and no login. What gives access is the
session's random 128-bit id in the address or in a header, which a forging page does not know.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern, path
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from sessions_app.api import key_header
from sessions_app.api.errors import (
    BadBody,
    InternalError,
    MethodNotAllowed,
    TooLarge,
    UnknownAddress,
    error_response,
)
from sessions_app.api.parsing import JsonObjectParser, refusal
from sessions_app.errors import AppError

logger = logging.getLogger(__name__)

METHODS: Final = ("GET", "HEAD", "POST", "DELETE")
UNREADABLE_BODY: Final = (
    MultiPartParserError,
    UnreadablePostError,
    TooManyFieldsSent,
    TooManyFilesSent,
)


class JsonApi(NinjaAPI):
    """The API, with the names and the media type that its clients know."""

    def get_content_type(self) -> str:
        """JSON has no charset."""
        return "application/json"

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The view's name, written as client generators like it: `replaceClicks`."""
        first, *rest = operation.view_func.__name__.split("_")
        return first + "".join(word.capitalize() for word in rest)


api = JsonApi(
    title="Wallpaper visualizer",
    version="1.0.0",
    description="A room photo comes in, points mark a wall, and the photo goes out with a "
    "wallpaper on that wall. A session's id is the secret that gives access to it.",
    parser=JsonObjectParser(),
    openapi_url=None,  # a view of ours, which names the server too
    docs_url=None,
)


def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to a request whose view, or whose reading, raised `error`."""
    if isinstance(error, HttpError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # what the parser raised comes wrapped
    return error_response(_as_app_error(request, error))


for caught in (Exception, Http404, HttpError, ValidationError):  # all that ninja answers itself
    api.exception_handler(caught)(failed)


def _as_app_error(request: HttpRequest, error: Exception) -> AppError:
    """The failure in the product's own terms."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, ValidationError):
        return refusal(request, error.errors[0])
    if isinstance(error, RequestDataTooBig):
        return TooLarge("The request's body is too large.")
    if isinstance(error, UNREADABLE_BODY):
        return BadBody("The request's body is incomplete or malformed.")
    if isinstance(error, Http404):
        return UnknownAddress("There is nothing at this address.")
    # The outermost edge: a program that asked for JSON must not get a page of HTML, let alone a
    # traceback.
    logger.error("api request failed: %s %s", request.method, request.path, exc_info=error)
    return InternalError("Something went wrong on our side. Nothing you sent was at fault.")


def addresses(pattern: URLPattern) -> Iterator[URLPattern]:
    """One of ninja's addresses and, where it holds a session's id, its twin without
    (`sessions_app.api.key_header`).
    """
    # Django's own converter: ninja's takes more spellings of an id.
    route = str(pattern.pattern).replace("<uuidstr:", "<uuid:")
    name = pattern.name or ""
    view = _answering(pattern.callback)
    yield path(route, view, name=name)
    if key_header.WITH_ID in route:
        twin = route.replace(key_header.WITH_ID, key_header.WITHOUT_ID)
        yield path(twin, view, name=name + key_header.TWIN)


def _answering(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """One of ninja's views, with the methods and headers that hold at all addresses.

    HEAD is answered wherever GET is, OPTIONS everywhere; any other method gets 405 with Allow.
    Answers are never cached unless the view says so: the state of a session changes by the second.
    """

    @csrf_exempt
    def answer(request: HttpRequest, **values: object) -> HttpResponseBase:
        by_key = "session_id" not in values and _is_twin(request)
        try:
            if by_key and request.method in METHODS:
                values["session_id"] = key_header.session_id_of(request)
            response = view(request, **values)
        except Exception as error:
            response = failed(request, error)
        if isinstance(response, HttpResponseNotAllowed):
            response = _other_method(request, response.headers["Allow"].split(", "))
        response.headers.setdefault("Cache-Control", "no-store")
        if by_key:
            patch_vary_headers(response, ["Authorization"])  # one address, many sessions
        return response

    return answer


def _is_twin(request: HttpRequest) -> bool:
    found = request.resolver_match
    return found is not None and (found.url_name or "").endswith(key_header.TWIN)


def _other_method(request: HttpRequest, own: list[str]) -> HttpResponse:
    """The answer to a method that no view has."""
    allowed = [*(method for method in METHODS if method in own), "OPTIONS"]
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": ", ".join(allowed)})
    return error_response(MethodNotAllowed(request.method, allowed))


@csrf_exempt
def unknown_address(request: HttpRequest, **values: object) -> HttpResponseBase:
    """Answers every address below /v1 that is none of ours."""
    del values
    return error_response(
        UnknownAddress(f"There is no {request.path} here; /v1/openapi.json lists what there is.")
    )
