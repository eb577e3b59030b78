"""A session's stored photo as pixels: whole, at view size, and at the size at which outlines are
drawn.
"""

from __future__ import annotations

import logging

from django.conf import settings

from imaging import fit_within, read_photo, read_stored, size_within
from imaging.types import Pixels
from segmentation.cache import LruCache
from segmentation.outline import OUTLINE_SIDE
from sessions_app import storage
from sessions_app.error_translation import reading_stored
from sessions_app.errors import AppError
from sessions_app.inference.limits import decode_limit
from sessions_app.models import Session
from sessions_app.storage import keys

logger = logging.getLogger(__name__)

# 1.3 MB each, by the photo and not by the session: many sessions may show one. Where more people
# click than are kept, each click reads and decodes the stored view again.
KEPT_PHOTOS = 24

_for_outlines: LruCache[str, Pixels] = LruCache(KEPT_PHOTOS)


def photo_pixels(session: Session) -> Pixels:
    """The upright photo at full resolution: uint8 H x W x 3 RGB.

    Raises:
        NotFound: the store has it no more.
        Unavailable: the store does not give it.
    """
    data = storage.read(session.photo_key)
    with reading_stored("photo"):
        return read_stored(data)


def photo_within_limit(session: Session) -> Pixels:
    """`photo_pixels`, read while few other pictures are.

    Raises:
        NotFound: the store has it no more.
        Unavailable: the store does not give it, or too many pictures are being decoded (`Busy`).
    """
    with decode_limit.slot():
        return photo_pixels(session)


def view_pixels(session: Session, *, max_side: int) -> Pixels:
    """The photo for a preview, brought down to `max_side` from the stored view: uint8 H x W x 3
    RGB.

    Raises:
        NotFound: the store has it no more.
        Unavailable: the store does not give it.
    """
    data = storage.read(keys.photo_view(session.pk))
    with reading_stored("photo"):
        view = read_photo(data).pixels
    return fit_within(view, max_side)


def pixels_at_least(session: Session, size: tuple[int, int]) -> Pixels:
    """The stored view where it is large enough for a mask of `size` (width, height), else the
    photo.

    Raises:
        NotFound: the store has it no more.
        Unavailable: the store does not give it, or too many pictures are being decoded (`Busy`).
    """
    view = size_within((session.width, session.height), settings.VIEW_MAX_SIDE_PX)
    if size[0] <= view[0] and size[1] <= view[1]:
        return view_pixels(session, max_side=settings.VIEW_MAX_SIDE_PX)
    return photo_within_limit(session)


def photo_for_outline(session: Session) -> Pixels | None:
    """The photo at the outline's size, by whose colours the overlay gets its edge; kept for the
    next click.

    None when the store is away: the overlay is then a little less exact, and clicks go on.
    """
    found = _for_outlines.get(session.photo_digest)
    if found is None:
        try:
            found = view_pixels(session, max_side=OUTLINE_SIDE)
        except AppError as error:
            logger.warning("overlay of %s without the photo's edges: %s", session.pk, error)
            return None
        _for_outlines.put(session.photo_digest, found)
    return found
