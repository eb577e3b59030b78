"""A small least-recently-used map that threads may share."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

Value = TypeVar("Value")

_LIVE: Final[weakref.WeakSet[LruCache[Any]]] = weakref.WeakSet()


class LruCache(Generic[Value]):
    """At most `entries` values by key; `get_or_make` makes what is not there.

    Two threads that miss the same key at once may both make it. Makers are pure, so the values are
    equal, and nobody waits behind a lock for another visitor's decode.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        _LIVE.add(self)

    def get_or_make(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `key`, made now when absent."""
        value = self.find(key)
        if value is None:
            value = make()
            self.keep(key, value)
        return value

    def find(self, key: Hashable) -> Value | None:
        """The value of `key`, just used by that; None when it is not kept."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def keep(self, key: Hashable, value: Value) -> None:
        """Keep a value, letting the longest unused go when there are too many."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._entries:
                self._values.popitem(last=False)

    def __len__(self) -> int:
        return len(self._values)


def _new_locks_after_fork() -> None:
    """A lock that another thread of the parent held at the fork would never be released here."""
    for cache in list(_LIVE):
        cache._lock = threading.Lock()


os.register_at_fork(after_in_child=_new_locks_after_fork)
