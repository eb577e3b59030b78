"""Parts of a worker that fail when a file in the folder `$FAULTS` says so.

horse-PID     written by the job's process when it begins to render
go, go-PID    lets every, or this, process render on
away          the store takes no results
slow          the store takes as many seconds for a result as the file says
full          the store has room for as many bytes of a result as the file says
"""

from __future__ import annotations

import hashlib
import os
import resource
import time
from pathlib import Path
from typing import Any

from django.core.files.base import File

from jobs import retries
from jobs.backends import Generated, GenerationInputs
from jobs.backends.base import OnStage
from jobs.backends.local import LocalBackend
from sessions_app.storage.disk import WholeFileStorage

FOLDER = Path(os.environ["FAULTS"])
retries.DELAYS_SECONDS = (1.0, 1.0)  # type: ignore[misc]


class GatedRenderer(LocalBackend):
    """Waits, without a word, until it may go on."""

    def generate(self, inputs: GenerationInputs, on_stage: OnStage) -> Generated:
        """See `Backend.generate`."""
        own = FOLDER / f"go-{os.getpid()}"
        (FOLDER / f"horse-{os.getpid()}").touch()
        while not (own.exists() or (FOLDER / "go").exists()):
            time.sleep(0.02)
        return super().generate(inputs, on_stage)


class NativeRenderer(LocalBackend):
    """Stays in one call of a C library, which no Python signal handler interrupts."""

    def generate(self, inputs: GenerationInputs, on_stage: OnStage) -> Generated:
        """See `Backend.generate`."""
        (FOLDER / f"horse-{os.getpid()}").touch()
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 10**9)
        return super().generate(inputs, on_stage)


class FaultyStorage(WholeFileStorage):
    """Results only: the rest of a session is stored by the test itself."""

    def _save(self, name: str, content: File[Any]) -> str:
        if "/results/" in name:
            if (FOLDER / "away").exists():
                raise OSError(5, "the store is away")
            slow = FOLDER / "slow"
            if slow.exists():
                time.sleep(float(slow.read_text()))
            full = FOLDER / "full"
            if full.exists():
                return self._save_on_full_disk(name, content, int(full.read_text()))
        return super()._save(name, content)

    def _save_on_full_disk(self, name: str, content: File[Any], room: int) -> str:
        """The kernel itself stops the write in the middle, as on a disk without room."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            return super()._save(name, content)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
