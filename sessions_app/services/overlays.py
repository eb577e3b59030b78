"""What the page draws over the photo: the marked wall's outline, and what speaks for and against
it.

An overlay is kept, so that a page that is reloaded shows what the last click drew without asking
the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from django.conf import settings

from imaging import size_within
from imaging.types import Mask, Pixels
from segmentation import PhotoGrid, Prediction, Scope
from segmentation.cache import LruCache
from segmentation.masks.quality import Doubt
from segmentation.outline import outline_path, path_of_logits
from sessions_app.inference.limits import mask_limit
from sessions_app.inference.model import scope_of
from sessions_app.models import Session
from sessions_app.services import masks, photos
from sessions_app.services.transitions import mark_embedding_completed

KEPT_OVERLAYS = 256  # a few kilobytes each
MASK_LOGIT = 12.0  # what a fully covered pixel of a given mask stands for on the logit grid


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the page draws over the photo.

    path: SVG path data in photo pixels (even-odd). view_box: of the svg element, so that pixel
    centres are at integers. share: of the photo that is wall, 0..1. score: the model's own trust in
    the mask, 0..1, None for a mask that was brought. doubt: what speaks most against the mask, None
    when little does. warning: a sentence when the mask looks wrong. suggestion: a next click that
    would help (x, y, label). is_main_wall: the clicks were taken to mean the main wall alone,
    though nobody said so.
    """

    path: str
    view_box: str
    share: float
    score: float | None
    doubt: Doubt | None
    warning: str | None
    suggestion: tuple[float, float, int] | None
    is_main_wall: bool = False


_overlays: LruCache[tuple[str, str], Overlay] = LruCache(KEPT_OVERLAYS)


def draw(session: Session) -> Overlay | None:
    """After a change of the marks: `overlay`, and the row learns that its photo is encoded.

    Raises:
        Unavailable: the weights or the store are away.
        BadClick: the clicks cannot be used.
    """
    found = overlay(session)
    if (
        found is not None
        and not session.uploaded_mask_key
        and session.status == Session.Status.NEW
        and mark_embedding_completed(session.pk)
    ):
        # The caller goes on to show this very session, and must not say that its photo is still
        # being read.
        session.status = Session.Status.EMBEDDING_COMPLETED
    return found


def overlay(session: Session) -> Overlay | None:
    """The overlay of the marked wall; None when nothing is marked. Writes nothing to the database.

    Where it is not kept, the mask is computed, which may wait for the photo's encoding.

    Raises:
        Unavailable: the weights or the store are away.
        BadClick: the clicks cannot be used.
    """
    if not session.has_mask:
        return None
    key = (session.photo_digest, masks.version(session))
    found = _overlays.get(key)
    if found is not None:
        return found
    if session.uploaded_mask_key:
        found = _of_uploaded_mask(session)
    else:
        prediction = masks.predict(session)
        if prediction is None:
            return None
        photo = photos.photo_for_outline(session)
        found = _of_prediction(session, prediction, photo)
        if photo is None:
            return found  # drawn anew, and better, when the store is back
    _overlays.put(key, found)
    return found


def _of_prediction(session: Session, prediction: Prediction, photo: Pixels | None) -> Overlay:
    with mask_limit.slot():
        path = outline_path(prediction, view_size=_view_size(session), photo=photo)
    suggested = prediction.suggested
    return Overlay(
        path=path,
        view_box=_view_box(session),
        share=prediction.area,
        score=prediction.score,
        doubt=prediction.doubt,
        warning=prediction.warning,
        suggestion=None if suggested is None else (suggested.x, suggested.y, suggested.label),
        is_main_wall=prediction.scope is Scope.THIS_WALL
        and scope_of(session.history.scope) is Scope.AUTO,
    )


def _of_uploaded_mask(session: Session) -> Overlay:
    mask = masks.uploaded_mask(session)
    grid = PhotoGrid(session.width, session.height)
    path = path_of_logits(_logits_of(mask, grid), grid, view_size=_view_size(session))
    share = float((mask > 127).mean())
    return Overlay(path, _view_box(session), share, None, None, None, None)


def _view_size(session: Session) -> tuple[int, int]:
    return size_within((session.width, session.height), settings.VIEW_MAX_SIDE_PX)


def _view_box(session: Session) -> str:
    return f"-0.5 -0.5 {session.width} {session.height}"


def _logits_of(mask: Mask, grid: PhotoGrid) -> npt.NDArray[np.float32]:
    """The mask on the model's grid: float32 256 x 256, positive where it covers more than half."""
    columns, rows = grid.mask_extent
    small = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    logits = np.full((256, 256), -MASK_LOGIT, np.float32)
    logits[:rows, :columns] = (small / 127.5 - 1) * MASK_LOGIT
    return logits
