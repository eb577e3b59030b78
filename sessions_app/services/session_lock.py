"""One change of a session at a time, and all of it or nothing.

A program's request changes wallpaper, placement and mask and then generates from them. Two such
requests at once must not mix, and a refused one must leave the session as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sessions_app.errors import AppError, WrongState
from sessions_app.models import Session
from sessions_app.queueing import redis_client

LOCK_SECONDS = 60  # a link's deadline, a decode and an encode, with room to spare


@contextmanager
def session_lock(session: Session) -> Iterator[None]:
    """Hold the session's lock; a refusal in the block puts wallpaper and placement back.

    Raises:
        WrongState: another request holds the lock.
    """
    lock = redis_client.SharedLock(f"turn:{session.pk}", seconds=LOCK_SECONDS)
    if not lock.acquire():
        raise WrongState(
            "Another request is changing this session. Repeat yours when it has been answered.",
            code="generation_in_progress",
        )
    rows = Session.objects.filter(pk=session.pk)
    before = rows.values("wallpaper_id", "placement").get()
    try:
        yield
    except AppError:
        rows.update(**before)
        raise
    finally:
        lock.release()
