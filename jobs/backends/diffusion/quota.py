"""A limit on what a paid service may cost in a day, counted in Redis before the money is spent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from jobs.backends.diffusion.errors import BudgetSpent
from sessions_app.queueing import redis_client

_KEPT_SECONDS: Final = 2 * 24 * 3600


def consume(backend: str, *, limit: int) -> None:
    """Count one more picture of `backend` today (UTC); a limit of 0 is none.

    Raises:
        BudgetSpent: it would be one too many, or Redis is away: what cannot be counted is not
            spent.
    """
    if limit == 0:
        return
    key = f"{redis_client.KEY_PREFIX}backend:{backend}:day:{datetime.now(UTC):%Y-%m-%d}"
    try:
        client = redis_client.client()
        count = int(client.incr(key))
        client.expire(key, _KEPT_SECONDS)
    except redis_client.AnyFailure as error:
        raise BudgetSpent(
            f"Redis does not answer, so today's pictures cannot be counted: {error}",
            "The image service cannot be used at the moment. Please try again in a minute.",
        ) from error
    if count > limit:
        raise BudgetSpent(f"{limit} predictions a day is the limit; this would be number {count}")
