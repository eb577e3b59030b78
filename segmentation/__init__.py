"""Where the wall is: SAM's encoder and decoder, clicks, wall heads, masks and outlines.

Pure: NumPy arrays and frozen dataclasses in and out; imports no web framework, queue, storage or
HTTP client, and reads no environment. Coordinates are photo pixels, x right, y down, pixel centres
at integers; arrays are RGB.

    model = SamModel.load(directory, encoder_threads=2, decoder_threads=1)
    embedding = model.encode(photo)
    prediction = model.predict(embedding, [Click(640, 300, 1)])
    mask = prediction.mask()
"""

from __future__ import annotations

from segmentation.clicks.features import Scope
from segmentation.errors import (
    EmbeddingError,
    ModelError,
    PhotoError,
    PromptError,
    SegmentationError,
)
from segmentation.geometry import PhotoGrid
from segmentation.model import SamModel
from segmentation.outline import outline_path
from segmentation.prediction import Prediction
from segmentation.values import EMBEDDING_SHAPES, Box, Click, Embedding
from segmentation.wall_net_io import TOKEN_SHAPE, WALL_MAPS_SHAPE

__all__ = [
    "EMBEDDING_SHAPES",
    "TOKEN_SHAPE",
    "WALL_MAPS_SHAPE",
    "Box",
    "Click",
    "Embedding",
    "EmbeddingError",
    "ModelError",
    "PhotoError",
    "PhotoGrid",
    "Prediction",
    "PromptError",
    "SamModel",
    "Scope",
    "SegmentationError",
    "outline_path",
]
