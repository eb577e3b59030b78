"""The time of one run on an image service: a deadline, and a heartbeat every few seconds.

The row's lease is prolonged by `on_stage`, which must be called in the thread that owns the
database connection. So whatever may block (an exchange over the network) is done in a thread
beside, while this one waits, sends heartbeats, and can be told to stop: by the deadline, by
`on_stage` (the run is somebody else's now), or by the job's own alarm.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from jobs.backends.base import OnStage
from jobs.backends.diffusion.errors import TooSlow

T = TypeVar("T")

HEARTBEAT_SECONDS: Final = 2.0


class RunDeadline:
    """Counts down from its making.

    `on_heartbeat` is called with every heartbeat: what has to be kept alive, such as the lease of a
    slot.
    """

    def __init__(self, seconds: float, on_stage: OnStage) -> None:
        self._seconds = seconds
        self._started = time.monotonic()
        self._on_stage = on_stage
        self._last_heartbeat = float("-inf")
        self.on_heartbeat: list[Callable[[], None]] = []

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def remaining(self) -> float:
        """Seconds left, more than 0.

        Raises:
            TooSlow: none are left.
        """
        left = self._seconds - self.elapsed()
        if left <= 0:
            raise TooSlow(f"no picture within {self._seconds:g} s")
        return left

    def heartbeat(self, stage: str) -> None:
        """Tell that the run is alive, at most once in two seconds.

        Raises:
            TooSlow: the time is over.
            Exception: whatever `on_stage` raises.
        """
        self.remaining()
        now = time.monotonic()
        if now - self._last_heartbeat < HEARTBEAT_SECONDS:
            return
        self._last_heartbeat = now
        self._on_stage(stage, self.elapsed())
        for call in self.on_heartbeat:
            call()

    def until_heartbeat(self, longest: float) -> float:
        """Seconds to wait before the next heartbeat, at most `longest`.

        Raises:
            TooSlow: the time is over.
        """
        return min(longest, HEARTBEAT_SECONDS, self.remaining())

    def sleep(self, seconds: float, stage: str) -> None:
        """Wait so long, with heartbeats, and never beyond the deadline. Raises as `heartbeat`."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(self.until_heartbeat(left))
            self.heartbeat(stage)

    def wait_for(self, work: Callable[[], T], stage: str, *, heartbeats: bool = True) -> T:
        """The result of `work`, done in a thread of its own while this one sends heartbeats.

        Raises what `work` raises, and as `heartbeat`. When the wait ends early the thread is left
        behind: `work` must have time-outs of its own.

        Args:
            heartbeats: False keeps `on_stage` out of it, for work whose result must not get lost.
        """
        results: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def do() -> None:
            try:
                results.put((work(), None))
            except BaseException as error:  # handed over, raised below
                results.put((None, error))

        threading.Thread(target=do, name=f"service-{stage}", daemon=True).start()
        while True:
            try:
                result, error = results.get(timeout=self.until_heartbeat(HEARTBEAT_SECONDS))
                break
            except queue.Empty:
                if heartbeats:
                    self.heartbeat(stage)
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # T itself may be None
