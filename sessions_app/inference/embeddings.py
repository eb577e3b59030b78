"""Embeddings of photos: each photo is encoded once, whoever asks first, and kept while it is
useful.

Three places, fastest first: a bounded LRU in this process, the shared cache (float16, with an end
of life), and the encoder. Single-flight in the process by a future per photo, and across processes
by a lock in the shared cache that ends by itself; whoever does not get it waits for the value to
appear. With the shared cache away each process encodes for itself.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from django.conf import settings

from imaging.types import Pixels
from segmentation import EMBEDDING_SHAPES, Embedding, EmbeddingError, ModelError
from segmentation.cache import LruCache
from sessions_app.inference.background import BackgroundExecutor
from sessions_app.inference.model import sam_model
from sessions_app.inference.single_flight import SingleFlight
from sessions_app.queueing import redis_client

logger = logging.getLogger(__name__)

EMBEDDING_BYTES = 4 * sum(math.prod(shape) for shape in EMBEDDING_SHAPES)
LOCK_SECONDS = 60  # longer than any encoding; a dead encoder's lock ends by itself

ReadPhoto = Callable[[], Pixels]


memory: LruCache[str, Embedding] = LruCache(
    settings.EMBEDDING_MEMORY_MIB * 1024 * 1024 // EMBEDDING_BYTES
)
_encoding: SingleFlight[str, Embedding] = SingleFlight()
# Eight photos of twelve megapixels, or two of fifty. Past either bound the first click encodes
# instead.
executor: Final = BackgroundExecutor("encode", max_items=8, max_bytes=320 * 1024 * 1024)


def cache_key(photo_digest: str) -> str:
    """Name of a photo's embedding: of model and photo, so a new model meets no old embedding."""
    return f"embedding:{sam_model().identity}:{photo_digest}"


def find(photo_digest: str) -> Embedding | None:
    """The embedding if it is in memory or in the shared cache; never encodes."""
    key = cache_key(photo_digest)
    found = memory.get(key)
    if found is None:
        found = _from_shared(key)
        if found is not None:
            memory.put(key, found)
    return found


def is_in_memory(photo_digest: str) -> bool:
    """True when this process holds the photo's embedding; asks nobody else."""
    try:
        return memory.get(cache_key(photo_digest)) is not None
    except ModelError:
        return False


def obtain(photo_digest: str, read_photo: ReadPhoto) -> Embedding:
    """The photo's embedding, waiting for whoever is encoding it, or encoding it here.

    Args:
        photo_digest: names the photo's pixels, by the upload they were read from
            (`uploads.create_session`).
        read_photo: called at most once, only where the encoder has to run; uint8 H x W x 3 RGB.

    Raises:
        segmentation.ModelError: the weights are missing or altered.
        AppError: the photo could not be read.
    """
    found = find(photo_digest)
    if found is not None:
        return found
    key = cache_key(photo_digest)

    def encode() -> Embedding:
        embedding = _encode_once(key, read_photo)
        memory.put(key, embedding)
        return embedding

    return _encoding.get_or_make(key, encode)


def encode_in_background(photo_digest: str, pixels: Pixels) -> Future[Embedding] | None:
    """Start encoding without waiting.

    Returns:
        The embedding to come, which may be cancelled as long as it has not begun; None when too
        many photos wait already, or the process is stopping: then the first click encodes.
    """

    def encode() -> Embedding:
        return obtain(photo_digest, lambda: pixels)

    return executor.submit(encode, label=f"photo {photo_digest[:12]}", size=pixels.nbytes)


def warm_up() -> Future[None] | None:
    """Load the model's graphs in the background: else the first photo after a start waits for them
    as well.

    Missing weights are no error here: health and the first click say so.
    """
    return executor.submit(lambda: sam_model().warm_up(), label="loading the model")


def _encode_once(key: str, read_photo: ReadPhoto) -> Embedding:
    """Encode under the shared lock, or take what the lock's holder leaves in the shared cache."""
    lock = redis_client.SharedLock(f"lock:{key}", seconds=LOCK_SECONDS)
    # Not taken in all that time: its holder is stuck, and encoding twice is better than waiting on.
    lock.acquire(wait_seconds=LOCK_SECONDS)
    try:
        found = _from_shared(key)
        if found is not None:
            return found
        started = time.perf_counter()
        embedding = sam_model().encode(read_photo())
        logger.info("photo encoded in %.2f s", time.perf_counter() - started)
        redis_client.set_bytes(key, embedding.to_bytes(), seconds=settings.EMBEDDING_TTL_SECONDS)
        return embedding
    finally:
        lock.release()


def _from_shared(key: str) -> Embedding | None:
    data = redis_client.get_bytes(key)
    if data is None:
        return None
    try:
        return Embedding.from_bytes(data)
    except EmbeddingError:
        logger.warning("a damaged embedding in the shared cache is ignored")
        return None
