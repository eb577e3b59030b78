"""A session's wallpapers: built-in designs, uploads, links; and how they lie on the wall."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from imaging import (
    encode_stored_photo,
    encode_view,
    fit_within,
    read_stored,
    read_wallpaper,
)
from imaging.fetch import FetchPolicy, fetch_image
from imaging.types import Pixels
from rendering import Placement
from rendering.placement import ROLL_M
from sessions_app import storage
from sessions_app.catalogue import STATIC_DIR, design
from sessions_app.error_translation import reading_stored, translated
from sessions_app.errors import BadLink, BadRequest, BadUpload, NotFound, WrongState
from sessions_app.inference.limits import decode_limit, link_limit
from sessions_app.models import Session, Wallpaper
from sessions_app.services.transitions import prolong
from sessions_app.storage import keys

logger = logging.getLogger(__name__)

MAX_LINK_LENGTH = 2000  # characters

# The usual roll is 53 cm wide, and most repeats are one roll wide: the guess for a paper of unknown
# size.
DEFAULT_REPEAT_M = 0.53
WALLPAPERS_PER_SESSION = 60
MAX_BRIGHTNESS = 1.0
# Of the room's light and of how the visitor looks at papers, not of one wallpaper.
LASTING_KEYS = ("brightness", "keep_shadows", "seams")


def choose_design(*, session_id: UUID, slug: str) -> Wallpaper:
    """Choose a built-in design.

    Raises:
        NotFound: there is no such design, or the session is gone.
    """
    found = design(slug)
    if found is None:
        raise NotFound("There is no such wallpaper in the gallery.", code="unknown_design")
    wallpaper = _keep(
        session_id,
        source=Wallpaper.Source.DESIGN,
        design=found.slug,
        title=found.title,
        digest=found.sha256,
        width=found.width,
        height=found.height,
        repeat_width_m=found.repeat_width_m,
    )
    _choose(session_id, wallpaper, drop=found.drop)
    return wallpaper


def choose_upload(*, session_id: UUID, data: bytes, name: str = "") -> Wallpaper:
    """Choose a wallpaper picture that the visitor uploads.

    Raises:
        BadUpload: the file is refused; message and code are those of `imaging`.
        Unavailable: it could not be stored.
    """
    wallpaper = _keep_picture(
        session_id, data, source=Wallpaper.Source.UPLOAD, title=_title(name) or "Your wallpaper"
    )
    _choose(session_id, wallpaper)
    return wallpaper


def choose_link(*, session_id: UUID, url: str) -> Wallpaper:
    """Choose the wallpaper behind a link, fetched by the server under the fetcher's rules.

    Raises:
        BadLink: the link or what is behind it is refused; nothing else changes.
        Unavailable: it could not be stored.
    """
    policy = FetchPolicy(
        max_bytes=settings.MAX_UPLOAD_BYTES, allow_private=settings.ALLOW_PRIVATE_WALLPAPER_URLS
    )
    _check_room_for_more(session_id)
    with link_limit.slot(), translated():
        fetched = fetch_image(url.strip(), policy=policy)
    try:
        wallpaper = _keep_picture(
            session_id,
            fetched.data,
            source=Wallpaper.Source.LINK,
            title=_title(Path(fetched.url.split("?")[0]).name) or "From a link",
            link=url.strip(),
        )
    except BadUpload as error:
        raise BadLink(
            f"The link does not lead to a picture: {error.user_message}", code=error.code
        ) from error
    _choose(session_id, wallpaper)
    return wallpaper


def choose_kept(*, session_id: UUID, wallpaper_id: UUID) -> Wallpaper:
    """Choose a wallpaper that the session already has.

    Raises:
        NotFound: it is not this session's.
    """
    wallpaper = Wallpaper.objects.filter(pk=wallpaper_id, session_id=session_id).first()
    if wallpaper is None:
        raise NotFound("This wallpaper is not here any more.", code="unknown_wallpaper")
    _choose(session_id, wallpaper)
    return wallpaper


def set_placement(*, session_id: UUID, placement: Mapping[str, Any]) -> Session:
    """Change how the chosen wallpaper lies on the wall; keys that are absent stay.

    Args:
        placement: any of repeat_width_m, drop, rotation_deg, mirror, mode, origin_x_m, origin_y_m,
            seams, strip_width_m, brightness, keep_shadows.

    Raises:
        BadRequest: a value makes no sense; nothing changes.
        WrongState: no wallpaper is chosen.
    """
    with transaction.atomic():
        session = Session.objects.select_for_update().filter(pk=session_id).first()
        if session is None:
            raise NotFound("This room is not here any more.")
        merged = {**session.placement, **placement}
        session.placement = merged
        if session.wallpaper is None:
            raise WrongState("Choose a wallpaper first.", code="no_wallpaper")
        current_placement(session)
        brightness(session)
        keep_shadows(session)
        session.save(update_fields=["placement"])
    return session


def current_placement(session: Session) -> Placement:
    """The placement in force: the visitor's choices over the wallpaper's own size.

    Raises:
        WrongState: no wallpaper is chosen.
        BadRequest: the stored or given values make no sense.
    """
    if session.wallpaper is None:
        raise WrongState("Choose a wallpaper first.", code="no_wallpaper")
    return placement_of(session.placement, default_repeat_m=session.wallpaper.repeat_width_m)


def placement_of(values: Mapping[str, Any], *, default_repeat_m: float) -> Placement:
    """A placement from plain values, as stored in a row or sent by a program.

    Raises:
        BadRequest: a value is of the wrong kind or makes no sense.
    """
    with translated():
        return Placement(
            repeat_width_m=_number(values, "repeat_width_m", default_repeat_m),
            origin_m=(_number(values, "origin_x_m", 0.0), _number(values, "origin_y_m", 0.0)),
            rotation_deg=_number(values, "rotation_deg", 0.0),
            drop=_number(values, "drop", 0.0),
            mirror=bool(values.get("mirror", False)),
            mode=values.get("mode", "tile"),
            seams=bool(values.get("seams", False)),
            strip_width_m=_number(values, "strip_width_m", ROLL_M),
        )


def brightness(session: Session) -> float:
    """The visitor's correction of the light in stops, -1..1; 0 is the photo's own.

    Raises:
        BadRequest: outside that range.
    """
    value = _number(session.placement, "brightness", 0.0)
    if not -MAX_BRIGHTNESS <= value <= MAX_BRIGHTNESS:
        raise BadRequest("Brightness must lie between -1 and 1.", code="bad_placement")
    return value


def keep_shadows(session: Session) -> float:
    """How much of the light's unevenness stays, 0 (lit evenly) .. 1 (as in the photo, the default).

    Raises:
        BadRequest: outside that range.
    """
    value = _number(session.placement, "keep_shadows", 1.0)
    if not 0.0 <= value <= 1.0:
        raise BadRequest("Keep shadows must lie between 0 and 1.", code="bad_placement")
    return value


def wallpaper_pixels(wallpaper: Wallpaper) -> Pixels:
    """The wallpaper's picture: uint8 H x W x 3 RGB.

    Raises:
        NotFound: the design was taken out of the gallery, or the file is gone.
        Unavailable: the store does not give it.
    """
    with reading_stored("wallpaper"):
        if wallpaper.source == Wallpaper.Source.DESIGN:
            found = design(wallpaper.design)
            if found is None:
                raise NotFound("This wallpaper is no longer in the gallery. Choose another one.")
            return read_wallpaper((Path(STATIC_DIR) / found.file).read_bytes()).pixels
        return read_stored(storage.read(wallpaper.key))


def thumbnail_bytes(wallpaper: Wallpaper) -> bytes:
    """The small JPEG of a wallpaper that the visitor brought."""
    return storage.read(keys.wallpaper_thumbnail(wallpaper.session_id, wallpaper.digest))


def _keep_picture(
    session_id: UUID, data: bytes, *, source: str, title: str, link: str = ""
) -> Wallpaper:
    _check_room_for_more(session_id)
    with decode_limit.slot():
        with translated():
            image = read_wallpaper(data)
        stored = encode_stored_photo(image.pixels)
    digest = storage.digest_of(stored)
    storage.put(keys.wallpaper(session_id, digest), stored)
    thumbnail = fit_within(image.pixels, settings.THUMBNAIL_MAX_SIDE_PX)
    storage.put(keys.wallpaper_thumbnail(session_id, digest), encode_view(thumbnail, quality=85))
    return _keep(
        session_id,
        source=source,
        title=title,
        link=link,
        key=keys.wallpaper(session_id, digest),
        digest=digest,
        width=image.pixels.shape[1],
        height=image.pixels.shape[0],
        repeat_width_m=DEFAULT_REPEAT_M,
    )


def _keep(session_id: UUID, *, source: str, digest: str, **fields: Any) -> Wallpaper:
    """The session's row for this picture, made where it has none (a second choice finds the
    first's).
    """
    found = Wallpaper.objects.filter(session_id=session_id, source=source, digest=digest).first()
    if found is not None:
        return found
    _check_room_for_more(session_id)
    try:
        with transaction.atomic():
            return Wallpaper.objects.create(
                session_id=session_id, source=source, digest=digest, **fields
            )
    except IntegrityError:  # the same choice in a second tab was first
        return Wallpaper.objects.get(session_id=session_id, source=source, digest=digest)


def _check_room_for_more(session_id: UUID) -> None:
    """Before anything is fetched or stored: the session is there and holds less than it may.

    Raises:
        NotFound: the session is gone.
        WrongState: it holds as many wallpapers as it can.
    """
    if not Session.objects.filter(pk=session_id).exists():
        raise NotFound("This room is not here any more.")
    if Wallpaper.objects.filter(session_id=session_id).count() >= WALLPAPERS_PER_SESSION:
        raise WrongState(
            f"This room holds {WALLPAPERS_PER_SESSION} wallpapers, which is the most it can. "
            "Upload the photo again to go on.",
            code="too_many_wallpapers",
        )


def _choose(session_id: UUID, wallpaper: Wallpaper, *, drop: float = 0.0) -> None:
    """Make it the session's; its own size and drop replace those of the one before."""
    prolong(session_id)
    with transaction.atomic():
        session = Session.objects.select_for_update().get(pk=session_id)
        if session.wallpaper_id == wallpaper.pk:
            return
        kept = {k: v for k, v in session.placement.items() if k in LASTING_KEYS}
        session.placement = {**kept, "repeat_width_m": wallpaper.repeat_width_m, "drop": drop}
        session.wallpaper = wallpaper
        session.save(update_fields=["wallpaper", "placement"])


def _number(values: Mapping[str, Any], name: str, default: float) -> float:
    value = values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadRequest(f"{name} must be a number.", code="bad_placement")
    return float(value)


def _title(name: str) -> str:
    """A short display name from a file name; only shown, never used as a path."""
    stem = Path(name.replace("\\", "/")).stem
    shown = "".join(c if c.isprintable() else " " for c in stem).replace("_", " ").strip()
    return shown[:60]
