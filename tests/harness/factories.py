"""Plain functions that make what tests start from: small pictures, sessions, generations."""

from __future__ import annotations

import io
import secrets
from typing import Any

import cv2
import numpy as np
from PIL import Image

from sessions_app.models import Generation, Session
from sessions_app.services import clicking, generations, uploads, wallpapers

WIDTH, HEIGHT = 320, 240


def room_pixels(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A drawn room: a lit wall above a brown floor, with a dark cupboard before the wall. uint8 H x
    W x 3 RGB.
    """
    light = np.linspace(0.75, 1.0, width)[None, :, None]
    picture = np.broadcast_to(np.array([214, 206, 196]) * light, (height, width, 3)).copy()
    floor = height * 3 // 4
    picture[floor:] = (122, 84, 52)
    picture[height // 2 : floor + 10, width // 2 : width // 2 + width // 6] = (52, 40, 34)
    return picture.astype(np.uint8)


def wall_mask(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """The wall of `room_pixels`: uint8 H x W, 0 or 255."""
    mask = np.full((height, width), 255, np.uint8)
    floor = height * 3 // 4
    mask[floor:] = 0
    mask[height // 2 : floor + 10, width // 2 : width // 2 + width // 6] = 0
    return mask


def as_file(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """Pixels as the bytes of a picture file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def paper_pixels(side: int = 64) -> np.ndarray:
    """A wallpaper: blue with one orange disc. uint8 side x side x 3 RGB."""
    paper = np.full((side, side, 3), (40, 70, 140), np.uint8)
    cv2.circle(paper, (side // 2, side // 2), side // 4, (235, 150, 40), -1)
    return paper


def make_session(*, visitor: str = "visitor-a", **fields: Any) -> Session:
    """A web session with a stored photo and no encoding going on."""
    source = fields.pop("source", Session.Source.WEB)
    session = uploads.create_session(
        data=as_file(room_pixels()), source=source, visitor=visitor, background=False
    )
    if fields:
        Session.objects.filter(pk=session.pk).update(**fields)
        session.refresh_from_db()
    return session


def make_ready_session(**fields: Any) -> Session:
    """A session with a mask and a wallpaper: everything a generation needs, without the model."""
    session = make_session(**fields)
    clicking.use_mask(session_id=session.pk, data=as_file(wall_mask()))
    wallpapers.choose_upload(session_id=session.pk, data=as_file(paper_pixels()), name="discs.png")
    return Session.objects.select_related("wallpaper").get(pk=session.pk)


def make_generation(*, session: Session | None = None, inline: bool = True) -> Generation:
    """A queued generation; not in the queue unless `inline` is False."""
    session = session or make_ready_session()
    return generations.request_generation(
        session_id=session.pk, request_key=secrets.token_hex(8), inline=inline
    )
