"""Bounds on what one web process does at a time: decoding strangers' pictures, computing masks, fetching links.

Whoever finds no place waits a little and is then told to come back; nothing piles up in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from django.conf import settings

from sessions_app.errors import Busy

# Decoding takes about ten bytes a pixel: two 50-megapixel photos at once stay within 1.1 GB. Not counted here, and
# bounded by themselves: photos that wait for the encoder (`embeddings`) and the one that is being packed (`packing`).
DECODINGS_AT_ONCE: Final = 2
DECODING_PATIENCE_SECONDS = 20.0
# As many as the cores can compute, each with its decoder's threads: twelve masks on two cores take as long as two and two and so on, and six times the memory.
MASKS_AT_ONCE: Final = max(1, settings.CORES // settings.SAM_DECODER_THREADS)
MASK_PATIENCE_SECONDS = 20.0
# A slow server may hold a link for its whole deadline: leave threads for everybody else.
LINKS_AT_ONCE: Final = 3
LINK_PATIENCE_SECONDS = 5.0

_decoding = threading.BoundedSemaphore(DECODINGS_AT_ONCE)
_masking = threading.BoundedSemaphore(MASKS_AT_ONCE)
_fetching = threading.BoundedSemaphore(LINKS_AT_ONCE)


def a_decoding_place() -> AbstractContextManager[None]:
    """One of the places where a picture may be decoded.

    Who holds one may wait for a masking place, never the other way round. Entering raises Busy where all stay taken.
    """
    return _place(
        _decoding, DECODING_PATIENCE_SECONDS, "Many pictures are coming in at this moment."
    )


def a_masking_place() -> AbstractContextManager[None]:
    """One of the places where a mask may be computed; not to be held while waiting for anything else.

    Entering raises Busy where all stay taken.
    """
    return _place(_masking, MASK_PATIENCE_SECONDS, "Many walls are being marked at this moment.")


def is_masking() -> bool:
    """True while a mask is being computed in this process."""
    free = 0
    while free < MASKS_AT_ONCE and _masking.acquire(blocking=False):
        free += 1
    for _ in range(free):
        _masking.release()
    return free < MASKS_AT_ONCE


def a_link_place() -> AbstractContextManager[None]:
    """One of the places where a link may be fetched. Entering raises Busy where all stay taken."""
    return _place(_fetching, LINK_PATIENCE_SECONDS, "Many links are being fetched at this moment.")


@contextmanager
def _place(places: threading.BoundedSemaphore, patience: float, full: str) -> Iterator[None]:
    if not places.acquire(timeout=patience):
        raise Busy(f"{full} Please try again in a few seconds.")
    try:
        yield
    finally:
        places.release()
