"""What can go wrong while rendering, in words for the person at the screen."""

from __future__ import annotations


class RenderingError(Exception):
    """Base of every error this package raises.

    `user_message` says what was wrong and what to do; `code` is stable and machine readable;
    `detail` (the exception's own text) is for the log.
    """

    code = "rendering_failed"

    def __init__(self, user_message: str, detail: str = "") -> None:
        super().__init__(detail or user_message)
        self.user_message = user_message


class PlacementError(RenderingError):
    """The placement of the wallpaper makes no sense (zero width, not a number, ...)."""

    code = "bad_placement"


class QuadError(RenderingError):
    """The four corners do not describe a rectangle seen in perspective."""

    code = "bad_quad"


class ImageError(RenderingError):
    """A picture or mask has the wrong shape or type."""

    code = "bad_image"


class NothingSelectedError(RenderingError):
    """The mask holds no pixel of wall."""

    code = "nothing_selected"

    def __init__(self) -> None:
        super().__init__("Nothing is selected: click on the wall first.", "mask is empty")
