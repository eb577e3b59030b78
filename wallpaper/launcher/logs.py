"""The children's log files: kept below a size, and read from the end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

LARGEST_LOG_BYTES: Final = 10 * 1024 * 1024
TAIL_BYTES: Final = 8 * 1024


def bound(log: Path) -> bool:
    """Move a log that has grown too large to `NAME.1` (replacing the one there); True when it was
    moved.

    Copied and emptied rather than renamed, because a running child keeps writing to the file it has
    open (for appending, so it goes on at the new beginning). A line written between the two steps
    is lost.
    """
    try:
        if log.stat().st_size <= LARGEST_LOG_BYTES:
            return False
    except FileNotFoundError:
        return False
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
    return True


def tail(log: Path, lines: int = 12, *, since: int = 0) -> str:
    """The last lines, at most 8 KiB of them; `since`: bytes at the beginning of the file that do
    not count.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES, since if since <= size else 0))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
