"""Ids as they stand in logs: digests, because a session's id is the key that gives access to it.

Whoever may read the logs, or a program that collects them, must not be able to open a session. A
digest still tells rows apart, and the admin's search finds the row by it.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final
from uuid import UUID

DIGITS: Final = 12

# With dashes any UUID; without (as SQLite stores them) only random ones, so that other digests of
# 32 digits stay as they are. A job is named after its generation and run, which give no access.
_HEX: Final = "[0-9a-fA-F]"
_ID: Final = re.compile(
    rf"(?<!generation-)(?<!{_HEX})(?:"
    rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
    rf"|{_HEX}{{12}}4{_HEX}{{3}}[89abAB]{_HEX}{{15}}"
    rf")(?!{_HEX})"
)


def log_digest(row_id: UUID | str) -> str:
    """Twelve hexadecimal digits that stand for an id in logs: of the SHA-256 of its 16 bytes.

    The id's 122 random bits can't be guessed, so a plain hash does not give it away.

    >>> log_digest("5f0c1d9e-0000-4000-8000-000000000000")
    '4f866cdc4197'
    """
    return hashlib.sha256(UUID(str(row_id)).bytes).hexdigest()[:DIGITS]


def with_digests(text: str) -> str:
    """`text` with every id in it replaced by its digest, wherever it came from: a message of ours,
    an address, a path of a file, a traceback.

    >>> with_digests("Not Found: /v1/sessions/5f0c1d9e-0000-4000-8000-000000000000/status")
    'Not Found: /v1/sessions/4f866cdc4197/status'
    """
    return _ID.sub(lambda found: log_digest(found[0]), text)
