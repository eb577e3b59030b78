"""Signals as something to wait for, instead of something that interrupts anywhere.

Handlers only record the signal; the launcher looks at the record where it waits. So a Ctrl-C can
never come between the start of a child and the recording of its process id.
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
# make passes SIGTERM on to a child that the terminal or a supervisor has already signalled: not a
# second request.
ECHO_SECONDS: Final = 1.0


class Signals:
    """Records stop signals from its creation on; `wait` returns early on them and on a child's end.

    first: the first stop signal. insisted: a second one came, and was no echo of the first.
    """

    def __init__(self) -> None:
        self.first: signal.Signals | None = None
        self.insisted = False
        self._first_at = 0.0
        self._reader, self._writer = os.pipe()  # must never block: the handler writes to it
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        for number in STOPPING:
            # nohup asks for hang-ups to be ignored, and means it.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._record)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # wakes `wait`
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def wait(self, seconds: float) -> None:
        """Sleep for `seconds`, or until a signal comes."""
        select.select([self._reader], [], [], max(0.0, seconds))
        with suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def _record(self, number: int, _frame: FrameType | None) -> None:
        if self.first is None:
            self.first, self._first_at = signal.Signals(number), time.monotonic()
        elif time.monotonic() - self._first_at > ECHO_SECONDS:
            self.insisted = True
