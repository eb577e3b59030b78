"""The endpoints: read the request, call the service the pages call, show the outcome as JSON.

A session is reached by its id alone, and only one that the API made: the id is 128 random bits and is the
secret. A session made in a browser belongs to that browser and does not exist here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from sessions_app import selectors, storage
from sessions_app.api import bodies, presenters
from sessions_app.api.endpoint import endpoint
from sessions_app.api.errors import BadBody
from sessions_app.api.openapi import document
from sessions_app.catalogue import designs
from sessions_app.errors import BadRequest, NotFound, WrongState
from sessions_app.models import Generation, Session
from sessions_app.services import clicking, generations, retention, uploads
from sessions_app.services import wallpapers as papers
from sessions_app.services.session_lock import session_lock
from sessions_app.services.wallpapers import MAX_LINK_LENGTH

GENERATE_FIELDS: Final = frozenset(
    {"wallpaper_url", "wallpaper", "mask", "placement", "request_key"}
)
PLACEMENT_KEYS: Final[dict[str, type]] = {
    "repeat_width_m": float,
    "origin_x_m": float,
    "origin_y_m": float,
    "rotation_deg": float,
    "drop": float,
    "mirror": bool,
    "mode": str,
    "seams": bool,
    "strip_width_m": float,
    "brightness": float,
    "keep_shadows": float,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for a generation asks for, its shape checked.

    wallpaper: a design's slug or the id of a wallpaper the session has. url: a link to a wallpaper. Both empty:
    the wallpaper chosen before. mask: bytes of a PNG, None for the clicks'. placement: the keys to change.
    """

    wallpaper: str
    url: str
    mask: bytes | None
    placement: dict[str, Any]


def _create(request: HttpRequest) -> HttpResponseBase:
    data = bodies.uploaded_file(request, "file")
    session = uploads.create_session(data=data, source=Session.Source.API)
    shown = presenters.session_object(request, session)
    return JsonResponse(shown, status=201, headers={"Location": shown["links"]["self"]})


def _status(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    session = selectors.api_session(session_id=session_id)
    return JsonResponse(presenters.status_object(request, session))


def _delete(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    del request
    session = selectors.api_session(session_id=session_id)
    retention.purge_session(session_id=session.pk)
    return HttpResponse(status=204)


def _replace_clicks(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    session = selectors.api_session(session_id=session_id)
    body = bodies.json_body(
        request, fields=frozenset({"points", "scope"}), max_bytes=bodies.MAX_CLICKS_BODY_BYTES
    )
    session = clicking.replace_clicks(
        session_id=session.pk,
        clicks=bodies.points_field(body),
        scope=bodies.scope_field(body),
    )
    return JsonResponse(presenters.clicks_object(session))


def _show_clicks(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    del request
    session = selectors.api_session(session_id=session_id)
    return JsonResponse(presenters.clicks_object(session))


def _generate(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    session = selectors.api_session(session_id=session_id)
    limit = bodies.max_mask_characters() + bodies.MIB
    body = bodies.json_body(request, fields=GENERATE_FIELDS, max_bytes=limit)
    asked = _asked(body)
    key = bodies.request_key(request, body) or _key_of(session, request.body)
    generation = session.generations.filter(request_key=key).first()
    if generation is None:
        with session_lock(session):
            _refuse_a_second(session)
            generations.check_can_ask(session, brings_mask=asked.mask is not None)
            _apply(session, asked)
            generation = generations.request_generation(session_id=session.pk, request_key=key)
            if generation.request_key != key:  # a page's request was faster, after the check above
                raise _in_progress(generation)
    generation = session.generations.select_related("session", "wallpaper").get(pk=generation.pk)
    shown = presenters.generation_object(request, generation)
    return JsonResponse(shown, status=202, headers={"Location": shown["status_url"]})


def _cancel(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    session = selectors.api_session(session_id=session_id)
    number = None
    if request.body:
        fields = frozenset({"generation"})
        body = bodies.json_body(request, fields=fields, max_bytes=bodies.KIB)
        number = bodies.count_field(body, "generation")
    found = session.generations.order_by("-number")
    generation = (found if number is None else found.filter(number=number)).first()
    if generation is None and number is not None:
        raise BadRequest(f"This session has no generation {number}.", code="unknown_generation")
    if generation is None:
        raise WrongState("This session has no generation to cancel.", code="not_in_progress")
    generations.cancel_generation(generation_id=generation.pk)
    session.refresh_from_db()
    return JsonResponse(presenters.status_object(request, session))


def _asked(body: bodies.Body) -> Asked:
    """The request's fields.

    Raises:
        BadBody: one has the wrong shape, or the wallpaper is named twice.
    """
    asked = Asked(
        wallpaper=bodies.text_field(body, "wallpaper", limit=60),
        url=bodies.text_field(body, "wallpaper_url", limit=MAX_LINK_LENGTH),
        mask=bodies.mask_field(body),
        placement=bodies.placement_field(body, known=PLACEMENT_KEYS),
    )
    if asked.wallpaper and asked.url:
        raise BadBody("Give 'wallpaper' or 'wallpaper_url', not both.", code="two_wallpapers")
    return asked


def _key_of(session: Session, body: bytes) -> str:
    """The key of a request that brings none: the same body counts as the same request until it has ended.

    So a client that repeats a request after a lost answer spends one attempt, and one that asks again after the
    result is there gets another generation.
    """
    ended = session.generations.exclude(state__in=Generation.ACTIVE).count()
    return "body-" + hashlib.sha256(b"%d:%b" % (ended, body)).hexdigest()[:40]


def _refuse_a_second(session: Session) -> None:
    """A page shows the generation in progress; a program asked for this one, and must not be told another's.

    Raises:
        WrongState: one is in progress. Nothing was changed.
    """
    active = session.generations.filter(state__in=Generation.ACTIVE).first()
    if active is not None:
        raise _in_progress(active)


def _in_progress(generation: Generation) -> WrongState:
    return WrongState(
        f"Generation {generation.number} of this session is in progress; wait for it to end.",
        code="generation_in_progress",
    )


def _apply(session: Session, asked: Asked) -> None:
    """Make the request's wallpaper, mask and placement the session's.

    Raises:
        AppError: the service's refusal of any of them.
    """
    if asked.url:
        papers.choose_link(session_id=session.pk, url=asked.url)
    elif asked.wallpaper:
        _choose_named(session, asked.wallpaper)
    if asked.placement:
        papers.set_placement(session_id=session.pk, placement=asked.placement)
    if asked.mask is not None:  # last: it cannot be taken back
        clicking.use_mask(session_id=session.pk, data=asked.mask)


def _choose_named(session: Session, name: str) -> None:
    """Choose a design by its slug, or a wallpaper of the session by its id.

    Raises:
        BadRequest: there is neither. (Not 404: that would say the session is gone.)
    """
    try:
        wallpaper_id = UUID(name)
    except ValueError:
        wallpaper_id = None
    try:
        if wallpaper_id is not None:
            papers.choose_kept(session_id=session.pk, wallpaper_id=wallpaper_id)
        else:
            papers.choose_design(session_id=session.pk, slug=name)
    except NotFound as error:
        raise BadRequest(
            "'wallpaper' is neither a built-in design nor a wallpaper of this session.",
            code="unknown_wallpaper",
        ) from error


def _result(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    session = selectors.api_session(session_id=session_id)
    number = _asked_number(request)
    generation = _completed(session, number)
    etag = quote_etag(generation.result_digest)
    unchanged = get_conditional_response(request, etag=etag)
    response = unchanged or FileResponse(
        storage.open_object(generation.result_key), content_type="image/png"
    )
    response.headers["ETag"] = etag
    name = f"wallpaper-{str(session.pk)[:8]}-{generation.number}.png"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    # With the generation's number the picture never changes; without, it is the latest.
    lifetime = "no-cache" if number is None else "max-age=86400, immutable"
    response.headers["Cache-Control"] = f"private, {lifetime}"
    return response


def _asked_number(request: HttpRequest) -> int | None:
    """The generation asked for in the address, None for the latest.

    Raises:
        BadRequest: not a whole number.
    """
    text = request.GET.get("generation")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise BadRequest("'generation' must be a whole number.", code="bad_generation")
    return int(text)


def _completed(session: Session, number: int | None) -> Generation:
    """The completed generation of that number, or the latest completed one.

    Raises:
        NotFound: there is none.
    """
    found = session.generations.filter(state=Generation.State.COMPLETED)
    if number is not None:
        found = found.filter(number=number)
    generation = found.order_by("-number").first()
    if generation is None:
        raise NotFound("There is no result yet.", code="no_result")
    return generation


def _wallpapers(request: HttpRequest) -> HttpResponseBase:
    shown = [presenters.design_object(request, design) for design in designs()]
    return JsonResponse({"wallpapers": shown})


def _openapi(request: HttpRequest) -> HttpResponseBase:
    return JsonResponse(document(server=request.build_absolute_uri("/v1")))


sessions_create = endpoint(post=_create)
session_itself = endpoint(get=_status, delete=_delete)
status = endpoint(get=_status)
clicks = endpoint(get=_show_clicks, post=_replace_clicks)
generate = endpoint(post=_generate)
cancel = endpoint(post=_cancel)
result = endpoint(get=_result)
wallpapers = endpoint(get=_wallpapers)
openapi = endpoint(get=_openapi)
