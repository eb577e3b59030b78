"""The session's key in the header `Authorization: Bearer` (RFC 6750), in place of the address.

Addresses are written into the logs of proxies and of programs, headers are not. Every address below
`/v1/sessions/{id}` has a twin below `/v1/session`, which takes the key, the session's id, from the
header. A request that came to a twin gets addresses of twins in its answer.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from sessions_app.api.errors import NoKey

WITH_ID: Final = "sessions/<uuid:session_id>"
WITHOUT_ID: Final = "session"
TWIN: Final = "-by-key"
SECURITY: Final[dict[str, Any]] = {
    "sessionKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "The session's key: the session_id that creating it answered with.",
    }
}
NO_KEY: Final = "The header Authorization: Bearer is absent, or holds no session's key."
_HOW: Final = (
    "Send the session's key, the session_id that creating it answered with, in the header "
    "Authorization: Bearer."
)


def session_id_of(request: HttpRequest) -> UUID:
    """The id in the request's Authorization header.

    Raises:
        NoKey: there is no such header, of another scheme, or it does not hold an id.
    """
    scheme, _, key = request.headers.get("Authorization", "").strip().partition(" ")
    try:
        found = UUID(key.strip()) if scheme.lower() == "bearer" else None
    except ValueError:
        found = None
    if found is None or str(found) != key.strip().lower():
        raise NoKey(_HOW)
    request.key_in_header = True  # type: ignore[attr-defined]
    return found


def address(request: HttpRequest, name: str, session_id: UUID) -> str:
    """The absolute address `api-{name}` of a session, of the kind that the request came to."""
    if getattr(request, "key_in_header", False):
        return request.build_absolute_uri(reverse(f"api-{name}{TWIN}"))
    return request.build_absolute_uri(reverse(f"api-{name}", kwargs={"session_id": session_id}))


def twins(paths: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI entries of the twins, from those of the addresses with an id."""
    return {
        path.replace("sessions/{session_id}", WITHOUT_ID): {
            method: _twin(operation) for method, operation in methods.items()
        }
        for path, methods in paths.items()
        if "{session_id}" in path
    }


def _twin(operation: dict[str, Any]) -> dict[str, Any]:
    others = [one for one in operation["parameters"] if one["name"] != "session_id"]
    failure = {**operation["responses"][404], "description": NO_KEY}
    return {
        **operation,
        "operationId": f"{operation['operationId']}ByKey",
        "parameters": others,
        "responses": dict(sorted({**operation["responses"], 401: failure}.items())),
        "security": [{name: []} for name in SECURITY],
    }
