"""Walls prepared for previews: worked out once, however many wallpapers are tried, and prefetched
after a click.

A wall's plane, light and exposure depend on photo and mask alone and take most of its first
preview's time. After a click the visitor looks at the wall and then for a wallpaper: meanwhile a
thread of this process prepares the wall, and the first preview has only the paper to lay.

Prefetching must cost nobody anything. One thread does it, for the newest mask of a session alone,
after the visitor has not clicked for a moment, and only while no mask is being computed: clicks
come first. What it does not get to, the preview does itself.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings

from imaging.types import Mask, Pixels
from rendering import WallAnalysis, WallPlane, analyse_wall
from segmentation.cache import LruCache
from sessions_app.error_translation import translated
from sessions_app.inference.background import BackgroundExecutor, Debouncer
from sessions_app.inference.limits import mask_limit
from sessions_app.inference.single_flight import SingleFlight
from sessions_app.models import Session
from sessions_app.services import masks, photos, planes

logger = logging.getLogger(__name__)

# At most 25 MB each: photo and mask of 1280 pixels, 640 x 640 pixels of light and edge colours, and
# the grain.
KEPT_WALLS = 6

Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedWall:
    """A marked wall at preview size: `photo` uint8 H x W x 3 RGB, `mask` uint8 H x W, and what they
    tell.
    """

    photo: Pixels
    mask: Mask
    plane: WallPlane
    analysis: WallAnalysis


_walls: LruCache[Key, PreparedWall] = LruCache(KEPT_WALLS)
_preparing: SingleFlight[Key, PreparedWall] = SingleFlight()
executor: Final = BackgroundExecutor("prefetch", max_items=8, refusal_level=logging.INFO)
# Without a click for that long the mask seems to please.
debouncer: Final[Debouncer[UUID]] = Debouncer(executor, quiet_seconds=0.7, max_keys=4)


def prepared_wall(session: Session) -> PreparedWall:
    """The session's wall, kept from before, or prepared here, or by whoever is preparing it at this
    moment.

    Raises:
        WrongState: nothing is marked, or the mask is empty.
        AppError: the model or the store are away.
    """
    key = _key(session)
    found = _walls.get(key)
    if found is not None:
        return found

    def prepare_once() -> PreparedWall:
        made = _prepare(session)
        _walls.put(key, made)
        return made

    return _preparing.get_or_make(key, prepare_once)


def prefetch(session: Session) -> None:
    """Have the wall prepared in the background, unless it is marked anew within a moment."""
    # A click that follows takes the place of the one before: nobody will ask for that mask's
    # preview.
    debouncer.submit(session.pk, lambda: _prepare_if_idle(session), label=f"wall of {session.pk}")


def cancel(session_id: UUID) -> None:
    """Nobody waits for this session's wall any more: its preview is on its way."""
    debouncer.cancel(session_id)


def _prepare_if_idle(session: Session) -> None:
    if mask_limit.in_use:
        logger.debug("wall of %s is not prefetched: clicks come first", session.pk)
        return
    prepared_wall(session)


def _key(session: Session) -> Key:
    content = [session.photo_digest, masks.version(session), session.quad]
    return session.pk, json.dumps([*content, settings.PREVIEW_MAX_SIDE_PX])


def _prepare(session: Session) -> PreparedWall:
    photo = photos.view_pixels(session, max_side=settings.PREVIEW_MAX_SIDE_PX)
    mask = masks.pixels(session, size=(photo.shape[1], photo.shape[0]))
    with translated():
        plane = planes.plane_on(session, photo, mask)
        return PreparedWall(photo, mask, plane, analyse_wall(photo, mask, plane))
