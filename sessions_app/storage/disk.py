"""Files on disk, each there as a whole or not at all."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

_PARTIAL_NAME = re.compile(r"\.[0-9a-f]{32}\.part")


def is_partial_file(name: str) -> bool:
    """True for the name of a file that is being written, or that a killed process left half
    written.
    """
    return _PARTIAL_NAME.fullmatch(name) is not None


class WholeFileStorage(FileSystemStorage):
    """Writes beside the name and moves into place, so that a kill or a full disk leaves no half
    file there.

    A name that exists is replaced: our names tell their content, so whoever comes second writes the
    same picture. Its bytes may differ where a photo is compressed; who has the old file open reads
    it to its end.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name as it is; Django would otherwise make up another for one that exists."""
        return name

    def _save(self, name: str, content: File[bytes]) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{uuid.uuid4().hex}.part")
        try:
            with partial.open("xb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())  # a row that points here may outlive a power cut
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return name
