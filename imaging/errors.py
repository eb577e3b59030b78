"""Why a file was refused. Pages show `user_message`, logs get `str(error)`.

ImagingError
├── EmptyFile            nothing was sent
├── TooManyBytes         the file itself is too large
├── NotAnImage           the bytes are no picture at all
├── UnsupportedFormat    a picture or document of a kind we do not take
├── TruncatedFile        the file stops in the middle
├── DamagedFile          the decoder gave up
├── TooManyPixels        more pixels than we work on
├── TooSmall             fewer pixels than are of use
├── TooLong              a side or the ratio of sides beyond the limit
└── WrongSize            a mask that does not fit its photo
"""

from __future__ import annotations

from typing import ClassVar


class ImagingError(Exception):
    """A file we do not take.

    `code` is stable and machine-readable, `user_message` is a plain sentence that says what was
    wrong and what to do, `detail` (also `str(error)`) is for the log and may name a decoder's own
    words.
    """

    code: ClassVar[str] = "unusable"

    def __init__(self, user_message: str, detail: str = "") -> None:
        super().__init__(detail or user_message)
        self.user_message = user_message
        self.detail = detail or user_message


class EmptyFile(ImagingError):
    """The file has no bytes."""

    code = "empty"


class TooManyBytes(ImagingError):
    """The file is over the limit in bytes."""

    code = "too_big"


class NotAnImage(ImagingError):
    """The bytes do not begin like any picture."""

    code = "not_an_image"


class UnsupportedFormat(ImagingError):
    """The bytes are a known kind of file, but not one we take."""

    code = "unsupported_format"


class TruncatedFile(ImagingError):
    """The file ends before the picture does."""

    code = "truncated"


class DamagedFile(ImagingError):
    """The decoder refused the file, or the file would cost far more to decode than it should."""

    code = "damaged"


class TooManyPixels(ImagingError):
    """Width times height is over the limit."""

    code = "too_many_pixels"


class TooSmall(ImagingError):
    """A side is under the limit."""

    code = "too_small"


class TooLong(ImagingError):
    """A side, or the ratio of the sides, is over the limit."""

    code = "too_long"


class WrongSize(ImagingError):
    """The mask's size is not its photo's size."""

    code = "wrong_size"
