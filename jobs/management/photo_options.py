"""What the commands that make pictures understand alike: pixels of the photo as given, and how the paper lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from django.core.management.base import CommandError

from imaging import read_mask, read_photo
from sessions_app.models import Session


def size_of_photo(path: Path, session: Session, max_side: int | None) -> tuple[int, int]:
    """Width and height of the upright photo before it was brought down."""
    if max_side is None:
        return session.width, session.height
    height, width = read_photo(path.read_bytes()).pixels.shape[:2]
    return width, height


def scaled(point: tuple[float, float], factor: float) -> tuple[float, float]:
    """A point of the photo in the photo resized by `factor`; pixel centres at integers in both."""
    return (point[0] + 0.5) * factor - 0.5, (point[1] + 0.5) * factor - 0.5


def mask_within(data: bytes, size: tuple[int, int], session: Session) -> bytes:
    """The mask's file for the session's photo, which may be smaller than the mask."""
    if size == (session.width, session.height):
        return data
    mask = read_mask(data, size=size)
    small = cv2.resize(mask, (session.width, session.height), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".png", small)[1])


def placement_of(options: dict[str, Any]) -> dict[str, Any]:
    """The placement that the arguments ask for; what is absent is left to the wallpaper."""
    origin = options["origin"] or (None, None)
    wanted = {
        "repeat_width_m": options["repeat_width"],
        "origin_x_m": origin[0],
        "origin_y_m": origin[1],
        "rotation_deg": options["rotate"],
        "drop": drop_of(options["drop"]),
        "mirror": options["mirror"] or None,
        "mode": options["mode"],
        "seams": options["seams"] or None,
        "strip_width_m": options["strip_width"],
        "brightness": options["brightness"],
        "keep_shadows": options["keep_shadows"],
    }
    return {name: value for name, value in wanted.items() if value is not None}


def drop_of(text: str | None) -> float | None:
    """`half` or a fraction.

    Raises:
        CommandError: neither.
    """
    if text is None:
        return None
    if text == "half":
        return 0.5
    try:
        return float(text)
    except ValueError as error:
        raise CommandError(f"--drop is 'half' or a fraction such as 0.5, not {text!r}.") from error
