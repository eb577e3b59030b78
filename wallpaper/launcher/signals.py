"""Signals as something to wait for, instead of something that interrupts anywhere.

Handlers only note what came; the launcher looks at it where it waits. So a Ctrl-C can never fall between the start of
a child and the note of its process id.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from types import FrameType
from typing import Final

STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# make passes SIGTERM on to a child that the terminal or a supervisor has signalled already.
ECHO_SECONDS: Final = 1.0


class Signals:
    """Notes stop signals from its making on; `wait` returns early on them and on a child's end."""

    def __init__(self) -> None:
        self.first: signal.Signals | None = None
        self.insisted = False
        self._first_at = 0.0
        self._reader, self._writer = os.pipe()  # not inherited; both ends must never block
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        for number in STOPPING:
            # nohup asks for hang-ups to be ignored, and means it.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # wakes `wait`
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def wait(self, seconds: float) -> None:
        """Sleep so long, or until a signal comes."""
        select.select([self._reader], [], [], max(0.0, seconds))
        with suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.first is None:
            self.first, self._first_at = signal.Signals(number), time.monotonic()
        elif time.monotonic() - self._first_at > ECHO_SECONDS:
            self.insisted = True
