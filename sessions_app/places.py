"""Bounds on what one web process does at a time: decoding strangers' pictures, and fetching links.

Whoever finds no place waits a little and is then told to come back; nothing piles up in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sessions_app.errors import Busy

# Decoding takes about ten bytes a pixel: two 50-megapixel photos at once stay within 1.1 GB.
DECODINGS_AT_ONCE: Final = 2
DECODING_PATIENCE_SECONDS = 20.0
# A slow server may hold a link for its whole deadline: leave threads for everybody else.
LINKS_AT_ONCE: Final = 3
LINK_PATIENCE_SECONDS = 5.0

_decoding = threading.BoundedSemaphore(DECODINGS_AT_ONCE)
_fetching = threading.BoundedSemaphore(LINKS_AT_ONCE)


@contextmanager
def a_decoding_place() -> Iterator[None]:
    """One of the places where a picture may be decoded.

    Raises:
        Busy: all stayed taken.
    """
    if not _decoding.acquire(timeout=DECODING_PATIENCE_SECONDS):
        raise _busy("Many pictures are coming in at this moment.")
    try:
        yield
    finally:
        _decoding.release()


@contextmanager
def a_link_place() -> Iterator[None]:
    """One of the places where a link may be fetched.

    Raises:
        Busy: all stayed taken.
    """
    if not _fetching.acquire(timeout=LINK_PATIENCE_SECONDS):
        raise _busy("Many links are being fetched at this moment.")
    try:
        yield
    finally:
        _fetching.release()


def _busy(what: str) -> Busy:
    return Busy(f"{what} Please try again in a few seconds.")
