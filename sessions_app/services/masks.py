"""The wall that a session's clicks mark: prediction, overlay for the page, pixels for the renderer."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cv2
import numpy as np
from django.conf import settings

from imaging import (
    ImagingError,
    fit_within,
    read_mask,
    read_photo,
    read_stored,
    size_within,
)
from imaging.types import Mask, Pixels
from segmentation import (
    Click,
    ModelError,
    PhotoGrid,
    Prediction,
    PromptError,
    Scope,
    SegmentationError,
)
from segmentation.masks.quality import Doubt, middle_of_wall
from segmentation.outline import OUTLINE_SIDE, outline_path, path_of_logits
from sessions_app import storage
from sessions_app.click_history import ClickHistory, ClickTuple
from sessions_app.errors import AppError, BadClick, Unavailable, WrongState
from sessions_app.inference import embeddings
from sessions_app.inference.limits import a_decoding_place, a_masking_place
from sessions_app.inference.model import model_identity, sam_model, scope_of
from sessions_app.inference.recently_used import RecentlyUsed
from sessions_app.models import Session
from sessions_app.services.transitions import mark_embedding_completed
from sessions_app.storage import keys

logger = logging.getLogger(__name__)

KEPT_PREDICTIONS = 48  # 1.3 MB each
# 1.3 MB each, by the photo and not by the room: many rooms may show one. Where more people click than are kept,
# each click reads and decodes the stored view again.
KEPT_PHOTOS = 24
EDGE_RULES = (
    "local-colour-1"  # how masks get their edges; a change makes other masks of the same clicks
)
MASK_LOGIT = 12.0  # what a fully covered pixel of a given mask stands for on the logit grid

Marks = tuple[bool, str, tuple[ClickTuple, ...]]
PredictionKey = tuple[str, str, Marks]


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the page draws over the photo.

    path: SVG path data in photo pixels (even-odd). view_box: of the svg element, so that pixel centres are at
    integers. share: of the photo that is wall, 0..1. score: the model's own trust in the mask, 0..1, None for a mask
    that was brought. doubt: what speaks most against the mask, None when little does. warning: a sentence when the
    mask looks wrong. suggestion: a next click that would help. is_main_wall: the clicks were taken to mean the main wall
    alone, though nobody said so.
    """

    path: str
    view_box: str
    share: float
    score: float | None
    doubt: Doubt | None
    warning: str | None
    suggestion: tuple[float, float, int] | None
    is_main_wall: bool = False


_predictions: RecentlyUsed[PredictionKey, Prediction] = RecentlyUsed(KEPT_PREDICTIONS)
_photos: RecentlyUsed[str, Pixels] = RecentlyUsed(KEPT_PHOTOS)


def predict(session: Session) -> Prediction | None:
    """The model's answer to the clicks in force; None when nothing is marked.

    Raises:
        Unavailable: the weights are missing.
        BadClick: the clicks cannot be used.
    """
    history = session.history
    if not history.has_mask:
        return None
    try:
        found = _remembered(session, history)
        if session.status == Session.Status.NEW:
            mark_embedding_completed(session.pk)
            # The caller goes on to show this very session, and must not say that it is still being read.
            rows = Session.objects.filter(pk=session.pk)
            session.status = rows.values_list("status", flat=True).first() or session.status
        return found
    except ModelError as error:
        raise Unavailable(error.user_message, code=error.code) from error
    except PromptError as error:
        raise BadClick(error.user_message, code=error.code) from error
    except SegmentationError as error:
        raise Unavailable(error.user_message, code=error.code) from error


def _marks(history: ClickHistory) -> Marks:
    """All of a history that the mask depends on."""
    return (history.is_auto, history.scope, history.clicks)


def _remembered(session: Session, history: ClickHistory) -> Prediction:
    """The model's answer to these marks, computed when it is not kept."""
    key = (session.photo_digest, sam_model().identity, _marks(history))
    found = _predictions.get(key)
    if found is None:
        found = _decode(session, history)
        _predictions.put(key, found)
    return found


def _decode(session: Session, history: ClickHistory) -> Prediction:
    """Run the decoder on the clicks in force, waiting for the encoding where it must."""
    model = sam_model()
    embedding = embeddings.obtain(session.photo_digest, lambda: _photo_to_encode(session))
    clicks = [Click(*click) for click in history.clicks]
    scope = scope_of(history.scope)
    if not history.is_auto:
        with a_masking_place():
            return model.predict(embedding, clicks, scope=scope)
    if not clicks and scope is not Scope.THIS_WALL:
        # The whole photo is held until the mask is there: one of the two in memory, as with uploads.
        with a_decoding_place():
            photo = photo_pixels(session)
            with a_masking_place():
                return model.predict_auto(embedding, photo)
    # Kept from before the clicks: finding it again would decode the whole photo at every click.
    found = _remembered(session, ClickHistory().auto())
    if scope is Scope.THIS_WALL:
        # The main one of the found walls: as if it had been clicked in its middle.
        clicks = [middle_of_wall(found.logits, found.grid), *clicks]
        with a_masking_place():
            return model.predict(embedding, clicks, scope=scope)
    with a_masking_place():
        return model.predict(embedding, clicks, scope=Scope.ALL_WALLS, start=found.logits)


def _photo_to_encode(session: Session) -> Pixels:
    """The whole photo, where no background encoding has room for it; read while few others are."""
    with a_decoding_place():
        return photo_pixels(session)


def overlay(session: Session) -> Overlay | None:
    """The overlay of the marked wall; None when nothing is marked. May wait for the encoding.

    Raises:
        Unavailable: the weights or the store are away.
        BadClick: the clicks cannot be used.
    """
    view_box = f"-0.5 -0.5 {session.width} {session.height}"
    view_size = size_within((session.width, session.height), settings.VIEW_MAX_SIDE_PX)
    if session.uploaded_mask_key:
        mask = _uploaded_mask(session)
        grid = PhotoGrid(session.width, session.height)
        path = path_of_logits(_logits_of(mask, grid), grid, view_size=view_size)
        return Overlay(path, view_box, float((mask > 127).mean()), None, None, None, None)
    prediction = predict(session)
    if prediction is None:
        return None
    suggested = prediction.suggested
    photo = _photo_under(session)
    with a_masking_place():
        path = outline_path(prediction, view_size=view_size, photo=photo)
    return Overlay(
        path=path,
        view_box=view_box,
        share=prediction.area,
        score=prediction.score,
        doubt=prediction.doubt,
        warning=prediction.warning,
        suggestion=None if suggested is None else (suggested.x, suggested.y, suggested.label),
        is_main_wall=prediction.scope is Scope.THIS_WALL
        and scope_of(session.history.scope) is Scope.AUTO,
    )


def pixels(session: Session, *, size: tuple[int, int]) -> Mask:
    """The mask at `size` (width, height): uint8 H x W, 0..255.

    Raises:
        WrongState: nothing is marked.
        Unavailable: the weights or the store are away.
    """
    if session.uploaded_mask_key:
        mask = _uploaded_mask(session)
        if mask.shape == (size[1], size[0]):
            return mask
        return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
    prediction = predict(session)
    if prediction is None:
        raise WrongState("Click the wall first, then choose a wallpaper.", code="no_mask")
    photo = _pixels_at_least(session, size)
    with a_masking_place():
        return prediction.mask(size, photo=photo)


def version(session: Session) -> str:
    """A short text that changes whenever the mask does: with the clicks, and with the model."""
    history = session.history
    source = session.uploaded_mask_key or (model_identity(), EDGE_RULES, _marks(history))
    return storage.digest_of(repr(source).encode())[:16]


def store_mask(session: Session, mask: Mask) -> tuple[str, str]:
    """Keep a mask at the photo's size; returns its key and digest.

    Raises:
        Unavailable: the store did not take it.
    """
    data = cv2.imencode(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
    key = keys.mask(session.pk, storage.digest_of(data))
    return key, storage.save(key, data)


def drop_unused(session: Session, key: str, *, keep: str) -> None:
    """Remove a mask that was replaced, unless a generation was made from it."""
    if not key or key == keep or session.generations.filter(mask_key=key).exists():
        return
    try:
        storage.delete(key)
    except Unavailable:
        logger.warning("mask %s is left for the purge", key)


def photo_pixels(session: Session) -> Pixels:
    """The upright photo at full resolution.

    Raises:
        NotFound, Unavailable: the store does not give it.
    """
    return _read_picture(session.photo_key)


def _photo_under(session: Session) -> Pixels | None:
    """The photo at the outline's size, by whose colours the overlay gets its edge; kept for the next click.

    None when the store is away: the overlay is then a little less exact, and clicks go on.
    """
    found = _photos.get(session.photo_digest)
    if found is None:
        try:
            found = view_pixels(session, max_side=OUTLINE_SIDE)
        except AppError as error:
            logger.warning("overlay of %s without the photo's edges: %s", session.pk, error)
            return None
        _photos.put(session.photo_digest, found)
    return found


def _pixels_at_least(session: Session, size: tuple[int, int]) -> Pixels:
    """The stored view where it is large enough for a mask of `size` (width, height), else the photo."""
    view = size_within((session.width, session.height), settings.VIEW_MAX_SIDE_PX)
    if size[0] <= view[0] and size[1] <= view[1]:
        return view_pixels(session, max_side=settings.VIEW_MAX_SIDE_PX)
    with a_decoding_place():
        return photo_pixels(session)


def view_pixels(session: Session, *, max_side: int) -> Pixels:
    """The photo for a preview, brought down to `max_side` from the stored view."""
    try:
        view = read_photo(storage.read(keys.photo_view(session.pk))).pixels
    except ImagingError as error:
        raise Unavailable("The stored photo cannot be read.", code="storage_damaged") from error
    return fit_within(view, max_side)


def _uploaded_mask(session: Session) -> Mask:
    data = storage.read(session.uploaded_mask_key)
    try:
        return read_mask(data, size=(session.width, session.height))
    except ImagingError as error:
        raise Unavailable("The stored mask cannot be read.", code="storage_damaged") from error


def _read_picture(key: str) -> Pixels:
    try:
        return read_stored(storage.read(key))
    except ImagingError as error:
        raise Unavailable("The stored photo cannot be read.", code="storage_damaged") from error


def _logits_of(mask: Mask, grid: PhotoGrid) -> np.ndarray:
    columns, rows = grid.mask_extent
    small = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    logits = np.full((256, 256), -MASK_LOGIT, np.float32)
    logits[:rows, :columns] = (small / 127.5 - 1) * MASK_LOGIT
    return logits
