"""Rows as the JSON that `/v1/openapi.json` describes. Reads only; every address in an answer is absolute."""

from __future__ import annotations

import base64
from typing import Any, Final

import cv2
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from imaging import size_within
from imaging.types import Mask
from sessions_app import selectors
from sessions_app.api.errors import error_object
from sessions_app.catalogue import Design
from sessions_app.errors import AppError
from sessions_app.models import Generation, Session, Wallpaper
from sessions_app.services import masks, overlays

# A mask is for drawing over the photo and for editing; 2048 px is beyond any screen the photo is shown on,
# and as a PNG (0 and 255 nearly everywhere) some tens of kilobytes.
MASK_MAX_SIDE_PX: Final = 2048


def links(request: HttpRequest, session: Session) -> dict[str, str]:
    """Where to go on with this session."""

    def absolute(name: str) -> str:
        return request.build_absolute_uri(reverse(f"api-{name}", kwargs={"session_id": session.pk}))

    return {
        "self": absolute("session"),
        "clicks": absolute("clicks"),
        "generate": absolute("generate"),
        "cancel": absolute("cancel"),
        "status": absolute("status"),
        "result": absolute("result"),
    }


def session_object(request: HttpRequest, session: Session) -> dict[str, Any]:
    """What is known of a session besides its generations."""
    return {
        "session_id": str(session.pk),
        "status": session.status,
        "width": session.width,
        "height": session.height,
        "attempts_left": session.attempts_left,
        "created_at": session.created_at.isoformat(),
        "expires_at": session.expires_at.isoformat(),
        "links": links(request, session),
    }


def clicks_object(session: Session) -> dict[str, Any]:
    """The clicks in force and the mask they make.

    Raises:
        Unavailable: the weights or the store are away.
    """
    mask = mask_object(session)
    session.refresh_from_db(fields=["status"])  # the mask may have waited for the photo's encoding
    return {
        "session_id": str(session.pk),
        "status": session.status,
        "width": session.width,
        "height": session.height,
        "points": [list(click) for click in session.history.clicks],
        "scope": session.history.scope,
        "attempts_left": session.attempts_left,
        "mask": mask,
    }


def mask_object(session: Session) -> dict[str, Any] | None:
    """The mask as an outline and as a picture; None when nothing is marked."""
    overlay = overlays.draw(session)
    if overlay is None:
        return None
    width, height = size_within((session.width, session.height), MASK_MAX_SIDE_PX)
    return {
        "svg_path": overlay.path,
        "view_box": overlay.view_box,
        "png": png_data_url(masks.pixels(session, size=(width, height))),
        "png_width": width,
        "png_height": height,
        "area": overlay.share,
        "score": overlay.score,
        "doubt": overlay.doubt,
        "warning": overlay.warning,
        "suggestion": None if overlay.suggestion is None else list(overlay.suggestion),
    }


def png_data_url(mask: Mask) -> str:
    """The mask as a grey 8-bit PNG in a data URL."""
    encoded = cv2.imencode(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1]
    return "data:image/png;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def generation_object(request: HttpRequest, generation: Generation) -> dict[str, Any]:
    """The answer to a request for a generation."""
    session = generation.session
    return {
        "session_id": str(session.pk),
        "generation": generation.number,
        "request_key": generation.request_key,
        "status": session.status,
        "backend": generation.backend,
        "wallpaper": wallpaper_object(generation.wallpaper),
        "attempts_left": session.attempts_left,
        "status_url": links(request, session)["status"],
    }


def status_object(request: HttpRequest, session: Session) -> dict[str, Any]:
    """Where the session stands, with its latest generation's progress, result or failure."""
    generations = selectors.all_generations(session)
    completed = [one for one in generations if one.state == Generation.State.COMPLETED]
    return {
        **session_object(request, session),
        "clicks": len(session.history.clicks),
        "has_mask": session.has_mask,
        "wallpaper": None if session.wallpaper is None else wallpaper_object(session.wallpaper),
        **_progress(request, generations[0] if generations else None),
        "results": [
            {"generation": done.number, "url": result_url(request, done)}
            for done in reversed(completed)
        ],
    }


def _progress(request: HttpRequest, latest: Generation | None) -> dict[str, Any]:
    """The part of a status that speaks of the latest generation; nulls where there is none yet."""
    if latest is None:
        return {
            "generation": None,
            "stage": None,
            "progress": None,
            "waited_seconds": None,
            "worked_seconds": None,
            "waiting_for_worker": False,
            "ahead": None,
            "result_url": None,
            "error": None,
        }
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


def _failure(generation: Generation) -> dict[str, str] | None:
    """Why a generation failed, in the shape of every error; None when it did not."""
    if generation.state != Generation.State.FAILED:
        return None
    return error_object(AppError(generation.error_message, code=generation.error_code))


def result_url(request: HttpRequest, generation: Generation) -> str:
    """Where a completed generation's picture is; names the generation, so that it never changes."""
    path = reverse("api-result", kwargs={"session_id": generation.session_id})
    return request.build_absolute_uri(f"{path}?generation={generation.number}")


def wallpaper_object(wallpaper: Wallpaper) -> dict[str, Any]:
    """A wallpaper of a session; its id can be sent again in place of a link."""
    return {
        "id": str(wallpaper.pk),
        "source": wallpaper.source,
        "design": wallpaper.design or None,
        "title": wallpaper.title,
        "width": wallpaper.width,
        "height": wallpaper.height,
        "repeat_width_m": wallpaper.repeat_width_m,
    }


def design_object(request: HttpRequest, design: Design) -> dict[str, Any]:
    """A built-in design."""
    return {
        "slug": design.slug,
        "title": design.title,
        "description": design.description,
        "repeat_width_m": design.repeat_width_m,
        "repeat_height_m": design.repeat_height_m,
        "drop": design.drop,
        "colours": list(design.colours),
        "keywords": list(design.keywords),
        "width": design.width,
        "height": design.height,
        "picture_url": request.build_absolute_uri(static(design.file)),
        "thumbnail_url": request.build_absolute_uri(static(design.thumb)),
    }
