"""Limits on what one web process does at a time: decoding pictures, computing masks, fetching
links.

Whoever finds every slot taken waits a little and is then told to come back; nothing piles up in
memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings

from sessions_app.errors import Busy


class ConcurrencyLimit:
    """A semaphore with a patience: so many slots, and how many of them are in use.

    Args:
        slots: how many may be held at once.
        patience_seconds: how long to wait for one.
        full_message: what is going on when all are taken, as a sentence for the visitor.
    """

    def __init__(self, slots: int, *, patience_seconds: float, full_message: str) -> None:
        self.slots = slots
        self.patience_seconds = patience_seconds
        self._full_message = full_message
        self._in_use = 0
        self._changed = threading.Condition()

    @property
    def in_use(self) -> int:
        """How many slots are held at this moment."""
        return self._in_use

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot.

        Raises:
            Busy: all stayed taken for the whole patience.
        """
        self._acquire()
        try:
            yield
        finally:
            with self._changed:
                self._in_use -= 1
                self._changed.notify()

    def _acquire(self) -> None:
        deadline = time.monotonic() + self.patience_seconds
        with self._changed:
            while self._in_use >= self.slots:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            if self._in_use >= self.slots:
                raise Busy(f"{self._full_message} Please try again in a few seconds.")
            self._in_use += 1


# Decoding takes about ten bytes a pixel: two 50-megapixel photos at once stay within 1.1 GB. Not
# counted here, and limited by their executors: photos that wait for the encoder, and the one that
# is being compressed. Who holds a slot may wait for one of `mask_limit`, never the other way round.
decode_limit: Final = ConcurrencyLimit(
    2, patience_seconds=20.0, full_message="Many pictures are coming in at this moment."
)
# As many as the cores can compute, each with its decoder's threads: more at once take no less time
# together, and more memory. Not to be held while waiting for anything else.
mask_limit: Final = ConcurrencyLimit(
    max(1, settings.CORES // settings.SAM_DECODER_THREADS),
    patience_seconds=20.0,
    full_message="Many walls are being marked at this moment.",
)
# A slow server may hold a link for its whole deadline: leave threads for everybody else.
link_limit: Final = ConcurrencyLimit(
    3, patience_seconds=5.0, full_message="Many links are being fetched at this moment."
)
