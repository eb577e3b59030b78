"""The OpenAPI 3.1 document, made from the views and their models; what those cannot say is declared
beside each view.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from ninja import NinjaAPI

from sessions_app.api import key_header
from sessions_app.api.responses import Answer, Error

# What any request can meet; each view adds its own.
_ANY: Final = {
    405: "Another method; Allow names the right ones.",
    500: "A fault of ours.",
    503: "A part of ours is away, nothing is lost; Retry-After says when to try again.",
}
SESSION_FAILURES: Final = {
    404: "No such session (or it was not made by the API).",
    410: "The session's time is over and its pictures are deleted.",
}
BODY_FAILURES: Final = {
    413: "The body is too large.",
    415: "The body has another Content-Type than the endpoint reads.",
    422: "The body does not make sense; the message names the field.",
}


def documented(
    status: int,
    description: str,
    body: type[Answer] | dict[str, Any] | None,
    others: dict[int, str] | None = None,
) -> dict[str, Any]:
    """A view's answers, for ninja's decorator.

    body: of the answer of success: its model, or its JSON Schema by the media type. others: what
    each other status means; those from 400 on have the body of every failure.
    """
    meanings = dict(sorted(((others or {}) | _ANY).items()))
    success: dict[str, Any] = {"description": description}
    model = body
    if isinstance(body, dict):
        model = None
        success["content"] = {media_type: {"schema": schema} for media_type, schema in body.items()}
    bodies = {code: Error if code >= 400 else None for code in meanings}
    described = {code: {"description": meaning} for code, meaning in meanings.items()}
    return {
        "response": {status: model, **bodies},
        "openapi_extra": {"responses": {status: success, **described}},
    }


def document(api: NinjaAPI, *, server: str) -> dict[str, Any]:
    """The whole document, for the server at the address `server`."""
    return {**_document(api), "servers": [{"url": server}]}


@cache
def _document(api: NinjaAPI) -> dict[str, Any]:
    made = api.get_openapi_schema(path_prefix="")
    for methods in made["paths"].values():
        methods.pop("head", None)  # it goes with GET, by the rules of HTTP
        for operation in methods.values():
            operation["summary"] = operation.pop("description").rstrip(".")
    paths = made["paths"] | key_header.twins(made["paths"])
    components = made["components"] | {"securitySchemes": key_header.SECURITY}
    return {**made, "paths": _untitled(paths), "components": _untitled(components)}


def _untitled(node: Any) -> Any:
    """Without the titles that pydantic makes of every name."""
    if isinstance(node, list):
        return [_untitled(part) for part in node]
    if not isinstance(node, dict):
        return node
    is_title = {name for name, part in node.items() if name == "title" and isinstance(part, str)}
    return {name: _untitled(part) for name, part in node.items() if name not in is_title}
