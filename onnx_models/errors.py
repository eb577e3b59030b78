"""Errors of the weights' set-up.

    ModelSetupError
    ├── ModelFetchError    no source gave a file with the right digest
    │   └── SourceError    one source failed; the next one is tried
    └── VariantError       a variant could not be built or did not pass its check

`user_message` is one line for the person at the terminal.
"""

from __future__ import annotations


class ModelSetupError(Exception):
    """Base: the weights are not usable; `user_message` says what to do about it."""

    code = "models_unavailable"

    @property
    def user_message(self) -> str:
        """One line, no traceback needed."""
        return " ".join(str(self).split())


class ModelFetchError(ModelSetupError):
    """No source gave the right file."""

    code = "models_not_fetched"


class SourceError(ModelFetchError):
    """One source did not give the file; its text is short and joins into a longer line."""

    code = "model_source_failed"


class VariantError(ModelSetupError):
    """A variant could not be built, or is not close enough to the original."""

    code = "model_variant_failed"
