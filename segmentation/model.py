"""SAM as two ONNX files: `encode` a photo once, then `predict` from clicks as often as needed.

A model holds no photo: the embedding is handed in with every call, so any number of visitors and
threads may share one `SamModel`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from segmentation.contract import CANDIDATE_OUTPUTS, OFFICIAL_OUTPUTS, check_decoder, check_encoder
from segmentation.description import ModelDescription, describe
from segmentation.errors import EmbeddingError, PhotoError
from segmentation.geometry import CELL, MASK_SIDE, MODEL_SIDE, FloatArray, PhotoGrid
from segmentation.prediction import Prediction
from segmentation.prompts import Prompt, check_prompt, choose_candidate, encode_prompt
from segmentation.runtime import LazySession, as_float32
from segmentation.values import Box, Click, Embedding

# Mean and standard deviation of SAM's training pictures, RGB, 0..255.
_MEAN: Final = np.array([123.675, 116.28, 103.53], np.float32)
_STD: Final = np.array([58.395, 57.12, 57.375], np.float32)
_NO_MASK: Final = np.zeros((1, 1, MASK_SIDE, MASK_SIDE), np.float32)


class SamModel:
    """An encoder and a decoder, loaded on first use in each process."""

    def __init__(
        self, description: ModelDescription, *, encoder_threads: int, decoder_threads: int
    ) -> None:
        self.description = description
        self.identity = description.identity
        self._encoder = LazySession(
            description.encoder.path,
            sha256=description.encoder.sha256,
            threads=encoder_threads,
            check=check_encoder,
        )
        self._decoder = LazySession(
            description.decoder.path,
            sha256=description.decoder.sha256,
            threads=decoder_threads,
            check=check_decoder,
        )

    @classmethod
    def load(
        cls,
        directory: Path,
        *,
        encoder_threads: int,
        decoder_threads: int,
        encoder_file: str | None = None,
        decoder_file: str | None = None,
    ) -> SamModel:
        """Describe the model in `directory`; the graphs themselves are loaded when first run.

        Raises ModelError when no model is there. Another export's files are named by
        `encoder_file` and `decoder_file`, or by a `model.json` in the folder.
        """
        found = describe(Path(directory), encoder=encoder_file, decoder=decoder_file)
        return cls(found, encoder_threads=encoder_threads, decoder_threads=decoder_threads)

    def warm_up(self) -> None:
        """Load both graphs now, in this process. Raises ModelError."""
        _ = self._encoder.signature, self._decoder.signature

    def encode(self, photo: npt.NDArray[np.uint8]) -> Embedding:
        """Run the encoder on a photo, uint8 H x W x 3 RGB. Raises PhotoError, ModelError."""
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or 0 in photo.shape:
            raise PhotoError(f"photo is {photo.dtype} {photo.shape}, expected uint8 H x W x 3")
        height, width = photo.shape[:2]
        small = _resize(photo, PhotoGrid(width, height).resized)
        signature = self._encoder.signature
        [features] = self._encoder.run(
            list(signature.outputs), {next(iter(signature.inputs)): _normalise(small)}
        )
        return Embedding.build(
            features, width=width, height=height, model=self.identity, thumbnail=_thumbnail(small)
        )

    def predict(
        self, embedding: Embedding, clicks: Sequence[Click], box: Box | None = None
    ) -> Prediction:
        """The wall that clicks and box point at.

        Raises PromptError when nothing is included or a point is outside the photo,
        EmbeddingError when the embedding is another model's, ModelError.
        """
        self._check_embedding(embedding)
        check_prompt(clicks, box, embedding.grid)
        prompt = encode_prompt(clicks, box, embedding.grid)
        candidates, scores = self._decode(embedding, prompt)
        chosen = choose_candidate(scores, prompt.labels.shape[1])
        return _prediction(embedding, candidates, scores, chosen)

    def predict_auto(self, embedding: Embedding, photo: npt.NDArray[np.uint8]) -> Prediction:
        """The main wall, without a click: the best of a few clicks where walls usually are.

        photo: the uint8 H x W x 3 RGB photo that `embedding` came from.
        """
        self._check_embedding(embedding)
        if photo.shape[:2] != (embedding.height, embedding.width):
            raise PhotoError(f"photo {photo.shape} is not the embedding's")
        found = [
            self.predict(embedding, [Click(embedding.width * x, embedding.height * y, 1)])
            for x in (0.2, 0.5, 0.8)
            for y in (0.25, 0.45)
        ]
        return max(found, key=lambda p: p.score * min(p.area, 0.35) * (p.area < 0.85))

    def _decode(
        self, embedding: Embedding, prompt: Prompt, hint: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Candidates float32 K x 256 x 256 and scores (K,); hint: logits 256 x 256 to start from."""
        feeds = {
            "image_embeddings": embedding.features,
            "point_coords": prompt.coords,
            "point_labels": prompt.labels,
            "mask_input": _NO_MASK if hint is None else hint[None, None],
            "has_mask_input": np.array([0 if hint is None else 1], np.float32),
        }
        outputs = CANDIDATE_OUTPUTS
        if "orig_im_size" in self._decoder.signature.inputs:
            # Its full-size output is thrown away: ask for the smallest, the mask comes from logits.
            feeds["orig_im_size"] = np.array([MASK_SIDE, MASK_SIDE], np.float32)
            outputs = OFFICIAL_OUTPUTS
        masks, scores = self._decoder.run(outputs, feeds)
        return as_float32(masks[0]), as_float32(scores[0])

    def _check_embedding(self, embedding: Embedding) -> None:
        if embedding.model != self.identity:
            raise EmbeddingError(f"embedding of model {embedding.model}, this is {self.identity}")


def _prediction(
    embedding: Embedding, candidates: FloatArray, scores: FloatArray, chosen: int
) -> Prediction:
    return Prediction(
        logits=candidates[chosen],
        candidates=candidates,
        scores=scores,
        score=float(np.clip(scores[chosen], 0, 1)),
        chosen=chosen,
        width=embedding.width,
        height=embedding.height,
    )


def _resize(photo: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Antialiased bilinear, as SAM's ResizeLongestSide does it through Pillow."""
    image = Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(image, np.uint8)


def _normalise(small: npt.NDArray[np.uint8]) -> FloatArray:
    """uint8 h x w x 3 to float32 1 x 3 x 1024 x 1024, zero outside the photo."""
    height, width = small.shape[:2]
    square = np.zeros((1, 3, MODEL_SIDE, MODEL_SIDE), np.float32)
    for channel in range(3):
        plane = square[0, channel, :height, :width]
        np.subtract(small[:, :, channel], _MEAN[channel], out=plane)
        plane /= _STD[channel]
    return square


def _thumbnail(small: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """uint8 h x w x 3 on the 1024 grid to 256 x 256 x 3, black padding."""
    height, width = small.shape[:2]
    size = (max(1, round(width / CELL)), max(1, round(height / CELL)))
    square = np.zeros((MASK_SIDE, MASK_SIDE, 3), np.uint8)
    square[: size[1], : size[0]] = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    return square
