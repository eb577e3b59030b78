"""The connection to Redis or Valkey, and the few things we ask of it besides queues.

The only module, with `sessions_app.queueing.queues` and `jobs.worker`, that knows redis-py. Values
here are caches and locks: losing them costs time, never work.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import redis
from django.conf import settings
from redis.lock import Lock

AnyFailure: Final = (redis.exceptions.RedisError, OSError)

CONNECT_TIMEOUT_SECONDS = 2
ANSWER_TIMEOUT_SECONDS = 5
KEY_PREFIX = "wallpaper:"
LOCK_POLL_SECONDS = 0.05


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    options: dict[str, object] = {"socket_timeout": ANSWER_TIMEOUT_SECONDS}
    if not url.startswith("unix:"):
        options["socket_connect_timeout"] = CONNECT_TIMEOUT_SECONDS
    return redis.Redis.from_url(url, **options)


def client() -> redis.Redis:
    """The process's client; connections are made when needed and pooled."""
    return _client(settings.REDIS_URL)


def shown_address() -> str:
    """`REDIS_URL` as it may be shown and logged: without its password and its options."""
    parts = urlsplit(settings.REDIS_URL)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def reachable() -> bool:
    """True when the server answers a ping."""
    try:
        return bool(client().ping())
    except AnyFailure:
        return False


def get_bytes(key: str) -> bytes | None:
    """The cached value, or None when it is absent or the server is away."""
    try:
        value = client().get(KEY_PREFIX + key)
    except AnyFailure:
        return None
    return value if isinstance(value, bytes) else None


def set_bytes(key: str, value: bytes, *, seconds: int) -> bool:
    """Cache a value for so many seconds; False when the server is away."""
    try:
        return bool(client().set(KEY_PREFIX + key, value, ex=seconds))
    except AnyFailure:
        return False


def set_if_absent(key: str, value: bytes, *, seconds: int) -> bool:
    """Keep a value for so many seconds unless there is one.

    Returns:
        False when there is one already, or the server is away.
    """
    try:
        return bool(client().set(KEY_PREFIX + key, value, nx=True, ex=seconds))
    except AnyFailure:
        return False


def delete_if_equal(key: str, value: str) -> None:
    """Delete a value that is still this one, in one step, as redis-py releases a lock."""
    with suppress(*AnyFailure):
        Lock(client(), KEY_PREFIX + key).do_release(value)


def notify(key: str, *, seconds: int) -> bool:
    """Wake one waiter for this key, now or within so many seconds; False without a server."""
    try:
        with client().pipeline() as together:
            together.rpush(KEY_PREFIX + key, b"1")
            together.expire(KEY_PREFIX + key, seconds)
            together.execute()
    except AnyFailure:
        return False
    return True


def wait_for_notification(key: str, *, seconds: float) -> bool:
    """Wait for `notify`; with the server away, all the time.

    Args:
        seconds: the longest wait, less than the time-out of an answer.
    """
    started = time.monotonic()
    try:
        return client().blpop([KEY_PREFIX + key], timeout=max(0.01, seconds)) is not None
    except AnyFailure:
        time.sleep(max(0.0, seconds - (time.monotonic() - started)))
        return False


class SharedLock:
    """A lock among all processes, which ends by itself: redis-py's.

    With the server away everybody gets it: the lock saves double work, it does not guard truth.
    """

    def __init__(self, key: str, *, seconds: float) -> None:
        self._lock = Lock(
            client(),
            KEY_PREFIX + key,
            timeout=seconds,
            sleep=LOCK_POLL_SECONDS,
            thread_local=False,  # a slot is renewed by whichever thread sends the heartbeat
        )

    def acquire(self, *, wait_seconds: float = 0) -> bool:
        """Take the lock; False when another holds it for longer than `wait_seconds`."""
        try:
            return bool(self._lock.acquire(blocking_timeout=wait_seconds))
        except AnyFailure:
            return True

    def renew(self) -> None:
        """Start the lock's time anew, if it is still ours."""
        with suppress(*AnyFailure):  # among them redis-py's "not owned"
            self._lock.reacquire()

    def release(self) -> None:
        """Give the lock back, if it is still ours."""
        with suppress(*AnyFailure):
            self._lock.release()
