"""The real model and a drawn room, each made once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from onnx_models import model_directory
from onnx_models.__main__ import folders
from onnx_models.specimen import drawn_room
from segmentation import Embedding, ModelError, SamModel


@pytest.fixture(scope="session")
def weights_folder() -> Path:
    """Folder of the real weights, as the product itself finds it; skips when they are absent."""
    own, home = folders(os.environ)
    directory = model_directory(own, home)
    try:
        SamModel.load(directory, encoder_threads=1, decoder_threads=1)
    except ModelError as error:
        pytest.skip(f"no SAM weights: {error}")
    return directory


@pytest.fixture(scope="session")
def model(weights_folder: Path) -> SamModel:
    """The model as the product uses it."""
    return SamModel.load(weights_folder, encoder_threads=2, decoder_threads=1)


@pytest.fixture(scope="session")
def plain_model(weights_folder: Path) -> SamModel:
    """SAM alone, without the wall heads."""
    return SamModel.load(weights_folder, encoder_threads=2, decoder_threads=1, heads_directory=None)


@pytest.fixture(scope="session")
def room() -> npt.NDArray[np.uint8]:
    """A drawn room, uint8 480 x 640 x 3."""
    return drawn_room()


@pytest.fixture(scope="session")
def embedding(model: SamModel, room: npt.NDArray[np.uint8]) -> Embedding:
    """The drawn room, encoded by the real model."""
    return model.encode(room)


@pytest.fixture(scope="session")
def plain_embedding(plain_model: SamModel, room: npt.NDArray[np.uint8]) -> Embedding:
    """The drawn room, encoded by SAM alone."""
    return plain_model.encode(room)
