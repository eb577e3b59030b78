"""The bounded cache behind decoded clicks."""

from __future__ import annotations

import os

from segmentation.cache import LruCache


def test_a_value_is_made_once() -> None:
    cache: LruCache[int] = LruCache(2)
    made: list[int] = []

    for _ in range(3):
        assert cache.get_or_make("key", lambda: made.append(1) or 7) == 7

    assert len(made) == 1


def test_the_least_recently_used_value_goes_first() -> None:
    cache: LruCache[str] = LruCache(2)
    for key in ("a", "b", "a", "c"):
        cache.get_or_make(key, lambda key=key: key)
    made: list[str] = []

    for key in ("a", "b"):
        cache.get_or_make(key, lambda key=key: made.append(key) or key)

    assert made == ["b"]
    assert len(cache) == 2


def test_a_child_does_not_wait_for_a_lock_of_its_parent() -> None:
    cache: LruCache[int] = LruCache(2)

    with cache._lock:
        child = os.fork()
        if child == 0:
            os._exit(cache.get_or_make("key", lambda: 7))
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 7
