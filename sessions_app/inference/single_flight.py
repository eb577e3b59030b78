"""One computation at a time for each key in this process: who asks meanwhile gets the same answer.
Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SingleFlight(Generic[Key, Value]):
    """Keeps no value: `make` puts it where the next one looks, before the flight ends."""

    def __init__(self) -> None:
        self._flights: dict[Key, Future[Value]] = {}
        self._lock = threading.Lock()

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """What `make` gives, called here or by whoever began first.

        Raises:
            Whatever `make` raises, to all who wait for it.
        """
        mine: Future[Value] = Future()
        with self._lock:
            flight = self._flights.setdefault(key, mine)
        if flight is not mine:
            return flight.result()
        try:
            value = make()
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(value)
            return value
        finally:
            with self._lock:
                self._flights.pop(key, None)
