"""The process's one SAM model, made on first use as the settings say."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings

import onnx_models
from segmentation import ModelError, SamModel, Scope


def model_directory() -> Path:
    """Where the model is that set-up prepared, or the SAM export that `SAM_MODEL_DIR` describes.

    A home without a model of its own (a second one, for a test or a batch) uses the checkout's.
    """
    own = Path(settings.SAM_MODEL_DIR) if settings.SAM_MODEL_DIR else None
    found = onnx_models.model_directory(own, Path(settings.WALLPAPER_HOME))
    checkout = Path(settings.BASE_DIR) / "var" / "models"
    is_there = (found / "model.json").is_file()
    if not is_there and own is None and (checkout / "model.json").is_file():
        return checkout
    return found


# By the names of `click_history.SCOPES`, which the API and the database use.
_SCOPES: Final = {"clicks": Scope.AUTO, "this": Scope.THIS_WALL, "all": Scope.ALL_WALLS}


def scope_of(name: str) -> Scope:
    """The model's scope for one of `click_history.SCOPES`."""
    return _SCOPES[name]


@lru_cache(maxsize=2)
def _load(
    directory: Path, encoder_threads: int, decoder_threads: int, providers: tuple[str, ...]
) -> SamModel:
    return SamModel.load(
        directory,
        encoder_threads=encoder_threads,
        decoder_threads=decoder_threads,
        providers=providers,
    )


def sam_model() -> SamModel:
    """The model; its ONNX sessions are made when first run, after any fork.

    Raises:
        segmentation.ModelError: the weights are missing or altered.
    """
    return _load(
        model_directory(),
        settings.SAM_ENCODER_THREADS,
        settings.SAM_DECODER_THREADS,
        tuple(settings.SAM_EXECUTION_PROVIDERS),
    )


def model_identity() -> str:
    """Names model and weights; empty when they are missing, which only a decode need complain
    about.
    """
    try:
        return sam_model().identity
    except ModelError:
        return ""
