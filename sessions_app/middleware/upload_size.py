"""Stops reading a request's file as soon as it is too large, instead of storing it all and refusing
then.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile


class SizeLimitUploadHandler(FileUploadHandler):
    """First in the chain: counts each file's bytes and skips the rest of one that passes the limit.

    The view sees no file then, and `request.upload_too_big` says why.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Start counting anew for each file."""
        super().new_file(*args, **kwargs)
        self.received_bytes = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass the chunk on, or skip the rest of the file.

        Raises:
            SkipFile: more bytes came than `settings.MAX_UPLOAD_BYTES`.
        """
        self.received_bytes += len(raw_data)
        if self.received_bytes > settings.MAX_UPLOAD_BYTES:
            if self.request is not None:
                self.request.upload_too_big = True  # type: ignore[attr-defined]
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the next handler."""
        return
