"""The endpoints: read the request, call the service the pages call, show the outcome as JSON.

A session is reached by its id alone, and only one that the API made: the id is 128 random bits and
is the secret. A session made in a browser belongs to that browser and does not exist here.

A view's docstring is its operation's summary in `/v1/openapi.json`, its name the operation's id.
"""

from __future__ import annotations

from typing import Annotated, Final

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from ninja import File, Header, Path, Query, Status, UploadedFile
from ninja.decorators import decorate_view
from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from sessions_app import selectors, storage
from sessions_app.api import generation_requests, presenters, responses
from sessions_app.api.bodies import (
    MAX_KEY_CHARACTERS,
    CancelRequest,
    ClicksRequest,
    GenerateRequest,
    described,
    request_key,
)
from sessions_app.api.endpoint import api
from sessions_app.api.openapi import BODY_FAILURES, SESSION_FAILURES, document, documented
from sessions_app.api.parsing import one_photo
from sessions_app.catalogue import designs
from sessions_app.errors import BadRequest
from sessions_app.models import Session
from sessions_app.services import clicking, generations, overlays, retention, uploads

READ: Final = ["GET", "HEAD"]
SESSION: Final = "/sessions/{uuid:session_id}"
LATEST: Final = CancelRequest()
BOTH_FAILURES: Final = SESSION_FAILURES | BODY_FAILURES


def _whole_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise BadRequest("'generation' must be a whole number.", code="bad_generation")
    return int(text)


# Found before the body is looked at: whoever does not know a session is told nothing else.
TheSession = Annotated[
    Session,
    PlainValidator(lambda session_id: selectors.api_session(session_id=session_id)),
    WithJsonSchema({"type": "string", "format": "uuid"}),
    Path(..., alias="session_id"),
]
Photo = Annotated[UploadedFile, File(..., description="JPEG, PNG, WebP, HEIC or AVIF.")]
GenerationNumber = Annotated[
    int | None,
    BeforeValidator(_whole_number),
    WithJsonSchema({"type": "integer", "minimum": 1}),
    Query(None, description="Number of a completed generation; the latest when absent."),
]
IdempotencyKey = Annotated[
    str, described(maxLength=MAX_KEY_CHARACTERS), Header("", alias="Idempotency-Key")
]

_CREATED: Final = documented(
    201,
    "The session; its photo is being encoded in the background",
    responses.Session,
    BODY_FAILURES,
)
_STATUS: Final = documented(200, "Where the session stands", responses.Status, SESSION_FAILURES)
_DELETED: Final = documented(
    204, "Deleted", None, SESSION_FAILURES | {409: "A generation is in progress."}
)
_CLICKS: Final = documented(200, "The points and their mask", responses.Clicks, SESSION_FAILURES)
_CLICKS_REPLACED: Final = documented(
    200,
    "The points and their mask",
    responses.Clicks,
    BOTH_FAILURES
    | {409: "Other requests kept changing the points at the same moment; send them again."},
)
_QUEUED: Final = documented(
    202,
    "Queued; poll status_url",
    responses.Generation,
    BOTH_FAILURES
    | {
        403: "No attempts left.",
        409: "No wall is marked, no wallpaper is chosen, or a generation is in progress.",
    },
)
_STOPPED: Final = documented(
    200,
    "Stopped: failed, with the code canceled",
    responses.Status,
    BOTH_FAILURES | {409: "There is no generation, or it ended before it could be stopped."},
)
_PICTURE: Final = documented(
    200,
    "The picture",
    {"image/png": {}},
    SESSION_FAILURES
    | {
        304: "Unchanged since the ETag in If-None-Match",
        422: "'generation' is not a whole number.",
    },
)


@api.post("/sessions/create", url_name="api-create", **_CREATED)
@decorate_view(one_photo)
def create_session(
    request: HttpRequest, response: HttpResponse, file: Photo
) -> Status[responses.Session]:
    """Begin a session with a photo."""
    session = uploads.create_session(data=bytes(file.read()), source=Session.Source.API)
    shown = presenters.session_object(request, session)
    response.headers["Location"] = shown.links.self
    return Status(201, shown)


@api.api_operation(READ, SESSION, url_name="api-session", **_STATUS)
def session_status(request: HttpRequest, session: TheSession) -> responses.Status:
    """The same as its status."""
    return presenters.status_object(request, session)


@api.delete(SESSION, url_name="api-session", **_DELETED)
def delete_session(request: HttpRequest, session: TheSession) -> HttpResponseBase:
    """Delete the session, its photo and its results now."""
    retention.purge_session(session_id=session.pk)
    return HttpResponse(status=204)


@api.api_operation(READ, SESSION + "/clicks", url_name="api-clicks", **_CLICKS)
def show_clicks(request: HttpRequest, session: TheSession) -> responses.Clicks:
    """The points in force and their mask."""
    return presenters.clicks_object(session)


@api.post(SESSION + "/clicks", url_name="api-clicks", **_CLICKS_REPLACED)
def replace_clicks(
    request: HttpRequest, session: TheSession, asked: ClicksRequest
) -> responses.Clicks:
    """Replace all points; the answer brings the mask they make."""
    session = clicking.replace_clicks(
        session_id=session.pk, clicks=tuple(asked.points), scope=asked.scope
    )
    overlays.draw(session)
    return presenters.clicks_object(session)


@api.post(SESSION + "/generate", url_name="api-generate", **_QUEUED)
def generate(
    request: HttpRequest,
    response: HttpResponse,
    session: TheSession,
    asked: GenerateRequest,
    header_key: IdempotencyKey,
) -> Status[responses.Generation]:
    """Queue a generation of the marked wall with a wallpaper."""
    generation_requests.refuse_two_wallpapers(asked)
    key = request_key(asked, header_key) or generation_requests.key_of(session, request.body)
    generation = generation_requests.generation_for(session, asked, key=key)
    shown = presenters.generation_object(request, generation)
    response.headers["Location"] = shown.status_url
    return Status(202, shown)


@api.post(SESSION + "/cancel", url_name="api-cancel", **_STOPPED)
def cancel(
    request: HttpRequest, session: TheSession, asked: CancelRequest = LATEST
) -> responses.Status:
    """Stop the generation that waits or runs; a second time changes nothing."""
    generation = generation_requests.to_cancel(session, asked.generation)
    generations.cancel_generation(generation_id=generation.pk)
    session.refresh_from_db()
    return presenters.status_object(request, session)


@api.api_operation(READ, SESSION + "/status", url_name="api-status", **_STATUS)
def status(request: HttpRequest, session: TheSession) -> responses.Status:
    """Where the session stands; poll about once a second."""
    return presenters.status_object(request, session)


@api.api_operation(READ, SESSION + "/result.png", url_name="api-result", **_PICTURE)
def result(
    request: HttpRequest, session: TheSession, generation: GenerationNumber
) -> HttpResponseBase:
    """The finished picture at the photo's full resolution."""
    done = generation_requests.completed(session, generation)
    etag = quote_etag(done.result_digest)
    unchanged = get_conditional_response(request, etag=etag)
    response = unchanged or FileResponse(
        storage.open_object(done.result_key), content_type="image/png"
    )
    response.headers["ETag"] = etag
    name = f"wallpaper-{str(session.pk)[:8]}-{done.number}.png"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    # With the generation's number the picture never changes; without, it is the latest.
    lifetime = "no-cache" if generation is None else "max-age=86400, immutable"
    response.headers["Cache-Control"] = f"private, {lifetime}"
    return response


@api.api_operation(
    READ,
    "/wallpapers",
    url_name="api-wallpapers",
    **documented(200, "The designs", responses.Designs),
)
def wallpapers(request: HttpRequest) -> responses.Designs:
    """The built-in designs."""
    return responses.Designs(
        wallpapers=[presenters.design_object(request, one) for one in designs()]
    )


@api.api_operation(
    READ,
    "/openapi.json",
    url_name="api-openapi",
    **documented(200, "This document", {"application/json": {"type": "object"}}),
)
def openapi(request: HttpRequest) -> HttpResponseBase:
    """This document."""
    return JsonResponse(document(api, server=request.build_absolute_uri("/v1")))
