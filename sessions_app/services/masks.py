"""The wall that a session's clicks mark, as a mask: predicted by the model, or brought by the
visitor.
"""

from __future__ import annotations

import logging

import cv2
import numpy as np

from imaging import read_mask
from imaging.types import Mask
from segmentation import Click, Prediction, Scope
from segmentation.cache import LruCache
from segmentation.masks.quality import middle_of_wall
from sessions_app import storage
from sessions_app.click_history import ClickHistory, ClickTuple
from sessions_app.error_translation import reading_stored, translated
from sessions_app.errors import Unavailable, WrongState
from sessions_app.inference import embeddings
from sessions_app.inference.limits import decode_limit, mask_limit
from sessions_app.inference.model import model_identity, sam_model, scope_of
from sessions_app.models import Session
from sessions_app.services import photos
from sessions_app.storage import keys

logger = logging.getLogger(__name__)

KEPT_PREDICTIONS = 48  # 1.3 MB each
EDGE_RULES = (
    "local-colour-1"  # how masks get their edges; a change makes other masks of the same clicks
)

Marks = tuple[bool, str, tuple[ClickTuple, ...]]
PredictionKey = tuple[str, str, Marks]

_predictions: LruCache[PredictionKey, Prediction] = LruCache(KEPT_PREDICTIONS)


def predict(session: Session) -> Prediction | None:
    """The model's response to the clicks in force; None when nothing is marked. May wait for the
    encoding.

    Raises:
        Unavailable: the weights are missing.
        BadClick: the clicks cannot be used.
    """
    history = session.history
    if not history.has_mask:
        return None
    with translated():
        return _kept_or_decoded(session, history)


def pixels(session: Session, *, size: tuple[int, int]) -> Mask:
    """The mask at `size` (width, height): uint8 H x W, 0..255.

    Raises:
        WrongState: nothing is marked.
        Unavailable: the weights or the store are away.
    """
    if session.uploaded_mask_key:
        mask = uploaded_mask(session)
        if mask.shape == (size[1], size[0]):
            return mask
        return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
    prediction = predict(session)
    if prediction is None:
        raise WrongState("Click the wall first, then choose a wallpaper.", code="no_mask")
    photo = photos.pixels_at_least(session, size)
    with mask_limit.slot():
        return prediction.mask(size, photo=photo)


def version(session: Session) -> str:
    """A short text that changes whenever the mask does: with the clicks, and with the model."""
    history = session.history
    source = session.uploaded_mask_key or (model_identity(), EDGE_RULES, _marks(history))
    return storage.digest_of(repr(source).encode())[:16]


def uploaded_mask(session: Session) -> Mask:
    """The mask that the visitor brought, at the photo's size: uint8 H x W.

    Raises:
        NotFound: the store has it no more.
        Unavailable: the store does not give it.
    """
    data = storage.read(session.uploaded_mask_key)
    with reading_stored("mask"):
        return read_mask(data, size=(session.width, session.height))


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


def _marks(history: ClickHistory) -> Marks:
    """All of a history that the mask depends on."""
    return (history.is_auto, history.scope, history.clicks)


def _kept_or_decoded(session: Session, history: ClickHistory) -> Prediction:
    """The model's response to these marks, computed when it is not kept."""
    key = (session.photo_digest, sam_model().identity, _marks(history))
    return _predictions.get_or_make(key, lambda: _decode(session, history))


def _decode(session: Session, history: ClickHistory) -> Prediction:
    """Run the decoder on the clicks in force, waiting for the encoding where it must."""
    model = sam_model()
    embedding = embeddings.obtain(session.photo_digest, lambda: photos.photo_within_limit(session))
    clicks = [Click(*click) for click in history.clicks]
    scope = scope_of(history.scope)
    if not history.is_auto:
        with mask_limit.slot():
            return model.predict(embedding, clicks, scope=scope)
    if not clicks and scope is not Scope.THIS_WALL:
        # The whole photo is held until the mask is there: one of the two in memory, as with
        # uploads.
        with decode_limit.slot():
            photo = photos.photo_pixels(session)
            with mask_limit.slot():
                return model.predict_auto(embedding, photo)
    # Kept from before the clicks: finding it again would decode the whole photo at every click.
    found = _kept_or_decoded(session, ClickHistory().auto())
    if scope is Scope.THIS_WALL:
        # The main one of the found walls: as if it had been clicked in its middle.
        clicks = [middle_of_wall(found.logits, found.grid), *clicks]
        with mask_limit.slot():
            return model.predict(embedding, clicks, scope=scope)
    with mask_limit.slot():
        return model.predict(embedding, clicks, scope=Scope.ALL_WALLS, start=found.logits)
