"""What is worth another try, and when.

A fault of the network, the store or the database may be over soon; a bad picture stays bad. Short
faults are waited out inside the job, longer ones by giving the run back to the queue for a while.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import DatabaseError, InterfaceError, connection
from tenacity import (
    Retrying,
    before_sleep_log,
    retry_if_exception,
    stop_after_attempt,
    wait_chain,
    wait_fixed,
)

from jobs.backends import BackendError
from sessions_app.errors import Unavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Inside a job: a hiccup. SQLite has waited 20 s for its lock before it complains at all.
PAUSES_SECONDS: Final = (0.5, 2.0)
# Between runs: a restart of a service. The sweep ends a pause, so add up to 30 s.
DELAYS_SECONDS: Final = (10.0, 30.0)
STORE_AWAY: Final = "storage_unavailable"


def is_transient(error: BaseException) -> bool:
    """True for a fault that may well be over a little later."""
    if isinstance(error, BackendError):
        return error.retry
    if isinstance(error, Unavailable):
        return error.code == STORE_AWAY  # "storage_damaged" stays
    return isinstance(error, (DatabaseError, InterfaceError))


def delay_after(run: int) -> float:
    """Seconds to wait before the run after this one (counted from 1)."""
    return DELAYS_SECONDS[min(run, len(DELAYS_SECONDS)) - 1]


def with_retries(action: Callable[[], T]) -> T:
    """The result of an idempotent action, tried again twice when a transient fault stops it.

    Raises:
        Exception: whatever the last try raised, or the first where the fault is not transient.
    """
    retrying = Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_attempt(1 + len(PAUSES_SECONDS)),
        wait=wait_chain(*map(wait_fixed, PAUSES_SECONDS)),
        sleep=_pause,
        before_sleep=before_sleep_log(logger, logging.WARNING),
        reraise=True,
    )
    return retrying(action)


def _pause(seconds: float) -> None:
    time.sleep(seconds)
    # A connection that broke is made anew, one that only met a lock is kept.
    connection.close_if_unusable_or_obsolete()
