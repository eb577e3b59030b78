"""What lies in the store, for the purge: how many objects a folder has and how old its newest is.

Beside `sessions_app.storage` the only module that asks `default_storage`, and it only looks.
Failures of the store become `Unavailable` there as here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.core.files.storage import default_storage

from sessions_app.errors import Unavailable
from sessions_app.storage import STORE_ERRORS
from sessions_app.storage.disk import is_partial_file

logger = logging.getLogger(__name__)


def count_objects(prefix: str) -> int:
    """How many objects lie below `prefix` (ending in a slash).

    Raises:
        Unavailable: the store did not answer.
    """
    try:
        return sum(1 for _ in _names(prefix))
    except STORE_ERRORS as error:
        raise _unavailable(prefix) from error


def newest_change(prefix: str) -> datetime | None:
    """When the newest object below `prefix` was written; None when there is none or the store
    cannot tell.

    Raises:
        Unavailable: the store did not answer.
    """
    try:
        return max(
            (default_storage.get_modified_time(name) for name in _names(prefix)), default=None
        )
    except NotImplementedError:  # Django's base class: a store need not know times
        return None
    except FileNotFoundError:  # somebody is writing or deleting there this moment: leave it alone
        return None
    except STORE_ERRORS as error:
        raise _unavailable(prefix) from error


def partial_files_in(folder: str, *, before: datetime) -> list[str]:
    """Names of half-written files in `folder` (ending in a slash) that nobody touched since
    `before`.

    Raises:
        Unavailable: the store did not answer.
    """
    try:
        names = [
            folder + name for name in default_storage.listdir(folder)[1] if is_partial_file(name)
        ]
        return [name for name in names if default_storage.get_modified_time(name) < before]
    except FileNotFoundError:  # no such folder, or the writer has just finished
        return []
    except STORE_ERRORS as error:
        raise _unavailable(folder) from error


def _names(prefix: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(prefix)
    except FileNotFoundError:
        return
    yield from (prefix + name for name in files if name)
    for folder in folders:
        yield from _names(f"{prefix}{folder}/")


def _unavailable(prefix: str) -> Unavailable:
    logger.exception("storage failed to list %s", prefix)
    return Unavailable("The picture store does not answer.", code="storage_unavailable")
