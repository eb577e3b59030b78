"""A photo is stored at once as it is, and packed when its visitor no longer waits.

Deflating twelve megapixels takes 350 ms of CPU, which a visitor who has just uploaded would wait for together with the
encoder. So the upload stores a PNG that is not compressed (three times as large), and a thread of low priority puts the
compressed one in its place: the same pixels, whole at every moment. A process that dies before leaves the large one.
Only where the store is a disk: elsewhere the larger file takes longer to send than to compress.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import connection

from sessions_app import keys, storage
from sessions_app.errors import AppError
from sessions_app.intake import IntakeError, encode_stored_photo, read_stored
from sessions_app.models import Session

logger = logging.getLogger(__name__)

# Photos that wait to be packed; past it they are packed before they are stored. A stop waits for them.
MAX_WAITING = 8
LOW_PRIORITY = 10  # as of `nice`


def _step_back() -> None:
    """Let encoder and clicks go first; only Linux gives each thread a priority."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)


_packer = ThreadPoolExecutor(1, thread_name_prefix="pack", initializer=_step_back)
_waiting: set[uuid.UUID] = set()


def has_room() -> bool:
    """True when a photo may be stored as it is, for `pack_later` to follow."""
    return storage.is_disk() and len(_waiting) < MAX_WAITING


def pack_later(session_id: uuid.UUID) -> Future[bool]:
    """Put the compressed photo in the place of the large one, in the background."""

    def work() -> bool:
        try:
            return pack(session_id)
        except (AppError, IntakeError) as error:
            logger.warning("photo of %s stays large: %s", session_id, error)
            return False
        finally:
            connection.close()  # this thread's own; nobody else would
            _waiting.discard(session_id)

    _waiting.add(session_id)
    return _packer.submit(work)


def pack(session_id: uuid.UUID) -> bool:
    """Compress the stored photo; False when it is gone.

    Raises:
        AppError: the store is away, or has no photo any more.
        IntakeError: what it has is not a stored photo.
    """
    key = keys.photo(session_id)
    packed = encode_stored_photo(read_stored(storage.read(key)))
    if not storage.replace(key, packed):
        return False
    if not Session.objects.filter(pk=session_id).exists():
        storage.delete(key)  # the room was deleted in between, and its photo with it
        return False
    return True
