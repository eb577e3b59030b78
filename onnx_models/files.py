"""Files that appear whole or not at all, and a lock so that two set-ups do not meet."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from onnx_models.errors import ModelFetchError

_LOCK_FILE: Final = ".lock"
_PART_PREFIX: Final = ".part-"


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hex.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(directory: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock; waits for another process that is setting up the same folder.

    The kernel drops the lock when its holder dies, so a killed set-up blocks nobody.

    Raises:
        ModelFetchError: the folder cannot be made or written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ModelFetchError(
            f"The folder for the model files, {directory}, cannot be written "
            f"({error.strerror or error}); make it writable or set WALLPAPER_HOME to another place."
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another process is preparing {directory}; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        _sweep(directory)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def part_file(directory: Path) -> Iterator[Path]:
    """A temporary path in `directory`, removed afterwards unless it was renamed away."""
    handle, name = tempfile.mkstemp(prefix=_PART_PREFIX, dir=directory)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def put_in_place(part: Path, target: Path) -> None:
    """Rename a finished temporary file to its name, readable by all, in one step."""
    part.chmod(0o644)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file in one step; leaves an equal file untouched."""
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    with part_file(path.parent) as part:
        part.write_text(text, encoding="utf-8")
        put_in_place(part, path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, {} when there is none or it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _sweep(directory: Path) -> None:
    """Remove what a killed set-up left behind; called with the lock held."""
    for leftover in directory.glob(_PART_PREFIX + "*"):
        leftover.unlink(missing_ok=True)
