"""Errors of the segmentation room.

    SegmentationError
    ├── ModelError       a model file is missing, altered, or not a SAM export
    ├── EmbeddingError   stored embedding bytes are not an embedding of ours
    ├── PhotoError       the array handed in is not an 8-bit RGB photo
    └── PromptError      clicks or box cannot be used on this photo

`str(error)` is the detail for the log; `user_message` is a plain sentence that may be shown to a
visitor; `code` is stable and may be matched on.
"""

from __future__ import annotations


class SegmentationError(Exception):
    """Base of every error this room raises on purpose."""

    code = "segmentation_failed"
    user_message = "The wall could not be found. Please try again."

    def __init__(self, detail: str, *, user_message: str | None = None) -> None:
        """Keep the detail for the log and, when given, a better sentence for the visitor."""
        super().__init__(detail)
        if user_message is not None:
            self.user_message = user_message


class ModelError(SegmentationError):
    """A model file is missing, altered, or does not have the expected inputs and outputs."""

    code = "model_unusable"
    user_message = (
        "The wall-finding model is not ready on this server. Its administrator can repair it with "
        "`manage.py fetch_models`."
    )


class EmbeddingError(SegmentationError):
    """Bytes that should hold an embedding hold something else."""

    code = "embedding_invalid"
    user_message = "The stored analysis of this photo is unreadable; it has to be analysed again."


class PhotoError(SegmentationError):
    """The photo array has the wrong shape or type."""

    code = "photo_invalid"
    user_message = "This photo cannot be analysed. Please upload it again."


class PromptError(SegmentationError):
    """The clicks or the box do not make sense on this photo."""

    code = "prompt_invalid"
    user_message = "Click on the wall inside the photo."
