"""What `generate` and `generate_batch` share: marking the wall, choosing the wallpaper, reading the
placement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
from django.core.management.base import CommandError

from imaging import read_mask, read_photo
from sessions_app.catalogue import design
from sessions_app.click_history import ClickTuple
from sessions_app.models import Session
from sessions_app.services import clicking, wallpapers


def original_size(photo: Path, session: Session, max_side: int | None) -> tuple[int, int]:
    """Width and height of the upright photo before `max_side` made it smaller.

    Raises:
        ImagingError: the file is not a photo that can be read.
    """
    if max_side is None:
        return session.width, session.height
    height, width = read_photo(photo.read_bytes()).pixels.shape[:2]
    return width, height


def scale_point(point: tuple[float, float], factor: float) -> tuple[float, float]:
    """A point of the photo in the photo resized by `factor`; pixel centres at integers in both."""
    return (point[0] + 0.5) * factor - 0.5, (point[1] + 0.5) * factor - 0.5


def mark_wall(
    session: Session,
    size: tuple[int, int],
    *,
    mask: Path | None = None,
    clicks: Sequence[ClickTuple] | None = None,
    scope: str | None = None,
) -> None:
    """Mark the wall by a mask, else by clicks, else find it.

    Args:
        session: holds the photo, perhaps made smaller.
        size: width and height of the photo as given; mask and clicks are in its pixels.
        mask: a picture file.
        clicks: (x, y, label) each.
        scope: which walls the clicks mean, one of SCOPES; None keeps the session's.

    Raises:
        AppError, ImagingError: mask or clicks do not fit the photo.
    """
    if mask is not None:
        data = _mask_for_session(mask.read_bytes(), size, session)
        clicking.use_mask(session_id=session.pk, data=data)
    elif clicks is not None:
        factor = session.width / size[0]
        scaled = [(*scale_point((x, y), factor), label) for x, y, label in clicks]
        clicking.replace_clicks(session_id=session.pk, clicks=scaled, scope=scope)
    else:
        clicking.find_wall(session_id=session.pk)


def _mask_for_session(data: bytes, size: tuple[int, int], session: Session) -> bytes:
    """The mask as a PNG file at the session's size, which may be smaller than the photo given."""
    if size == (session.width, session.height):
        return data
    mask = read_mask(data, size=size)
    small = cv2.resize(mask, (session.width, session.height), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".png", small)[1])


def choose_wallpaper(session: Session, source: str) -> None:
    """Choose a link, a file or a built-in design, whichever `source` names.

    Raises:
        CommandError: it names none of them.
        AppError, ImagingError: the wallpaper cannot be fetched or read.
    """
    path = Path(source)
    if "://" in source:
        wallpapers.choose_link(session_id=session.pk, url=source)
    elif path.is_file():
        wallpapers.choose_upload(session_id=session.pk, data=path.read_bytes(), name=path.name)
    elif design(source) is not None:
        wallpapers.choose_design(session_id=session.pk, slug=source)
    else:
        raise CommandError(f"There is no wallpaper file and no built-in design called {source}.")


def placement_from_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The placement that the arguments ask for; what is absent is left to the wallpaper.

    Raises:
        CommandError: `--drop` cannot be read.
    """
    origin = options.get("origin") or (None, None)
    wanted = {
        "repeat_width_m": options["repeat_width"],
        "origin_x_m": origin[0],
        "origin_y_m": origin[1],
        "rotation_deg": options["rotate"],
        "drop": parse_drop(options["drop"]),
        "mirror": options.get("mirror") or None,
        "mode": options["mode"],
        "seams": options.get("seams") or None,
        "strip_width_m": options.get("strip_width"),
        "brightness": options.get("brightness"),
        "keep_shadows": options.get("keep_shadows"),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def parse_drop(text: str | None) -> float | None:
    """`half` or a fraction as a number.

    Raises:
        CommandError: it is neither.
    """
    if text is None:
        return None
    if text == "half":
        return 0.5
    try:
        return float(text)
    except ValueError as error:
        raise CommandError(f"--drop is 'half' or a fraction such as 0.5, not {text!r}.") from error
