"""A bounded least-recently-used cache that threads may share and a fork does not lock up.

`cachetools.LRUCache` does the bookkeeping; what it lacks is the lock, and that lock must be new in
a child process.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

import cachetools

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_LIVE: Final[weakref.WeakSet[LruCache[Any, Any]]] = weakref.WeakSet()


class LruCache(Generic[Key, Value]):
    """Keeps the values used last, at most `maxsize` of them.

    getsizeof: what a value counts for, 1 without it; `maxsize` is then the sum of these. A value
    that is larger than `maxsize` by itself is not kept.

    Two threads that miss the same key at once may both make it. Makers are pure, so the values are
    equal, and nobody waits behind a lock for another visitor's decode.
    """

    def __init__(
        self, maxsize: float, *, getsizeof: Callable[[Value], float] | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._values: cachetools.LRUCache[Key, Value] = cachetools.LRUCache(maxsize, getsizeof)
        _LIVE.add(self)

    def get(self, key: Key) -> Value | None:
        """The value of `key`, just used by that; None when it is not kept."""
        with self._lock:
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, letting the longest unused go when there are too many."""
        with self._lock:
            if self._values.getsizeof(value) <= self._values.maxsize:
                self._values[key] = value
            else:
                self._values.pop(key, None)  # what was kept before is out of date

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of `key`, made now when absent."""
        value = self.get(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        return len(self._values)


def _new_locks_after_fork() -> None:
    """A lock that another thread of the parent held at the fork would never be released here."""
    for cache in list(_LIVE):
        cache._lock = threading.Lock()


os.register_at_fork(after_in_child=_new_locks_after_fork)
