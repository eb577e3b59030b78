"""Objects under keys, on disk or on S3. `storage.read(key)` and the like; key names are in
`storage.keys`.
"""

from __future__ import annotations

from sessions_app.storage.objects import (
    STORE_ERRORS,
    delete,
    delete_prefix,
    digest_of,
    exists,
    is_disk,
    open_object,
    put,
    read,
    replace,
    save,
    session_folders,
)

__all__ = [
    "STORE_ERRORS",
    "delete",
    "delete_prefix",
    "digest_of",
    "exists",
    "is_disk",
    "open_object",
    "put",
    "read",
    "replace",
    "save",
    "session_folders",
]
