"""What a session's page in the admin shows: the photo with its overlay, and the generations.

The overlay is computed only here, for one session at a time: it may wait for the photo's encoding.
If it cannot be drawn, the page says why in a sentence: staff look here when something is broken, so
this must not be an error page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessions_app.admin import markup
from sessions_app.admin.pictures import generation_url, photo_url, wallpaper_url
from sessions_app.errors import AppError
from sessions_app.models import Generation, Session
from sessions_app.services.overlays import Overlay, overlay


@dataclass(frozen=True, slots=True)
class GenerationCard:
    """One generation with the addresses of its pictures (empty where there is none) and tables of
    its values.
    """

    row: Generation
    view_url: str
    full_url: str
    mask_url: str
    wallpaper_url: str
    timings: str
    placement: str
    versions: str


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """What the page shows besides the fields of the row.

    overlay: the marked wall; None when nothing is marked, or when `overlay_message` says why it
    cannot be drawn. point_radius: radius of a drawn click, in photo pixels.
    """

    photo_url: str
    overlay: Overlay | None
    overlay_message: str
    clicks: Sequence[tuple[float, float, int]]
    point_radius: float
    wallpaper_url: str
    generations: Sequence[GenerationCard]

    @property
    def last(self) -> GenerationCard | None:
        """The newest generation."""
        return self.generations[0] if self.generations else None


def session_detail(session: Session) -> SessionDetail:
    """Everything that the session's page shows; an overlay that fails is a message, not an
    exception.
    """
    message = ""
    marked = None
    try:
        marked = overlay(session)
    except AppError as error:
        message = error.user_message
    rows = session.generations.select_related("wallpaper").order_by("-number")
    return SessionDetail(
        photo_url=photo_url(session.pk),
        overlay=marked,
        overlay_message=message,
        clicks=session.history.clicks,
        point_radius=round(max(session.width, session.height) / 120, 1),
        wallpaper_url=wallpaper_url(session.wallpaper) if session.wallpaper else "",
        generations=[generation_card(row) for row in rows],
    )


def generation_card(row: Generation) -> GenerationCard:
    """A generation with the addresses of its pictures."""
    return GenerationCard(
        row=row,
        view_url=generation_url(row, "result-view"),
        full_url=generation_url(row, "result"),
        mask_url=generation_url(row, "mask"),
        wallpaper_url=wallpaper_url(row.wallpaper),
        timings=markup.values(row.timings),
        placement=markup.values(row.placement),
        versions=markup.values(row.versions),
    )
