"""Stored objects: with `storage.listing`, the only module that talks to `default_storage`, on disk
or on S3.

Failures of the store become `Unavailable`, so that a page says "try again" and a job knows the
fault is ours.
"""

from __future__ import annotations

import hashlib
import logging

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage

from sessions_app.errors import NotFound, Unavailable

logger = logging.getLogger(__name__)

STORE_ERRORS = (OSError, BotoCoreError, ClientError)


def _unavailable(action: str, key: str) -> Unavailable:
    logger.exception("storage failed to %s %s", action, key)
    return Unavailable(
        "Pictures cannot be stored or read at the moment. "
        "Nothing is lost; please try again shortly.",
        code="storage_unavailable",
    )


def put(key: str, data: bytes) -> None:
    """Write `data` under `key`; an object already there has the same content by naming and is kept.

    Raises:
        Unavailable: the store did not take it (full disk, S3 away).
    """
    try:
        if not default_storage.exists(key):
            default_storage.save(key, ContentFile(data))
    except STORE_ERRORS as error:
        raise _unavailable("save", key) from error


def save(key: str, data: bytes) -> str:
    """`put`, for who needs the digest too: hashing a large photo is felt.

    Returns:
        SHA-256 of the data, hexadecimal.

    Raises:
        Unavailable: the store did not take it.
    """
    put(key, data)
    return digest_of(data)


def replace(key: str, data: bytes) -> bool:
    """Write `data` in the place of the object under `key`; False when there is none (any more).

    Raises:
        Unavailable: the store did not take it.
    """
    try:
        if not default_storage.exists(key):
            return False
        default_storage.save(key, ContentFile(data))
    except STORE_ERRORS as error:
        raise _unavailable("replace", key) from error
    return True


def is_disk() -> bool:
    """True when objects are files on disk, so that their size hardly counts."""
    return isinstance(default_storage, FileSystemStorage)


def read(key: str) -> bytes:
    """The object's bytes.

    Raises:
        NotFound: there is none.
        Unavailable: the store did not answer.
    """
    try:
        with open_object(key) as file:
            return bytes(file.read())
    except STORE_ERRORS as error:
        raise _unavailable("read", key) from error


def open_object(key: str) -> File[bytes]:
    """The object as a file to stream from; the caller closes it (`FileResponse` does).

    Raises:
        NotFound: there is none.
        Unavailable: the store did not answer.
    """
    try:
        return default_storage.open(key, "rb")
    except FileNotFoundError as error:
        raise NotFound("This picture is not here any more.") from error
    except STORE_ERRORS as error:
        raise _unavailable("open", key) from error


def exists(key: str) -> bool:
    """True when there is an object of that name.

    Raises:
        Unavailable: the store did not answer.
    """
    try:
        return bool(default_storage.exists(key))
    except STORE_ERRORS as error:
        raise _unavailable("look up", key) from error


def delete(key: str) -> None:
    """Remove the object; one that is not there is no error.

    Raises:
        Unavailable: the store did not answer.
    """
    try:
        default_storage.delete(key)
    except STORE_ERRORS as error:
        raise _unavailable("delete", key) from error


def delete_prefix(prefix: str) -> int:
    """Remove every object below `prefix` (ending in a slash); returns how many.

    Raises:
        Unavailable: the store did not answer.
    """
    removed = 0
    try:
        try:
            folders, files = default_storage.listdir(prefix)
        except FileNotFoundError:
            return 0
        for name in files:
            if name:
                default_storage.delete(prefix + name)
                removed += 1
    except STORE_ERRORS as error:
        raise _unavailable("delete", prefix) from error
    removed += sum(delete_prefix(f"{prefix}{name}/") for name in folders)
    _remove_empty_folder(prefix)
    return removed


def _remove_empty_folder(prefix: str) -> None:
    """Folders exist on disk only; Django's file storage removes an empty one by `delete`."""
    try:
        default_storage.delete(prefix.rstrip("/"))
    except STORE_ERRORS:
        logger.debug("folder %s was kept", prefix)


def session_folders() -> list[str]:
    """Names of the folders below `sessions/`, that is, ids of sessions that have objects.

    Raises:
        Unavailable: the store did not answer.
    """
    try:
        return list(default_storage.listdir("sessions/")[0])
    except FileNotFoundError:
        return []
    except STORE_ERRORS as error:
        raise _unavailable("list", "sessions/") from error


def digest_of(data: bytes) -> str:
    """SHA-256 of the bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()
