"""Failures that only a program talking to the API can cause, and the one JSON shape of every
failure.

They hang in the product's own tree (`sessions_app.errors`), so that an endpoint has one kind to
handle:

    AppError
    ├── NotFound -> UnknownAddress   404
    ├── BadRequest -> BadBody        422  not JSON, or a field is missing or of the wrong type
    ├── NoKey                        401  an address that needs the header Authorization
    ├── MethodNotAllowed             405
    ├── TooLarge                     413
    ├── WrongMediaType               415
    └── InternalError                500  ours; the detail is in the log only
"""

from __future__ import annotations

from collections.abc import Sequence

from django.http import JsonResponse

from sessions_app.errors import AppError, BadRequest, NotFound


class UnknownAddress(NotFound):
    """No endpoint has this address."""

    code = "unknown_address"


class BadBody(BadRequest):
    """The request's body cannot be understood; the message names the field."""

    code = "bad_body"


class NoKey(AppError):
    """The address takes the session's key from a header, which is absent or holds none."""

    status = 401
    code = "no_key"


class MethodNotAllowed(AppError):
    """The address exists, the method does not; `allowed` goes into the Allow header."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, method: str | None, allowed: Sequence[str]) -> None:
        super().__init__(f"{method} is not allowed here; use {' or '.join(allowed)}.")
        self.allowed = tuple(allowed)


class TooLarge(AppError):
    """More bytes than the endpoint takes."""

    status = 413
    code = "too_big"


class WrongMediaType(AppError):
    """The body is of another kind than the endpoint reads."""

    status = 415
    code = "wrong_media_type"


class InternalError(AppError):
    """A fault of ours that has no better name."""

    status = 500
    code = "internal_error"


def error_response(error: AppError) -> JsonResponse:
    """The answer to a failed request, with Allow and Retry-After where they belong."""
    response = JsonResponse(
        {"error": {"code": error.code, "message": error.user_message}}, status=error.status
    )
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, NoKey):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
