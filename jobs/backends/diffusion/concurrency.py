"""At most so many generations at once on one image service, over all workers of all machines.

A semaphore of locks in Redis: a slot ends by itself when its holder dies, and is renewed while the
holder lives. With Redis away there is no limit: the queue is away then as well, and only single
commands run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from jobs.backends.diffusion.deadline import RunDeadline
from jobs.backends.diffusion.errors import Busy, TooSlow
from sessions_app.queueing.redis_client import SharedLock

SLOT_SECONDS: Final = 60
POLL_SECONDS: Final = 0.5


@contextmanager
def backend_slot(backend: str, *, count: int, deadline: RunDeadline) -> Iterator[None]:
    """Hold one of `count` slots of `backend` for the length of the block; waits until the deadline.

    Raises:
        Busy: none became free before the deadline.
    """
    slot = _wait_for_slot(backend, count, deadline)
    deadline.on_heartbeat.append(slot.renew)
    try:
        yield
    finally:
        deadline.on_heartbeat.remove(slot.renew)
        slot.release()


def _wait_for_slot(backend: str, count: int, deadline: RunDeadline) -> SharedLock:
    slots = [
        SharedLock(f"backend:{backend}:slot:{number}", seconds=SLOT_SECONDS)
        for number in range(count)
    ]
    try:
        while True:
            for slot in slots:
                if slot.acquire():
                    return slot
            deadline.heartbeat("waiting")
            deadline.sleep(POLL_SECONDS, "waiting")
    except TooSlow as error:
        raise Busy(f"all {count} slots of {backend} stayed taken") from error
