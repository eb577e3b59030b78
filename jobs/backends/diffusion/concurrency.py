"""At most so many generations at once on one image service, over all workers of all machines.

A slot is a lock in Redis that ends by itself when its holder dies, and is prolonged while the holder lives. With Redis
away there is no limit: the queue is away then as well, and only single commands run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from jobs.backends.diffusion.deadline import Watch
from jobs.backends.diffusion.errors import Busy, TooSlow
from sessions_app.queueing import redis_client

SLOT_SECONDS: Final = 60
LOOK_AGAIN_SECONDS: Final = 0.5


@contextmanager
def slot(backend: str, *, count: int, watch: Watch) -> Iterator[None]:
    """One of `count` slots of `backend`, for the length of the block; waits for one as long as the watch allows.

    Raises:
        Busy: none became free before the deadline.
    """
    taken = _wait_for_one(backend, count, watch)
    watch.keepers.append(taken.renew)
    try:
        yield
    finally:
        watch.keepers.remove(taken.renew)
        taken.release()


def _wait_for_one(backend: str, count: int, watch: Watch) -> redis_client.SharedLock:
    slots = [
        redis_client.SharedLock(f"backend:{backend}:slot:{number}", seconds=SLOT_SECONDS)
        for number in range(count)
    ]
    try:
        while True:
            for one in slots:
                if one.acquire():
                    return one
            watch.beat("waiting")
            watch.sleep(LOOK_AGAIN_SECONDS, "waiting")
    except TooSlow as error:
        raise Busy(f"all {count} slots of {backend} stayed taken") from error
