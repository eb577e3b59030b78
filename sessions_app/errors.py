"""What can go wrong for a visitor, as one exception tree.

    AppError
    ├── NotFound              404  unknown, somebody else's, or expired
    │   └── Expired           410
    ├── BadRequest            422  the request makes no sense as it stands
    │   ├── BadClick               outside the photo, not a number
    │   ├── BadUpload              wraps imaging's refusal of a file
    │   └── BadLink                wraps the fetcher's refusal of a link
    ├── WrongState            409  right request, wrong moment (no mask, already generating)
    ├── NoAttemptsLeft        403
    └── Unavailable           503  ours: queue, weights or storage away; nothing is lost
        └── Busy                   too much of the same at once; try again in seconds

`user_message` is shown to the visitor as it is; `code` is stable for programs; the detail for the
log is the exception's own text, and the chained cause.
"""

from __future__ import annotations


class AppError(Exception):
    """Base of all; carries the sentence for the visitor, a stable code and the HTTP status."""

    status = 500
    code = "error"
    retry_after_seconds: int | None = None

    def __init__(self, user_message: str, *, code: str | None = None, detail: str = "") -> None:
        super().__init__(detail or user_message)
        self.user_message = user_message
        self.code = code or type(self).code


class NotFound(AppError):
    """There is no such thing, or it is not this visitor's: both must look the same from outside."""

    status = 404
    code = "not_found"


class Expired(NotFound):
    """The session's time is over and its pictures are deleted."""

    status = 410
    code = "expired"


class BadRequest(AppError):
    """The request makes no sense as it stands; the message says what to change."""

    status = 422
    code = "bad_request"


class BadClick(BadRequest):
    """A click outside the photo, or not made of numbers."""

    code = "bad_click"


class BadUpload(BadRequest):
    """A file that is refused; the code is that of `imaging`."""

    code = "bad_upload"


class BadLink(BadRequest):
    """A wallpaper link that is refused; the code is the fetcher's."""

    code = "bad_link"


class WrongState(AppError):
    """The right request at the wrong moment."""

    status = 409
    code = "wrong_state"


class NoAttemptsLeft(AppError):
    """All generations of this session are used up."""

    status = 403
    code = "no_attempts_left"


class Unavailable(AppError):
    """A part of ours is away; the visitor's work is kept."""

    status = 503
    code = "unavailable"
    retry_after_seconds = 10


class Busy(Unavailable):
    """Too much of the same is going on at once."""

    code = "busy"
    retry_after_seconds = 5
