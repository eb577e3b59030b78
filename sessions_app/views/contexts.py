"""What the pages show, as template contexts: numbers become the words and strings of the page here.

`room_context` is everything the room's page needs; the fragments that htmx asks for take the same
context, so a page that was reloaded and a page that was updated piece by piece say the same.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from imaging import size_within
from sessions_app import catalogue
from sessions_app.errors import AppError, BadClick, NotFound, Unavailable
from sessions_app.models import Generation, Session, Wallpaper
from sessions_app.selectors import (
    GenerationStatus,
    all_generations,
    generation_status,
    recent_sessions,
    shown_status,
)
from sessions_app.services import overlays, previews, wallpapers
from sessions_app.visitors import visitor_of

EARLIER_RESULTS = 12
# Asked every second at first; who waits longer is asked less often.
PATIENT_AFTER_SECONDS = 30
READING_POLL_LIMIT_SECONDS = 600

STAGES = {
    "": "Starting",
    "starting": "Opening the photo",
    "loading": "Measuring the light",
    "pattern": "Measuring the light",
    "level": "Measuring the light",
    "rendering": "Placing the wallpaper",
    "waiting": "Waiting for the image service",
    "uploading": "Sending the picture to the image service",
    "diffusing": "The image service is at work",
    "fetching": "Fetching the picture",
    "light": "Placing the wallpaper",
    "sensor": "Placing the wallpaper",
    "sample": "Placing the wallpaper",
    "composite": "Smoothing the edges",
    "check": "Saving the picture",
}
MODES = {
    "tile": "Repeating pattern",
    "fit-height": "Mural, wall height",
    "fit-width": "Mural, wall width",
    "cover": "Mural, whole wall",
}
DROPS = {0.0: "Straight", 0.5: "Half drop"}
ROTATIONS = {0.0: "Upright", 90.0: "Sideways"}


@dataclass(frozen=True, slots=True)
class Point:
    """A click as drawn: `left` and `top` in per cent of the photo's box."""

    left: str
    top: str
    kind: str


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of several."""

    value: str
    title: str
    chosen: bool


def base_context() -> dict[str, Any]:
    """What the frame of every page needs."""
    return {
        "lifetime_days": settings.SESSION_LIFETIME_DAYS,
        "max_upload_bytes": settings.MAX_UPLOAD_BYTES,
        "max_upload_mb": settings.MAX_UPLOAD_BYTES // (1024 * 1024),
    }


def home_page(request: HttpRequest, *, error: AppError | None = None) -> TemplateResponse:
    """The start page, with a refusal in its alert when there was one."""
    context = {
        **base_context(),
        "error": error,
        "samples": catalogue.sample_rooms(),
        "recent": recent_sessions(visitor=visitor_of(request)),
    }
    return TemplateResponse(request, "home.html", context, status=error.status if error else 200)


def room_page(
    request: HttpRequest, session: Session, *, error: AppError | None = None
) -> TemplateResponse:
    """The room's page, with a refusal in its alert when there was one."""
    context = {**room_context(session), "error": error}
    return TemplateResponse(
        request, "session/page.html", context, status=error.status if error else 200
    )


def room_context(session: Session) -> dict[str, Any]:
    """Everything the room's page shows."""
    return {**base_context(), **_photo(session), **wall_context(session), **paper_context(session)}


def wall_context(session: Session, *, after_change: bool = False) -> dict[str, Any]:
    """What changes with a click: the overlay and all that follows from the mask.

    Args:
        after_change: the marks were just changed, and the row may be written to; a page only looks.
    """
    return {**_wall(session, after_change), **_picture(session)}


def paper_context(session: Session) -> dict[str, Any]:
    """What changes with the wallpaper; the mask is not computed for it."""
    return {**_papers(session), **_picture(session)}


def result_context(session: Session) -> dict[str, Any]:
    """The finished pictures beside the photo."""
    return {**_photo(session), **generation_context(session)}


def _picture(session: Session) -> dict[str, Any]:
    return {
        **generation_context(session),
        "preview_version": previews.preview_version(session),
    }


def photo_version(session: Session) -> str:
    """Names the photo's content in addresses."""
    return session.photo_digest[:16]


def _photo(session: Session) -> dict[str, Any]:
    width, height = size_within((session.width, session.height), settings.VIEW_MAX_SIDE_PX)
    return {
        "view_width": width,
        "view_height": height,
        "photo_version": photo_version(session),
    }


# --- the wall -------------------------------------------------------------------------------------


def _wall(session: Session, after_change: bool) -> dict[str, Any]:
    history = session.history
    overlay, trouble = None, None
    try:
        overlay = overlays.draw(session) if after_change else overlays.overlay(session)
    except (Unavailable, BadClick, NotFound) as error:
        trouble = error  # the page must come up even so, and say it
    suggestion = overlay.suggestion if overlay else None
    return {
        "history": history,
        "can_clear": bool(history.clicks or history.is_auto or session.uploaded_mask_key),
        "overlay": overlay,
        "masking_error": trouble,
        "share_percent": _percent(overlay.share) if overlay else "",
        "points": [_point(session, *click) for click in history.clicks],
        "suggestion": _point(session, *suggestion) if suggestion else None,
    }


def _point(session: Session, x: float, y: float, label: int) -> Point:
    return Point(
        left=f"{(x + 0.5) / session.width * 100:.4f}",
        top=f"{(y + 0.5) / session.height * 100:.4f}",
        kind="include" if label else "exclude",
    )


def _percent(share: float) -> str:
    percent = share * 100
    return f"{percent:.1f}" if 0 < percent < 10 else f"{percent:.0f}"


def plain(number: float) -> str:
    """A number as a person writes it: no trailing zeros, at most two decimals."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


# --- the wallpaper --------------------------------------------------------------------------------


def _papers(session: Session) -> dict[str, Any]:
    brought = session.wallpapers.exclude(source=Wallpaper.Source.DESIGN).order_by("-created_at")
    return {
        "designs": catalogue.designs(),
        "kept_papers": list(brought),
        "placement": _placement(session) if session.wallpaper else None,
    }


def _placement(session: Session) -> dict[str, Any]:
    placement = wallpapers.current_placement(session)
    return {
        "repeat_width_cm": plain(placement.repeat_width_m * 100),
        "drops": _options(DROPS, placement.drop, "Custom"),
        "rotations": _options(ROTATIONS, placement.rotation_deg, f"{placement.rotation_deg:g}°"),
        "modes": [Option(mode, title, mode == placement.mode) for mode, title in MODES.items()],
        "origin_x_cm": plain(placement.origin_m[0] * 100),
        "origin_y_cm": plain(placement.origin_m[1] * 100),
        "brightness": plain(wallpapers.brightness(session)),
        "keep_shadows": plain(wallpapers.keep_shadows(session)),
        "mirror": placement.mirror,
        "seams": placement.seams,
        "strip_width_cm": plain(placement.strip_width_m * 100),
    }


def _options(titles: dict[float, str], chosen: float, other: str) -> list[Option]:
    """The usual choices, and the one in force when it is none of them."""
    values = titles if chosen in titles else {**titles, chosen: other}
    return [Option(f"{value:g}", title, value == chosen) for value, title in values.items()]


# --- the picture ----------------------------------------------------------------------------------


def generation_context(session: Session) -> dict[str, Any]:
    """How the newest generation stands, and the finished pictures."""
    generations = all_generations(session)
    latest = generations[0] if generations else None
    status = generation_status(latest) if latest else None
    results = [one for one in generations if one.state == Generation.State.COMPLETED]
    is_active = latest is not None and latest.is_active
    if session.status in Generation.ACTIVE and not is_active:
        # It ended after the session was read: the page would say "Generating" and never ask again.
        session.refresh_from_db(fields=["status", "attempts_left"])
    session.status = shown_status(session)
    # The same until this generation has ended: a double click, a second tab and a page kept open
    # all ask for the same picture, and get one.
    number = (latest.number if latest else 0) + (0 if is_active else 1)
    return {
        "session": session,
        "is_active": is_active,
        "is_stopped": _is_stopped(session, latest),
        "active_number": latest.number if latest and is_active else None,
        "status_text": _status_text(session, latest),
        "status_detail": _status_detail(latest, status),
        "progress": status.progress if status and is_active else None,
        "poll_every": _poll_every(session, status if is_active else None),
        "request_key": str(uuid.uuid5(session.pk, f"generation {number}")),
        "attempts_total": settings.ATTEMPTS_PER_SESSION,
        "completed_number": results[0].number if results else 0,
        "latest_result": results[0] if results else None,
        "earlier_results": results[1 : EARLIER_RESULTS + 1],
    }


def _is_stopped(session: Session, latest: Generation | None) -> bool:
    """True when the failure that the session tells of is the visitor's own wish."""
    return session.status == Session.Status.FAILED and latest is not None and latest.is_canceled


def _status_text(session: Session, latest: Generation | None) -> str:
    status = session.status
    if status == Session.Status.NEW:
        return "Reading the photo…"
    if status == Session.Status.QUEUED:
        return "Queued"
    if status == Session.Status.GENERATING:
        return "Generating…"
    if status == Session.Status.COMPLETED:
        return "Completed"
    if status == Session.Status.FAILED:
        return "Stopped" if _is_stopped(session, latest) else "Failed"
    if not session.has_mask:
        return "Click the wall to begin"
    return "Choose a wallpaper" if session.wallpaper is None else "Ready to generate"


def _status_detail(latest: Generation | None, status: GenerationStatus | None) -> str:
    if latest is None or status is None:
        return ""
    if status.state == Generation.State.QUEUED:
        waited = f"{status.waited_seconds:.0f} s"
        if status.waiting_for_worker:
            return (
                f"No worker is running at the moment. Your picture stays in the queue ({waited})."
            )
        if status.ahead:
            pictures = "1 picture" if status.ahead == 1 else f"{status.ahead} pictures"
            return f"{pictures} ahead of yours · {waited}"
        return f"You are next · {waited}"
    if status.state == Generation.State.GENERATING:
        return f"{STAGES.get(status.stage, 'Working')} · {status.worked_seconds:.0f} s"
    if status.state == Generation.State.FAILED:
        returned = " Your attempt was returned." if status.attempt_returned else ""
        message = status.error_message
        return message if "attempt" in message else message + returned
    return f"Made in {status.worked_seconds:.1f} s"


def _poll_every(session: Session, active: GenerationStatus | None) -> str:
    """How often the page asks again; empty when there is nothing to wait for."""
    if active is not None:
        elapsed = active.waited_seconds + active.worked_seconds
    elif session.status == Session.Status.NEW:
        elapsed = (timezone.now() - session.created_at).total_seconds()
        if elapsed > READING_POLL_LIMIT_SECONDS:
            return ""
    else:
        return ""
    return "3s" if elapsed > PATIENT_AFTER_SECONDS else "1s"
