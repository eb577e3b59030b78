"""Rows as the answers that `sessions_app.api.responses` describes. Reads only; every address is
absolute.
"""

from __future__ import annotations

import base64
from typing import Any, Final, TypeVar

import cv2
from django.http import HttpRequest
from django.templatetags.static import static

from imaging import size_within
from imaging.types import Mask
from sessions_app import selectors
from sessions_app.api import key_header, responses
from sessions_app.catalogue import Design
from sessions_app.errors import AppError
from sessions_app.models import Generation, Session, Wallpaper
from sessions_app.services import masks, overlays

# A mask is for drawing over the photo and for editing; 2048 px is beyond any screen the photo is
# shown on, and as a PNG (0 and 255 nearly everywhere) some tens of kilobytes.
MASK_MAX_SIDE_PX: Final = 2048

A = TypeVar("A", bound=responses.Answer)


def _of(row: object, answer: type[A], **others: Any) -> A:
    """The answer whose fields are the row's of the same names, but for `others`."""
    shared = {name: getattr(row, name) for name in answer.model_fields if hasattr(row, name)}
    return answer(**shared | others)


def links(request: HttpRequest, session: Session) -> responses.Links:
    """Where to go on with this session."""
    names = ("clicks", "generate", "cancel", "status", "result")
    own = {"self": key_header.address(request, "session", session.pk)}
    others = {name: key_header.address(request, name, session.pk) for name in names}
    return responses.Links(**own, **others)


def session_object(request: HttpRequest, session: Session) -> responses.Session:
    """What is known of a session besides its generations."""
    return _of(session, responses.Session, session_id=session.pk, links=links(request, session))


def clicks_object(session: Session) -> responses.Clicks:
    """The clicks in force and the mask they make.

    Raises:
        Unavailable: the weights or the store are away.
    """
    mask = mask_object(session)
    session.refresh_from_db(fields=["status"])  # the mask may have waited for the photo's encoding
    session.status = selectors.shown_status(session)
    history = session.history
    return _of(
        session,
        responses.Clicks,
        session_id=session.pk,
        points=history.clicks,
        scope=history.scope,
        mask=mask,
    )


def mask_object(session: Session) -> responses.Mask | None:
    """The mask as an outline and as a picture; None when nothing is marked."""
    overlay = overlays.overlay(session)
    if overlay is None:
        return None
    width, height = size_within((session.width, session.height), MASK_MAX_SIDE_PX)
    return _of(
        overlay,
        responses.Mask,
        svg_path=overlay.path,
        png=png_data_url(masks.pixels(session, size=(width, height))),
        png_width=width,
        png_height=height,
        area=overlay.share,
    )


def png_data_url(mask: Mask) -> str:
    """The mask as a grey 8-bit PNG in a data URL."""
    encoded = cv2.imencode(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1]
    return "data:image/png;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def generation_object(request: HttpRequest, generation: Generation) -> responses.Generation:
    """The answer to a request for a generation."""
    session = generation.session
    return _of(
        generation,
        responses.Generation,
        generation=generation.number,
        status=session.status,
        wallpaper=wallpaper_object(generation.wallpaper),
        attempts_left=session.attempts_left,
        status_url=links(request, session).status,
    )


def status_object(request: HttpRequest, session: Session) -> responses.Status:
    """Where the session stands, with its latest generation's progress, result or failure."""
    generations = selectors.all_generations(session)
    session.status = selectors.shown_status(session)
    completed = [one for one in generations if one.state == Generation.State.COMPLETED]
    return _of(
        session,
        responses.Status,
        session_id=session.pk,
        links=links(request, session),
        clicks=len(session.history.clicks),
        wallpaper=None if session.wallpaper is None else wallpaper_object(session.wallpaper),
        **_progress(request, generations[0] if generations else None),
        results=[
            responses.Result(generation=done.number, url=result_url(request, done))
            for done in reversed(completed)
        ],
    )


def _progress(request: HttpRequest, latest: Generation | None) -> dict[str, Any]:
    """The part of a status that speaks of the latest generation; what is absent is null."""
    if latest is None:
        return {"waiting_for_worker": False}
    status = selectors.generation_status(latest)
    completed = latest.state == Generation.State.COMPLETED
    return {
        "generation": latest.number,
        "stage": status.stage or None,
        "progress": status.progress,
        "waited_seconds": status.waited_seconds,
        "worked_seconds": status.worked_seconds,
        "waiting_for_worker": status.waiting_for_worker,
        "ahead": status.ahead,
        "result_url": result_url(request, latest) if completed else None,
        "error": _failure(latest),
    }


def _failure(generation: Generation) -> responses.ErrorObject | None:
    """Why a generation failed, in the shape of every error; None when it did not."""
    if generation.state != Generation.State.FAILED:
        return None
    return responses.ErrorObject(
        code=generation.error_code or AppError.code, message=generation.error_message
    )


def result_url(request: HttpRequest, generation: Generation) -> str:
    """Where a completed generation's picture is; names the generation, so that it never changes."""
    picture = key_header.address(request, "result", generation.session_id)
    return f"{picture}?generation={generation.number}"


def wallpaper_object(wallpaper: Wallpaper) -> responses.Wallpaper:
    """A wallpaper of a session; its id can be sent again in place of a link."""
    return _of(wallpaper, responses.Wallpaper, design=wallpaper.design or None)


def design_object(request: HttpRequest, design: Design) -> responses.Design:
    """A built-in design."""
    return _of(
        design,
        responses.Design,
        picture_url=request.build_absolute_uri(static(design.file)),
        thumbnail_url=request.build_absolute_uri(static(design.thumb)),
    )
