"""A photo is stored at once as it is, and packed when its visitor no longer waits.

Deflating twelve megapixels takes 350 ms of CPU, which a visitor who has just uploaded would wait for together with the
encoder. So the upload stores a PNG that is not compressed (three times as large), and a thread puts the compressed one
in its place once the photo is encoded: the same pixels, whole at every moment. A process that dies before leaves the
large one. Only where the store is a disk: elsewhere the larger file takes longer to send than to compress.

The thread's priority is that of all others: one of low priority that holds Python's lock is not let run to give it back,
and everybody waits.
"""

from __future__ import annotations

import logging
import uuid
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import connection
from django.utils import timezone

from imaging import ImagingError, encode_stored_photo, read_stored
from imaging.types import Pixels
from sessions_app import storage
from sessions_app.errors import AppError
from sessions_app.models import Session
from sessions_app.storage import keys

logger = logging.getLogger(__name__)

# Photos that wait to be packed; past it they are packed before they are stored. A stop waits for them.
MAX_WAITING = 8
# The packer takes no decoding place, and 20 megapixels take it 250 MB at their peak: larger photos are packed at once.
MAX_PIXEL_BYTES = 60 * 1024 * 1024

_packer = ThreadPoolExecutor(1, thread_name_prefix="pack")
_waiting: set[uuid.UUID] = set()


def has_room(pixels: Pixels) -> bool:
    """True when this photo may be stored as it is, for `pack_later` to follow."""
    return storage.is_disk() and pixels.nbytes <= MAX_PIXEL_BYTES and len(_waiting) < MAX_WAITING


def pack_later(session_id: uuid.UUID) -> Future[bool] | None:
    """Put the compressed photo in the place of the large one, in the background.

    Returns:
        Whether it was done, to come; None when nothing is begun any more because the process is stopping.
    """
    _waiting.add(session_id)
    try:
        return _packer.submit(_work, session_id)
    except RuntimeError as error:
        _waiting.discard(session_id)
        logger.warning("photo of %s stays large: %s", session_id, error)
        return None


def _work(session_id: uuid.UUID) -> bool:
    """Pack, and say in the log why not: nobody reads the future."""
    try:
        return pack(session_id)
    except (AppError, ImagingError) as error:
        logger.warning("photo of %s stays large: %s", session_id, error)
        return False
    except Exception:
        logger.exception("photo of %s stays large", session_id)
        return False
    finally:
        _waiting.discard(session_id)
        connection.close()  # this thread's own; nobody else would


def pack(session_id: uuid.UUID) -> bool:
    """Compress the stored photo; False when it or its room is gone.

    Raises:
        AppError: the store is away, or has no photo any more.
        ImagingError: what it has is not a stored photo.
    """
    key = keys.photo(session_id)
    packed = encode_stored_photo(read_stored(storage.read(key)))
    if not storage.replace(key, packed):
        return False
    # A purge hides the room, removes its folder, then the row: hidden already counts as gone. What we wrote may have
    # come after it looked, so the folder is removed once more.
    if not Session.objects.filter(pk=session_id, expires_at__gt=timezone.now()).exists():
        storage.delete_prefix(keys.session_prefix(session_id))
        return False
    return True
