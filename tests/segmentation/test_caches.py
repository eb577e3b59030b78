"""The bounded cache behind decoded clicks."""

from __future__ import annotations

import os
from functools import partial

from segmentation.cache import LruCache


def test_a_value_is_made_once() -> None:
    cache: LruCache[str, int] = LruCache(2)
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return 7

    for _ in range(3):
        assert cache.get_or_make("key", make) == 7

    assert len(made) == 1


def test_the_least_recently_used_value_goes_first() -> None:
    cache: LruCache[str, str] = LruCache(2)
    for key in ("a", "b", "a", "c"):
        cache.get_or_make(key, partial(str, key))
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key

    for key in ("a", "b"):
        cache.get_or_make(key, partial(make, key))

    assert made == ["b"]
    assert len(cache) == 2


def test_values_may_be_bounded_by_their_size() -> None:
    cache: LruCache[str, bytes] = LruCache(10, getsizeof=len)

    cache.put("a", b"aaaa")
    cache.put("b", b"bbbb")
    cache.put("c", b"cccc")

    assert cache.get("a") is None
    assert (cache.get("b"), cache.get("c")) == (b"bbbb", b"cccc")


def test_a_value_larger_than_the_cache_is_not_kept_nor_is_what_it_replaces() -> None:
    cache: LruCache[str, bytes] = LruCache(10, getsizeof=len)
    cache.put("a", b"aaaa")
    cache.put("b", b"bbbb")

    cache.put("a", b"a" * 11)

    assert cache.get("a") is None
    assert cache.get("b") == b"bbbb"


def test_a_cleared_cache_is_empty() -> None:
    cache: LruCache[str, int] = LruCache(2)
    cache.put("a", 1)

    cache.clear()

    assert cache.get("a") is None
    assert len(cache) == 0


def test_a_child_does_not_wait_for_a_lock_of_its_parent() -> None:
    cache: LruCache[str, int] = LruCache(2)

    with cache._lock:
        child = os.fork()
        if child == 0:
            os._exit(cache.get_or_make("key", lambda: 7))
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 7
