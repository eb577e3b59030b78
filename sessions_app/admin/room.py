"""A session's page in the admin, gathered before the template: the photo with its overlay, and its generations.

The overlay is worked out only here, for one session at a time: it may wait for the photo's encoding. Whatever
keeps it from being drawn becomes a sentence on the page, never an error page: this is where staff look when
something is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imaging import ImagingError
from sessions_app.admin import markup
from sessions_app.admin.pictures import generation_url, photo_url, wallpaper_url
from sessions_app.errors import AppError
from sessions_app.models import Generation, Session
from sessions_app.services.masks import Overlay, overlay


@dataclass(frozen=True, slots=True)
class GenerationCard:
    """One generation with the addresses of its pictures (empty where there is none) and tables of its values."""

    row: Generation
    view_url: str
    full_url: str
    mask_url: str
    wallpaper_url: str
    timings: str
    placement: str
    versions: str


@dataclass(frozen=True, slots=True)
class Room:
    """What the page shows besides the row's fields.

    overlay: what is marked; None when nothing is, or when `overlay_message` says why it cannot be drawn.
    point_radius: of a drawn click, photo pixels.
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


def room_of(session: Session) -> Room:
    """Everything the session's page shows. Fails on nothing the product foresees."""
    message = ""
    marked = None
    try:
        marked = overlay(session)
    except (AppError, ImagingError) as error:
        message = error.user_message
    rows = session.generations.select_related("wallpaper").order_by("-number")
    return Room(
        photo_url=photo_url(session.pk),
        overlay=marked,
        overlay_message=message,
        clicks=session.history.clicks,
        point_radius=round(max(session.width, session.height) / 120, 1),
        wallpaper_url=wallpaper_url(session.wallpaper) if session.wallpaper else "",
        generations=[card_of(row) for row in rows],
    )


def card_of(row: Generation) -> GenerationCard:
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
