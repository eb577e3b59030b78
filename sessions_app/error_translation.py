"""The errors of the pure rooms in the visitor's terms: one table, and the two ways to use it.

Every error that the product raises on purpose says the same three things, whichever tree it belongs
to: a stable `code`, a `user_message` for the person, and its own text for the log (`RefusalError`).
The pure rooms do not know HTTP; what their errors mean to a visitor is said here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TypeGuard, cast

from imaging import ImagingError
from imaging.fetch import FetchError
from rendering import NothingSelectedError, RenderingError
from rendering.errors import PlacementError, QuadError
from segmentation import PromptError, SegmentationError
from sessions_app.errors import (
    AppError,
    BadClick,
    BadLink,
    BadRequest,
    BadUpload,
    Unavailable,
    WrongState,
)


class RefusalError(Protocol):
    """What all errors raised on purpose have; `str(error)` is the detail for the log."""

    code: str
    user_message: str


# The first row that fits is taken: an error stands above its base.
TRANSLATIONS: Final[tuple[tuple[type[Exception], type[AppError]], ...]] = (
    (ImagingError, BadUpload),
    (FetchError, BadLink),
    (PromptError, BadClick),
    (SegmentationError, Unavailable),
    (NothingSelectedError, WrongState),
    (PlacementError, BadRequest),
    (QuadError, BadRequest),
    (RenderingError, Unavailable),
)
SOURCES: Final[tuple[type[Exception], ...]] = tuple(source for source, _ in TRANSLATIONS)
REFUSALS: Final[tuple[type[Exception], ...]] = (AppError, *SOURCES)


def is_refusal(error: BaseException) -> TypeGuard[RefusalError]:
    """True for an error that was raised on purpose and has a sentence for the person."""
    return isinstance(error, REFUSALS)


@contextmanager
def translated() -> Iterator[None]:
    """Raise the errors of the pure rooms as `AppError`, by the table; message and code stay.

    Raises:
        AppError: in place of an error of the table, which is its cause.
    """
    try:
        yield
    except SOURCES as error:
        target = next(target for source, target in TRANSLATIONS if isinstance(error, source))
        refusal = cast(RefusalError, error)
        raise target(refusal.user_message, code=refusal.code, detail=str(error)) from error


@contextmanager
def reading_stored(what: str) -> Iterator[None]:
    """Around decoding one of our own stored pictures: that it cannot be read is our fault, not the
    visitor's.

    Args:
        what: names the picture in the sentence: photo, mask, wallpaper.

    Raises:
        Unavailable: with code `storage_damaged`, in place of the decoder's refusal.
    """
    try:
        yield
    except ImagingError as error:
        raise Unavailable(
            f"The stored {what} cannot be read.", code="storage_damaged", detail=str(error)
        ) from error
