"""One launcher per data folder.

The lock is the kernel's (flock), so it cannot be left behind. The guard inherits it: while it still
clears up after a killed launcher, the folder stays locked.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from wallpaper.launcher.errors import LauncherError

CLEARING_UP_SECONDS: Final = 15.0


class HomeLock:
    """Holds the data folder; `fileno` may be handed to a child to hold it longer."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = (home / "run" / "launcher.lock").open("a+", encoding="utf-8")

    def take(self, *, address: str, pause: Callable[[float], None]) -> None:
        """Take the lock and write down who we are.

        When the last launcher was killed and its guard is still clearing up, wait for it, a few
        seconds.

        Raises:
            LauncherError: another launcher runs on this folder.
        """
        waited = 0.0
        while not self._try_lock():
            owner, its_address = self._owner()
            if (
                (owner is None or psutil.pid_exists(owner)) and waited >= 1
            ) or waited >= CLEARING_UP_SECONDS:
                raise LauncherError(
                    f"Already running at {its_address or 'another address'} "
                    f"(process {owner or '?'}) on the data "
                    f"folder {self._home}. Open that, or stop it first, "
                    "or set WALLPAPER_HOME to another folder."
                )
            pause(0.1)
            waited += 0.1
        self._file.seek(0)
        self._file.truncate()
        json.dump({"process": os.getpid(), "address": address}, self._file)
        self._file.flush()

    def fileno(self) -> int:
        """The locked file's descriptor."""
        return self._file.fileno()

    def close(self) -> None:
        """Release the lock, as far as this process is concerned."""
        self._file.close()

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _owner(self) -> tuple[int | None, str]:
        self._file.seek(0)
        with suppress(ValueError, KeyError, TypeError):
            record = json.loads(self._file.read())
            return int(record["process"]), str(record["address"])
        return None, ""
