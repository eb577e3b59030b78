"""A photo is stored at once as it is, and compressed when its visitor no longer waits.

Deflating a large photo takes long enough to be felt, and a visitor who has just uploaded would wait
for it together with the encoder. So the upload stores a PNG that is not compressed, and a
background thread puts the compressed one in its place once the photo is encoded: the same pixels,
whole at every moment. A process that dies before leaves the large one. Only where the store is a
disk: elsewhere the larger file takes longer to send than to compress.
"""

from __future__ import annotations

import logging
import uuid
from concurrent.futures import Future
from typing import Final

from django.utils import timezone

from imaging import encode_stored_photo, read_stored
from imaging.types import Pixels
from sessions_app import storage
from sessions_app.error_translation import reading_stored
from sessions_app.inference.background import BackgroundExecutor
from sessions_app.models import Session
from sessions_app.storage import keys

logger = logging.getLogger(__name__)

# No decoding slot is held meanwhile, and 20 megapixels take 250 MB at their peak: larger photos are
# compressed at once.
MAX_PIXEL_BYTES = 60 * 1024 * 1024

# From so many waiting photos on the next is compressed before it is stored. Asked at the upload;
# its turn comes after its encoding, so the executor takes as many more as may wait for the encoder.
# A stop of the process waits for all.
MAX_WAITING = 8
executor: Final = BackgroundExecutor("compress", max_items=4 * MAX_WAITING)


def has_room(pixels: Pixels) -> bool:
    """True when this photo may be stored as it is, for `compress_later` to follow."""
    fits = pixels.nbytes <= MAX_PIXEL_BYTES and executor.state().items < MAX_WAITING
    return storage.is_disk() and fits


def compress_later(session_id: uuid.UUID) -> Future[bool] | None:
    """Put the compressed photo in the place of the large one, in the background.

    Returns:
        Whether it was done, to come; None when nothing is begun any more: the photo stays large.
    """
    begun = executor.submit(lambda: compress(session_id), label=f"photo of {session_id}")
    if begun is None:
        logger.warning("photo of %s stays large", session_id)
    return begun


def compress(session_id: uuid.UUID) -> bool:
    """Compress the stored photo; False when it or its session is gone.

    Raises:
        AppError: the store is away, has no photo any more, or has something else in its place.
    """
    key = keys.photo(session_id)
    data = storage.read(key)
    with reading_stored("photo"):
        compressed = encode_stored_photo(read_stored(data))
    if not storage.replace(key, compressed):
        return False
    # A purge hides the session, removes its folder, then the row: hidden already counts as gone.
    # What we wrote may have come after it looked, so the folder is removed once more.
    if not Session.objects.filter(pk=session_id, expires_at__gt=timezone.now()).exists():
        storage.delete_prefix(keys.session_prefix(session_id))
        return False
    return True
