"""Every refusal as the visitor meets it: the one place where an error becomes a status and a
sentence.

htmx gets the sentence as plain text with the status, and the page's script puts it into the alert.
A form posted without script gets its page again with the sentence in the alert and the status of
the error. Anything else gets a page that says what is wrong and leads home.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.response import TemplateResponse

from sessions_app.errors import AppError, Expired, NotFound
from sessions_app.models import Session
from sessions_app.views import contexts
from sessions_app.views.request import HtmxHttpRequest

logger = logging.getLogger(__name__)

TITLES = {
    400: "The request could not be read",
    403: "This page is out of date",
    404: "There is no such page",
    405: "There is no such page",
    410: "This room has expired",
    500: "Something went wrong on our side",
    503: "Not available at the moment",
}


class BadCsrfToken(AppError):
    """The form's token is not the browser's: an old page, or another site's."""

    status = 403
    code = "csrf"


class WrongMethod(AppError):
    """The address takes other methods."""

    status = 405
    code = "wrong_method"


class MalformedRequest(AppError):
    """The request cannot be read at all."""

    status = 400
    code = "garbled"


def refusal(request: HtmxHttpRequest, error: AppError) -> HttpResponseBase:
    """The answer to a request that was refused."""
    logger.info("%s %s refused: %s", request.method, request.path, error.code)
    response = _answer(request, error)
    response.headers["X-Error-Code"] = error.code
    response.headers["Cache-Control"] = "no-store"
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _answer(request: HtmxHttpRequest, error: AppError) -> HttpResponseBase:
    if request.htmx:
        return HttpResponse(
            error.user_message, content_type="text/plain; charset=utf-8", status=error.status
        )
    gone = isinstance(error, NotFound | Expired)
    if request.method == "POST" and not gone:
        session = getattr(request, "room", None)
        if session is not None and _still_there(session):
            return contexts.room_page(request, session, error=error)
        return contexts.home_page(request, error=error)
    return TemplateResponse(
        request,
        "errors/error.html",
        {
            **contexts.base_context(),
            "status": error.status,
            "title": TITLES.get(error.status, "That did not work"),
            "explanation": error.user_message,
        },
        status=error.status,
    )


def _still_there(session: Session) -> bool:
    """Read the room anew; False when it was purged meanwhile."""
    try:
        session.refresh_from_db()
    except Session.DoesNotExist:
        return False
    return True


def not_allowed(request: HttpRequest, methods: list[str]) -> HttpResponseBase:
    """A form's address asked for as a page, or the other way round: a page that leads home."""
    page = standalone(request, WrongMethod("There is no page at this address."))
    page.headers["Allow"] = ", ".join(methods)
    return page


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Django's CSRF refusal, in words for a visitor; the reason is for the log."""
    logger.info("csrf check failed: %s", reason)
    return standalone(
        request, BadCsrfToken("This page is out of date. Please reload it and try again.")
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """handler404: an address that is none of ours."""
    del exception
    return standalone(request, NotFound("There is no page at this address."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """handler400: a request that Django itself could not read."""
    del exception
    return standalone(
        request,
        MalformedRequest("The request could not be read. Please reload the page and try again."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: must work when nothing else does, so it needs neither database nor context."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(
            "Something went wrong on our side. Your room is kept; please try again.",
            content_type="text/plain; charset=utf-8",
            status=500,
        )
    return render(request, "500.html", status=500)


def standalone(request: HttpRequest, error: AppError) -> HttpResponse:
    """A refusal before any view ran: middleware may not have marked the request yet."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(
            error.user_message, content_type="text/plain; charset=utf-8", status=error.status
        )
    return render(
        request,
        "errors/error.html",
        {
            **contexts.base_context(),
            "status": error.status,
            "title": TITLES[error.status],
            "explanation": error.user_message,
        },
        status=error.status,
    )
