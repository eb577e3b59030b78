"""The time of one run on an image service: a deadline, and a sign of life every few seconds.

The row's lease is prolonged by `on_stage`, which must be called in the thread that owns the database connection. So
whatever may block (an exchange over the network) is done in a thread beside, while this one waits, beats, and can be
told to stop: by the deadline, by `on_stage` (the run is somebody else's now), or by the job's own alarm.
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

BEAT_SECONDS: Final = 2.0


class Watch:
    """Counts down from its making.

    `keepers` are called with every beat: things that have to be kept alive, such as a slot.
    """

    def __init__(self, seconds: float, on_stage: OnStage) -> None:
        self._seconds = seconds
        self._started = time.monotonic()
        self._on_stage = on_stage
        self._last_beat = float("-inf")
        self.keepers: list[Callable[[], None]] = []

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def remaining(self) -> float:
        """Seconds left, more than 0. Raises `TooSlow` where none are."""
        left = self._seconds - self.elapsed()
        if left <= 0:
            raise TooSlow(f"no picture within {self._seconds:g} s")
        return left

    def beat(self, stage: str) -> None:
        """A sign of life, at most one in two seconds. Raises `TooSlow`, and whatever `on_stage` raises."""
        self.remaining()
        now = time.monotonic()
        if now - self._last_beat < BEAT_SECONDS:
            return
        self._last_beat = now
        self._on_stage(stage, self.elapsed())
        for keep in self.keepers:
            keep()

    def sleep(self, seconds: float, stage: str) -> None:
        """Wait so long, beating. Raises as `beat`; a wait beyond the deadline ends there."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, BEAT_SECONDS, self.remaining()))
            self.beat(stage)

    def during(self, work: Callable[[], T], stage: str, *, beating: bool = True) -> T:
        """The result of `work`, done in a thread of its own while this one beats; raises what `work` raises.

        When the wait ends early the thread is left behind: `work` must have time-outs of its own.
        beating: False keeps `on_stage` out of it, for work whose result must not get lost.
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
                result, error = results.get(timeout=min(BEAT_SECONDS, self.remaining()))
                break
            except queue.Empty:
                if beating:
                    self.beat(stage)
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # T itself may be None
