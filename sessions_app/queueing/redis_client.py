"""The connection to Redis or Valkey, and the few things we ask of it besides queues.

The only module, with `sessions_app.queueing.queues` and `jobs.worker`, that knows redis-py. Values here are caches and locks:
losing them costs time, never work.
"""

from __future__ import annotations

import secrets
import time
from functools import lru_cache
from typing import Final

import redis
from django.conf import settings

ConnectionFailed: Final = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError)
AnyFailure: Final = (redis.exceptions.RedisError, OSError)

CONNECT_TIMEOUT_SECONDS = 2
ANSWER_TIMEOUT_SECONDS = 5
KEY_PREFIX = "wallpaper:"

# Deletes a lock only while it is still ours: after its time has run out, it may be somebody else's.
RELEASE_SCRIPT = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    options: dict[str, object] = {"socket_timeout": ANSWER_TIMEOUT_SECONDS}
    if not url.startswith("unix:"):
        options["socket_connect_timeout"] = CONNECT_TIMEOUT_SECONDS
    return redis.Redis.from_url(url, **options)


def client() -> redis.Redis:
    """The process's client; connections are made when needed and pooled."""
    return _client(settings.REDIS_URL)


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
    """Keep a value for so many seconds unless there is one; False when there is, or the server is away."""
    try:
        return bool(client().set(KEY_PREFIX + key, value, nx=True, ex=seconds))
    except AnyFailure:
        return False


def say_word(key: str, *, seconds: int) -> bool:
    """Wake one who waits for a word under this key, now or within so many seconds; False when the server is away."""
    try:
        with client().pipeline() as together:
            together.rpush(KEY_PREFIX + key, b"1")
            together.expire(KEY_PREFIX + key, seconds)
            together.execute()
    except AnyFailure:
        return False
    return True


def wait_for_word(key: str, *, seconds: float) -> bool:
    """Wait for a word, at most so long (less than the answer's time-out); with the server away, all that time."""
    started = time.monotonic()
    try:
        return client().blpop([KEY_PREFIX + key], timeout=max(0.01, seconds)) is not None
    except AnyFailure:
        time.sleep(max(0.0, seconds - (time.monotonic() - started)))
        return False


def acquire(key: str, *, seconds: int) -> str | None:
    """Take a lock that ends by itself; its token, or None when another holds it.

    With the server away every caller gets a token: the lock saves double work, it does not guard truth.
    """
    token = secrets.token_hex(16)
    try:
        taken = client().set(KEY_PREFIX + key, token, nx=True, ex=seconds)
    except AnyFailure:
        return token
    return token if taken else None


def release(key: str, token: str) -> None:
    """Give the lock back if it is still ours."""
    try:
        client().eval(RELEASE_SCRIPT, 1, KEY_PREFIX + key, token)
    except AnyFailure:
        return
