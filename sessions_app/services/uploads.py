"""A photo comes in: decoded safely, stored without loss and without metadata, encoding started."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from imaging import (
    DECODER_VERSION,
    Photo,
    encode_stored_photo,
    encode_view,
    fit_within,
    read_photo,
)
from imaging.types import Pixels
from segmentation import Embedding
from sessions_app import storage
from sessions_app.catalogue import STATIC_DIR, sample_room
from sessions_app.error_translation import translated
from sessions_app.errors import AppError, NotFound
from sessions_app.inference import embeddings
from sessions_app.inference.limits import decode_limit
from sessions_app.models import Session
from sessions_app.services import photo_compression
from sessions_app.services.transitions import end_of_life, mark_embedding_completed
from sessions_app.storage import keys

logger = logging.getLogger(__name__)


def create_session(
    *,
    data: bytes,
    source: Session.Source | str,
    visitor: str = "",
    max_side: int | None = None,
    background: bool = True,
) -> Session:
    """A new session for a photo.

    Args:
        data: the uploaded file's bytes, whatever they are.
        source: who asks; decides who may see the session.
        visitor: the browser's token, for `Source.WEB`.
        max_side: bring the photo down to this many pixels on its long side.
        background: start encoding at once; commands encode when they need it.

    Raises:
        BadUpload: the file is refused; message and code are those of `imaging`.
        Unavailable: too many uploads at once, or the photo could not be stored. Nothing is left
            behind.
    """
    with decode_limit.slot():
        photo = _read(data, max_side)
        session = _row(photo, digest=_digest(data, photo.pixels), source=source, visitor=visitor)
        # Before the photo is stored, which takes nearly as long: the visitor waits for the longer
        # of the two.
        encoding = start_encoding(session.photo_digest, photo.pixels) if background else None
        compress_later = encoding is not None and photo_compression.has_room(photo.pixels)
        with _nothing_left_on_failure(session.pk, encoding):
            _store(session.pk, photo.pixels, compressed=not compress_later)
    with _nothing_left_on_failure(session.pk, encoding):
        _insert(session, encoding, compress_later=compress_later)
    _log(session)
    return session


def create_session_from_sample(
    *, slug: str, source: Session.Source | str, visitor: str = ""
) -> Session:
    """A new session for one of the sample rooms.

    Raises:
        NotFound: there is no sample room of that name.
    """
    room = sample_room(slug)
    if room is None:
        raise NotFound("There is no such sample room.")
    data = (Path(STATIC_DIR) / room.file).read_bytes()
    return create_session(data=data, source=source, visitor=visitor)


def start_encoding(photo_digest: str, pixels: Pixels) -> Future[Embedding] | None:
    """Begin to encode the photo in the background; a click waits for it. None when the encoder has
    too much to do.
    """
    return embeddings.encode_in_background(photo_digest, pixels)


def _read(data: bytes, max_side: int | None) -> Photo:
    """The uploaded photo, brought down where that was asked for."""
    with translated():
        photo = read_photo(data)
    return photo if max_side is None else replace(photo, pixels=fit_within(photo.pixels, max_side))


def _row(photo: Photo, *, digest: str, source: Session.Source | str, visitor: str) -> Session:
    """The new session's row, not yet in the database."""
    session_id = uuid.uuid4()
    return Session(
        id=session_id,
        source=source,
        visitor=visitor,
        expires_at=end_of_life(),
        photo_key=keys.photo(session_id),
        photo_digest=digest,
        photo_format=photo.source_format,
        focal_35mm=photo.focal_35mm,
        width=photo.pixels.shape[1],
        height=photo.pixels.shape[0],
    )


def _insert(session: Session, encoding: Future[Embedding] | None, *, compress_later: bool) -> None:
    """Write the row; once it is there, what waits for the encoding may follow."""
    with transaction.atomic():
        session.save(force_insert=True)
        if encoding is None:
            return
        # Robust: an error here must not look as if the row had failed, which would take its photo
        # away.
        transaction.on_commit(lambda: _mark_when_encoded(session.pk, encoding), robust=True)
        if compress_later:
            transaction.on_commit(lambda: _compress_when_encoded(session.pk, encoding), robust=True)


def _log(session: Session) -> None:
    size, digest = (session.width, session.height), session.photo_digest[:12]
    logger.info("session %s: %d x %d %s", session.pk, *size, digest)


@contextmanager
def _nothing_left_on_failure(
    session_id: uuid.UUID, encoding: Future[Embedding] | None
) -> Iterator[None]:
    """When the block fails: no objects stay, and an encoding that has not begun never will."""
    try:
        yield
    except BaseException:
        if encoding is not None:
            encoding.cancel()
        _discard(session_id)
        raise


def _mark_when_encoded(session_id: uuid.UUID, encoding: Future[Embedding]) -> None:
    """Have the row say so once the embedding is there, which may be before the row is."""
    asking = threading.get_ident()

    def mark(ended: Future[Embedding]) -> None:
        if ended.cancelled() or ended.exception() is not None:
            return
        try:
            mark_embedding_completed(session_id)
        finally:
            if threading.get_ident() != asking:
                connection.close()  # the encoder's thread has one of its own; nobody else would

    encoding.add_done_callback(mark)


def _compress_when_encoded(session_id: uuid.UUID, encoding: Future[Embedding]) -> None:
    encoding.add_done_callback(lambda _: photo_compression.compress_later(session_id))


def _digest(data: bytes, pixels: Pixels) -> str:
    """Names the photo: the same file, decoded by the same version to the same size, has the same
    pixels.

    Of the upload and not of the pixels, which are ten times as many bytes to hash while the encoder
    should be at work.
    """
    height, width = pixels.shape[:2]
    name = f"{DECODER_VERSION}:{width}x{height}:{storage.digest_of(data)}"
    return storage.digest_of(name.encode())


def _store(session_id: uuid.UUID, pixels: Pixels, *, compressed: bool) -> None:
    """Write photo, view and thumbnail."""
    storage.put(keys.photo(session_id), encode_stored_photo(pixels, compressed=compressed))
    view = fit_within(pixels, settings.VIEW_MAX_SIDE_PX)
    storage.put(keys.photo_view(session_id), encode_view(view))
    thumbnail = fit_within(view, settings.THUMBNAIL_MAX_SIDE_PX)
    storage.put(keys.thumbnail(session_id), encode_view(thumbnail, quality=80))


def _discard(session_id: uuid.UUID) -> None:
    try:
        storage.delete_prefix(keys.session_prefix(session_id))
    except AppError:
        logger.warning("objects of %s are left for the purge", session_id)
