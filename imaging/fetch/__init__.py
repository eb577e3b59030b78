"""The safe HTTP client: a picture from a link that a stranger typed."""

from __future__ import annotations

from imaging.fetch.client import Fetched, FetchPolicy, fetch_image
from imaging.fetch.errors import (
    BadResponse,
    EmptyResponse,
    FetchError,
    Insecure,
    InvalidLink,
    NotAllowed,
    NotFound,
    TooLarge,
    TooSlow,
    Unreachable,
)

__all__ = [
    "BadResponse",
    "EmptyResponse",
    "FetchError",
    "FetchPolicy",
    "Fetched",
    "Insecure",
    "InvalidLink",
    "NotAllowed",
    "NotFound",
    "TooLarge",
    "TooSlow",
    "Unreachable",
    "fetch_image",
]
