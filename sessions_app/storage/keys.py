"""Names of stored objects. Pure; every name the product writes is made here.

All objects of a session share a folder, so that a purge can remove them by prefix and a listing
shows what belongs together. Names never hold what a visitor typed, and objects are never
overwritten by another picture: wallpapers and masks are named by their content, results by
generation and run (two workers that race on one generation write two objects, and the row points at
the winner's). Other bytes come to a name once, when `services.photo_compression` puts a
photo's compressed pixels in the place of the same pixels as they were.
"""

from __future__ import annotations

from uuid import UUID


def session_prefix(session_id: UUID) -> str:
    """Folder of everything a session owns.

    >>> session_prefix(UUID(int=1))
    'sessions/00000000-0000-0000-0000-000000000001/'
    """
    return f"sessions/{session_id}/"


def photo(session_id: UUID) -> str:
    """The photo at full resolution, without loss."""
    return f"{session_prefix(session_id)}photo.png"


def photo_view(session_id: UUID) -> str:
    """The photo as the page shows it."""
    return f"{session_prefix(session_id)}view.jpg"


def thumbnail(session_id: UUID) -> str:
    """The photo as lists show it."""
    return f"{session_prefix(session_id)}thumbnail.jpg"


def wallpaper(session_id: UUID, digest: str) -> str:
    """A wallpaper the visitor brought, by the digest of its stored bytes."""
    return f"{session_prefix(session_id)}wallpapers/{digest[:32]}.png"


def wallpaper_thumbnail(session_id: UUID, digest: str) -> str:
    """The small picture of a wallpaper the visitor brought."""
    return f"{session_prefix(session_id)}wallpapers/{digest[:32]}.thumb.jpg"


def mask(session_id: UUID, digest: str) -> str:
    """A mask at the photo's resolution, by the digest of its stored bytes."""
    return f"{session_prefix(session_id)}masks/{digest[:32]}.png"


def results_folder(session_id: UUID) -> str:
    """Where a session's pictures lie, ending in a slash."""
    return f"{session_prefix(session_id)}results/"


def result(session_id: UUID, number: int, run: int) -> str:
    """A generation's picture, without loss, by generation number and run."""
    return f"{results_folder(session_id)}{number}-{run}.png"


def result_view(session_id: UUID, number: int, run: int) -> str:
    """A generation's picture as the page shows it."""
    return f"{results_folder(session_id)}{number}-{run}.jpg"
