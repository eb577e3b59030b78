"""What the photo tells about a marked wall: read once, however many wallpapers are tried on it, and read ahead.

A wall's plane, light and level depend on photo and mask alone and take most of its first preview's time. After a click the
visitor looks at the wall and then for a wallpaper: meanwhile a thread of this process reads the wall, and the first
preview has only the paper to lay.

Reading ahead must cost nobody anything. One thread does it, for the newest mask of a room alone, after the visitor has not
clicked for a moment, and only while no mask is being computed: clicks come first. What it does not get to, the preview does
itself. Its priority is that of all others, as the packer's is (`packing`).
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from imaging.types import Mask, Pixels
from rendering import NothingSelectedError, WallAnalysis, WallPlane, analyse_wall
from sessions_app.errors import AppError, WrongState
from sessions_app.inference import limits
from sessions_app.inference.recently_used import RecentlyUsed
from sessions_app.inference.single_flight import SingleFlight
from sessions_app.models import Session
from sessions_app.services import masks, planes

logger = logging.getLogger(__name__)

# At most 25 MB each: photo and mask of 1280 pixels, 640 x 640 pixels of light and edge colours, and the grain.
KEPT_READINGS = 6
QUIET_SECONDS: Final = 0.7  # without a click: the mask seems to please
MOST_WAITING: Final = 4  # rooms; a stop waits for them

Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A marked wall at preview size: `photo` uint8 H x W x 3 RGB, `mask` uint8 H x W, and what was read of them."""

    photo: Pixels
    mask: Mask
    plane: WallPlane
    analysis: WallAnalysis


@dataclass(frozen=True, slots=True)
class _Wish:
    """A room to be read ahead, and from when on (`time.monotonic`)."""

    session: Session
    due: float


_readings: RecentlyUsed[Key, Reading] = RecentlyUsed(KEPT_READINGS)
_reading: SingleFlight[Key, Reading] = SingleFlight()
_waiting: OrderedDict[UUID, _Wish] = OrderedDict()  # the one due first is first
_is_working = False
_lock = threading.Lock()
_ahead = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")


def reading(session: Session) -> Reading:
    """The session's wall, kept from before, or read here, or by whoever is reading it at this moment.

    Raises:
        WrongState: nothing is marked, or the mask is empty.
        AppError: the model or the store are away.
    """
    key = _key(session)
    found = _readings.get(key)
    if found is not None:
        return found

    def read() -> Reading:
        made = _read(session)
        _readings.put(key, made)
        return made

    return _reading.get_or_make(key, read)


def read_ahead(session: Session) -> None:
    """Have the session's wall read in the background, unless it is marked anew within a moment."""
    global _is_working
    with _lock:
        # A click that follows takes the place of the one before: nobody will ask for that mask's preview.
        _waiting.pop(session.pk, None)
        _waiting[session.pk] = _Wish(session, time.monotonic() + QUIET_SECONDS)
        if len(_waiting) > MOST_WAITING:
            _waiting.popitem(last=False)
        if _is_working:
            return
        _is_working = True
    try:
        _ahead.submit(_work)
    except RuntimeError as error:
        logger.info("nothing is read ahead any more: %s", error)


def forget(session_id: UUID) -> None:
    """Nobody waits for this room's wall any more: its preview is on its way."""
    with _lock:
        _waiting.pop(session_id, None)


def _work() -> None:
    """Read what is due, one wall after the other, until nothing waits."""
    global _is_working
    while True:
        with _lock:
            if not _waiting:
                _is_working = False
                return
            wish = next(iter(_waiting.values()))
            left = wish.due - time.monotonic()
            if left <= 0:
                _waiting.popitem(last=False)
        if left > 0:
            time.sleep(min(left, QUIET_SECONDS))
        elif limits.is_masking():
            logger.debug("wall of %s is not read ahead: clicks come first", wish.session.pk)
        else:
            _read_quietly(wish.session)


def _read_quietly(session: Session) -> None:
    """Read, and say in the log why not: the preview meets the same error and shows it."""
    try:
        try:
            reading(session)
        finally:
            connection.close()  # this thread's own; nobody else would
    except AppError as error:
        logger.info("wall of %s is not read ahead: %s", session.pk, error)
    except Exception:  # of the database too: the next wall is read with a new connection
        logger.exception("wall of %s is not read ahead", session.pk)


def _key(session: Session) -> Key:
    content = [session.photo_digest, masks.version(session), session.quad]
    return session.pk, json.dumps([*content, settings.PREVIEW_MAX_SIDE_PX])


def _read(session: Session) -> Reading:
    photo = masks.view_pixels(session, max_side=settings.PREVIEW_MAX_SIDE_PX)
    mask = masks.pixels(session, size=(photo.shape[1], photo.shape[0]))
    try:
        plane = planes.plane_on(session, photo, mask)
        return Reading(photo, mask, plane, analyse_wall(photo, mask, plane))
    except NothingSelectedError as error:
        raise WrongState(error.user_message, code=error.code) from error
