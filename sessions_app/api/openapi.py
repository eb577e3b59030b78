"""The OpenAPI 3.1 document of the API, written by hand."""

from __future__ import annotations

from typing import Any, Final

from sessions_app.api.schemas import SCHEMAS, Schema, about, ref

VERSION: Final = "1.0.0"

# What any request can meet; each endpoint adds its own.
_COMMON_FAILURES: Final[dict[int, str]] = {
    405: "Another method; Allow names the right ones.",
    500: "A fault of ours.",
    503: "A part of ours is away, nothing is lost; Retry-After says when to try again.",
}
_SESSION_FAILURES: Final[dict[int, str]] = {
    404: "No such session (or it was not made by the API).",
    410: "The session's time is over and its pictures are deleted.",
}
_BODY_FAILURES: Final[dict[int, str]] = {
    413: "The body is too large.",
    415: "The body has another Content-Type than the endpoint reads.",
    422: "The body does not make sense; the message names the field.",
}

_SESSION_ID: Final[Schema] = {
    "name": "session_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}


def document(*, server: str) -> dict[str, Any]:
    """The whole document, for the server at the address `server`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wallpaper visualizer",
            "version": VERSION,
            "description": "A room photo comes in, points mark a wall, and the photo goes out with a "
            "wallpaper on that wall. A session's id is the secret that gives access to it.",
        },
        "servers": [{"url": server}],
        "paths": {
            "/sessions/create": {"post": _create()},
            "/sessions/{session_id}": {
                "parameters": [_SESSION_ID],
                "get": _read("sessionStatus", "The same as its status", "Status"),
                "delete": _delete(),
            },
            "/sessions/{session_id}/clicks": {
                "parameters": [_SESSION_ID],
                "get": _read("showClicks", "The points in force and their mask", "Clicks"),
                "post": _replace_clicks(),
            },
            "/sessions/{session_id}/generate": {"parameters": [_SESSION_ID], "post": _generate()},
            "/sessions/{session_id}/cancel": {"parameters": [_SESSION_ID], "post": _cancel()},
            "/sessions/{session_id}/status": {
                "parameters": [_SESSION_ID],
                "get": _read(
                    "status", "Where the session stands; poll about once a second", "Status"
                ),
            },
            "/sessions/{session_id}/result.png": {"parameters": [_SESSION_ID], "get": _result()},
            "/wallpapers": {
                "get": _operation(
                    "wallpapers", "The built-in designs", {200: _json("The designs", "Designs")}, {}
                )
            },
            "/openapi.json": {"get": _openapi()},
        },
        "components": {"schemas": SCHEMAS},
    }


def _operation(
    name: str,
    summary: str,
    answers: dict[int, Schema],
    failures: dict[int, str],
    **more: Any,
) -> Schema:
    """One method of one address, with its own and the common failures."""
    all_failures = {**failures, **_COMMON_FAILURES}
    return {
        "operationId": name,
        "summary": summary,
        **more,
        "responses": {
            **{str(status): answer for status, answer in answers.items()},
            **{str(status): _json(why, "Error") for status, why in sorted(all_failures.items())},
        },
    }


def _json(description: str, schema: str) -> Schema:
    return {
        "description": description,
        "content": {"application/json": {"schema": ref(schema)}},
    }


def _json_body(schema: str) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": ref(schema)}}}


def _read(name: str, summary: str, schema: str) -> Schema:
    return _operation(name, summary, {200: _json(summary, schema)}, _SESSION_FAILURES)


def _create() -> Schema:
    photo: Schema = {
        "type": "object",
        "properties": {"file": about({"type": "string"}, "JPEG, PNG, WebP, HEIC or AVIF.")},
        "required": ["file"],
    }
    return _operation(
        "createSession",
        "Begin a session with a photo",
        {201: _json("The session; its photo is being encoded in the background", "Session")},
        _BODY_FAILURES,
        requestBody={"required": True, "content": {"multipart/form-data": {"schema": photo}}},
    )


def _delete() -> Schema:
    return _operation(
        "deleteSession",
        "Delete the session, its photo and its results now",
        {204: {"description": "Deleted"}},
        {**_SESSION_FAILURES, 409: "A generation is in progress."},
    )


def _replace_clicks() -> Schema:
    return _operation(
        "replaceClicks",
        "Replace all points; the answer brings the mask they make",
        {200: _json("The points and their mask", "Clicks")},
        {
            **_SESSION_FAILURES,
            **_BODY_FAILURES,
            409: "Other requests kept changing the points at the same moment; send them again.",
        },
        requestBody=_json_body("ClicksRequest"),
    )


def _generate() -> Schema:
    return _operation(
        "generate",
        "Queue a generation of the marked wall with a wallpaper",
        {202: _json("Queued; poll status_url", "Generation")},
        {
            **_SESSION_FAILURES,
            **_BODY_FAILURES,
            403: "No attempts left.",
            409: "No wall is marked, no wallpaper is chosen, or a generation is in progress.",
        },
        requestBody=_json_body("GenerateRequest"),
        parameters=[
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "maxLength": 64},
            }
        ],
    )


def _cancel() -> Schema:
    return _operation(
        "cancel",
        "Stop the generation that waits or runs; a second time changes nothing",
        {200: _json("Stopped: failed, with the code canceled", "Status")},
        {
            **_SESSION_FAILURES,
            **_BODY_FAILURES,
            409: "There is no generation, or it ended before it could be stopped.",
        },
        requestBody={**_json_body("CancelRequest"), "required": False},
    )


def _result() -> Schema:
    return _operation(
        "result",
        "The finished picture at the photo's full resolution",
        {
            200: {"description": "The picture", "content": {"image/png": {"schema": {}}}},
            304: {"description": "Unchanged since the ETag in If-None-Match"},
        },
        {**_SESSION_FAILURES, 422: "'generation' is not a whole number."},
        parameters=[
            {
                "name": "generation",
                "in": "query",
                "required": False,
                "description": "Number of a completed generation; the latest when absent.",
                "schema": {"type": "integer", "minimum": 1},
            }
        ],
    )


def _openapi() -> Schema:
    answer: Schema = {
        "description": "This document",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    return _operation("openapi", "This document", {200: answer}, {})
