"""Work of a web process that nobody waits for: encoding photos, compressing them, preparing
previews.

Each kind of work has an executor of its own: one named thread, with bounds on how many items wait
and how many bytes they hold. An executor that is full, or whose process is stopping, refuses
instead of growing; whoever asked then does without. The threads run at normal priority: one of low
priority that holds Python's lock is not scheduled to give it back, and everybody waits.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import DatabaseError, InterfaceError, connection

from sessions_app.error_translation import is_refusal

logger = logging.getLogger(__name__)

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class BackgroundState:
    """What an executor has to do: `items` that wait or run, and the `bytes` they hold."""

    items: int
    bytes: int


class BackgroundExecutor:
    """One background thread with a bounded queue.

    Args:
        name: of the thread, in logs.
        max_items: at most so many items wait or run.
        max_bytes: at most so many bytes are held by them, as said to `submit`.
        refusal_level: at which errors raised on purpose are logged; faults are logged as errors.
    """

    def __init__(
        self,
        name: str,
        *,
        max_items: int,
        max_bytes: int | None = None,
        refusal_level: int = logging.WARNING,
    ) -> None:
        self.name = name
        self.refusal_level = refusal_level
        self.max_items = max_items
        self.max_bytes = max_bytes
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._sizes: list[int] = []
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], T], *, label: str, size: int = 0) -> Future[T] | None:
        """Run `work` later in the thread.

        Args:
            label: names the work in the log when it fails.
            size: bytes held by `work` until it has run or is cancelled.

        Returns:
            The result to come, which may be cancelled until the work begins; None when the executor
            is full or stopped. What `work` raises is logged here and is the future's exception.
        """
        if not self._admit(size):
            logger.info("%s: %s is refused, too much is waiting", self.name, label)
            return None
        # Cancelled work stays in the pool's queue until its turn; what it holds need not.
        held = [work]
        try:
            future = self._pool.submit(self._run, held, label)
        except RuntimeError as error:
            self._release(size)
            logger.info("%s: %s is not begun any more: %s", self.name, label, error)
            return None

        def release(_: Future[T]) -> None:
            held.clear()
            self._release(size)

        future.add_done_callback(release)
        return future

    def state(self) -> BackgroundState:
        """What waits or runs at this moment."""
        with self._lock:
            return BackgroundState(items=len(self._sizes), bytes=sum(self._sizes))

    def wait_idle(self, timeout_seconds: float) -> None:
        """Wait until everything submitted so far has ended, with the callbacks of its futures.

        Raises:
            TimeoutError: it has not by then.
        """
        self._pool.submit(lambda: None).result(timeout_seconds)

    def stop(self, *, cancel_waiting: bool = False) -> None:
        """Take nothing more; finish what is begun, and what waits unless that is cancelled."""
        self._pool.shutdown(wait=True, cancel_futures=cancel_waiting)

    def _admit(self, size: int) -> bool:
        with self._lock:
            total = sum(self._sizes) + size
            if len(self._sizes) >= self.max_items or (
                self.max_bytes is not None and total > self.max_bytes
            ):
                return False
            self._sizes.append(size)
            return True

    def _release(self, size: int) -> None:
        with self._lock:
            self._sizes.remove(size)

    def _run(self, held: list[Callable[[], T]], label: str) -> T:
        try:
            return held[0]()
        except Exception as error:
            if is_refusal(error):
                logger.log(self.refusal_level, "%s: %s failed: %s", self.name, label, error)
            else:
                logger.exception("%s: %s failed", self.name, label)
            raise
        finally:
            # This thread's own connection; nobody else would close it. The next work makes a new
            # one.
            with suppress(DatabaseError, InterfaceError):
                connection.close()


@dataclass(slots=True, eq=False)
class _Pending:
    timer: threading.Timer
    future: Future[Any] | None = None


class Debouncer(Generic[Key]):
    """Hands an executor the newest work of each key, once nothing newer has come for a moment.

    Args:
        executor: runs what is due.
        quiet_seconds: how long a key must have been left alone.
        max_keys: where more keys wait, the one that has waited longest is dropped.
    """

    def __init__(
        self, executor: BackgroundExecutor, *, quiet_seconds: float, max_keys: int
    ) -> None:
        self.quiet_seconds = quiet_seconds
        self.max_keys = max_keys
        self._executor = executor
        self._pending: OrderedDict[Key, _Pending] = OrderedDict()
        self._lock = threading.RLock()  # cancelling a future calls back in the same thread

    def submit(self, key: Key, work: Callable[[], object], *, label: str) -> None:
        """Run `work` after the quiet time, in place of what waits under this key."""
        timer = threading.Timer(self.quiet_seconds, lambda: self._due(key, pending, work, label))
        timer.daemon = True
        pending = _Pending(timer)
        with self._lock:
            self._drop(key)
            self._pending[key] = pending
            while len(self._pending) > self.max_keys:
                self._drop(next(iter(self._pending)))
        timer.start()

    def cancel(self, key: Key) -> None:
        """Drop what waits under this key; what has begun goes on."""
        with self._lock:
            self._drop(key)

    def wait_idle(self, timeout_seconds: float) -> None:
        """Wait until everything submitted so far was run or dropped.

        Raises:
            TimeoutError: it was not by then.
        """
        with self._lock:
            timers = [pending.timer for pending in self._pending.values()]
        for timer in timers:
            timer.join(timeout_seconds)
        self._executor.wait_idle(timeout_seconds)

    def _drop(self, key: Key) -> None:
        pending = self._pending.pop(key, None)
        if pending is None:
            return
        pending.timer.cancel()
        if pending.future is not None:
            pending.future.cancel()

    def _due(self, key: Key, pending: _Pending, work: Callable[[], object], label: str) -> None:
        with self._lock:
            if self._pending.get(key) is not pending:
                return
            pending.future = self._executor.submit(work, label=label)
            if pending.future is None:
                del self._pending[key]
                return

        def forget(_: Future[object]) -> None:
            with self._lock:
                if self._pending.get(key) is pending:
                    del self._pending[key]

        pending.future.add_done_callback(forget)
