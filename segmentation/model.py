"""SAM as two ONNX files: `encode` a photo once, then `predict` from clicks as often as needed.

A model holds no photo: the embedding is handed in with every call, so any number of visitors and
threads may share one `SamModel`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from segmentation.clicks.constraints import honour_clicks
from segmentation.clicks.features import ClickEvidence, EarlierClicks, Scope
from segmentation.clicks.refinement import ClickRefiner
from segmentation.errors import EmbeddingError, ModelError, PhotoError
from segmentation.geometry import CELL, MASK_SIDE, MODEL_SIDE, FloatArray, PhotoGrid
from segmentation.masks.quality import middle_of_wall, review
from segmentation.prediction import Prediction
from segmentation.runtime import CPU_ONLY, LazySession
from segmentation.sam.contract import check_encoder
from segmentation.sam.decoder import Decoder
from segmentation.sam.description import ModelDescription, describe
from segmentation.sam.prompts import check_prompt, choose_candidate, encode_prompt
from segmentation.values import Box, Click, Embedding
from segmentation.walls.heads import HEADS_DIRECTORY, WallHeads

logger = logging.getLogger(__name__)

# Times the 1024 of SAM's input; at twice, the mean's blur would show in masks.
_HALVED_FROM: Final = 3

# Mean and standard deviation of SAM's training pictures, RGB, 0..255.
_MEAN: Final = np.array([123.675, 116.28, 103.53], np.float32)
_STD: Final = np.array([58.395, 57.12, 57.375], np.float32)


class SamModel:
    """An encoder, a decoder and the optional wall heads, loaded on first use in each process."""

    def __init__(
        self,
        description: ModelDescription,
        *,
        encoder_threads: int,
        decoder_threads: int,
        heads: WallHeads | None = None,
        providers: Sequence[str] = CPU_ONLY,
    ) -> None:
        self.description = description
        # Part of cache keys, for embeddings and for masks: changes with anything that changes them.
        self.identity: str = description.identity(heads.digest if heads else "")
        self._encoder = LazySession(
            description.encoder.path,
            sha256=description.encoder.sha256,
            threads=encoder_threads,
            check=check_encoder,
            providers=providers,
        )
        self._decoder = Decoder(description.decoder, threads=decoder_threads, providers=providers)
        self._heads = heads
        self._refiner = ClickRefiner()

    @classmethod
    def load(
        cls,
        directory: Path,
        *,
        encoder_threads: int,
        decoder_threads: int,
        encoder_file: str | None = None,
        decoder_file: str | None = None,
        heads_directory: Path | None = HEADS_DIRECTORY,
        providers: Sequence[str] = CPU_ONLY,
    ) -> SamModel:
        """Describe the model in `directory`; the graphs themselves are loaded when first run.

        Another export's files are named by `encoder_file` and `decoder_file`, or by a `model.json`
        in the folder. heads_directory: the wall heads, None for plain SAM; without the files, or
        for an encoder they were not trained on, the model is plain SAM too and a warning is logged.
        providers: ONNX Runtime's execution providers, the preferred one first.

        Raises:
            ModelError: no model is there.
        """
        found = describe(Path(directory), encoder=encoder_file, decoder=decoder_file)
        heads = None
        if heads_directory is not None:
            heads = _load_heads(
                found,
                heads_directory,
                encoder_threads=encoder_threads,
                threads=decoder_threads,
                providers=providers,
            )
        return cls(
            found,
            encoder_threads=encoder_threads,
            decoder_threads=decoder_threads,
            heads=heads,
            providers=providers,
        )

    @property
    def knows_walls(self) -> bool:
        """True when the wall heads are in use."""
        return self._heads is not None

    def warm_up(self) -> None:
        """Load every graph now, in this process.

        Raises:
            ModelError: a file cannot be used, or a provider is not there.
        """
        _ = self._encoder.signature
        self._decoder.warm_up()
        if self._heads is not None:
            self._heads.warm_up()

    def encode(self, photo: npt.NDArray[np.uint8]) -> Embedding:
        """Run the networks that run once a photo on a photo, uint8 H x W x 3 RGB.

        Raises:
            PhotoError: the array is no such photo.
            ModelError: a file cannot be used.
        """
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or 0 in photo.shape:
            raise PhotoError(f"photo is {photo.dtype} {photo.shape}, expected uint8 H x W x 3")
        height, width = photo.shape[:2]
        grid = PhotoGrid(width, height)
        photo = downscaled(photo)
        small = _resize(photo, grid.resized)
        signature = self._encoder.signature
        [features] = self._encoder.run(
            list(signature.outputs), {next(iter(signature.inputs)): encoder_input(small)}
        )
        wall_maps, tokens = (
            (None, None) if self._heads is None else self._heads.wall_maps_and_tokens(photo, grid)
        )
        return Embedding.build(
            features,
            wall_maps=wall_maps,
            tokens=tokens,
            width=width,
            height=height,
            model=self.identity,
            thumbnail=_thumbnail(small),
        )

    def predict(
        self,
        embedding: Embedding,
        clicks: Sequence[Click],
        box: Box | None = None,
        scope: Scope = Scope.AUTO,
        start: FloatArray | None = None,
    ) -> Prediction:
        """The wall that clicks and box point at.

        With the wall heads, each click accepts what fits it of the click network's proposal
        (`clicks.constraints`), and `scope` says whether one wall or all are meant (AUTO: inferred
        by `clicks.scope`); with a box, or without the heads, SAM decodes all clicks together.
        start: logits of `predict_auto` that the clicks correct; they may then be exclusions alone.

        Raises:
            PromptError: nothing is included, or a point is outside the photo.
            EmbeddingError: the embedding is another model's.
            ModelError: a file cannot be used.
        """
        self._check_embedding(embedding)
        heads = self._heads if box is None and self._decoder.shows_candidates else None
        if start is not None and heads is None:
            clicks = [middle_of_wall(start, embedding.grid), *clicks]
        check_prompt(clicks, box, embedding.grid, corrects=start is not None)
        if heads is not None:
            return self._refined_by_clicks(heads, embedding, clicks, scope, start)
        return self._decoded_together(embedding, clicks, box)

    def _decoded_together(
        self, embedding: Embedding, clicks: Sequence[Click], box: Box | None
    ) -> Prediction:
        """SAM's own mask for all clicks and the box."""
        prompt = encode_prompt(clicks, box, embedding.grid)
        candidates, scores = self._decoder.decode(embedding, prompt)
        chosen = choose_candidate(scores, prompt.labels.shape[1])
        seen = review(candidates[chosen], clicks, embedding.grid, self._wall_map(embedding))
        return Prediction(
            logits=honour_clicks(candidates[chosen], clicks, embedding.grid),
            candidates=candidates,
            scores=scores,
            score=float(np.clip(scores[chosen], 0, 1)),
            chosen=chosen,
            width=embedding.width,
            height=embedding.height,
            doubt=seen.doubt,
            warning=seen.warning,
            suggested=seen.suggested,
            clicks=tuple(clicks),
        )

    def _refined_by_clicks(
        self,
        heads: WallHeads,
        embedding: Embedding,
        clicks: Sequence[Click],
        scope: Scope,
        start: FloatArray | None,
    ) -> Prediction:
        began = b"" if start is None else hashlib.sha256(start.tobytes()).digest()
        networks = _PhotoNetworks(self._decoder, heads, embedding, scope)
        grid = embedding.grid
        done = self._refiner.refine(
            (embedding.digest, scope, began), networks, clicks, grid, start=start
        )
        last = self._decoder.decode_newest(embedding, clicks)
        seen = review(
            done.logits, clicks, grid, heads.walls(embedding), done.previous, done.proposed
        )
        return Prediction(
            logits=done.logits,
            candidates=last.candidates.astype(np.float32),
            scores=last.scores,
            score=seen.score,
            chosen=choose_candidate(last.scores, prompt_points=2),
            width=embedding.width,
            height=embedding.height,
            doubt=seen.doubt,
            warning=seen.warning,
            suggested=seen.suggested,
            clicks=tuple(clicks),
            scope=done.scope,
        )

    def predict_auto(self, embedding: Embedding, photo: npt.NDArray[np.uint8]) -> Prediction:
        """The wall of a photo without a click: where the wall heads see it.

        Without the heads, the best of a few clicks where walls usually are. photo: the uint8
        H x W x 3 RGB photo that `embedding` came from.

        Raises:
            PhotoError: the photo is another one.
            EmbeddingError: the embedding is another model's.
            ModelError: a file cannot be used.
        """
        self._check_embedding(embedding)
        if photo.shape[:2] != (embedding.height, embedding.width):
            raise PhotoError(f"photo {photo.shape} is not the embedding's")
        if self._heads is None or not self._decoder.shows_candidates:
            return self._best_of_usual_places(embedding)
        logits = self._heads.walls(embedding)
        seen = review(logits, [], embedding.grid, logits)
        return Prediction(
            logits=logits,
            candidates=logits[None],
            scores=np.array([seen.score], np.float32),
            score=seen.score,
            chosen=0,
            width=embedding.width,
            height=embedding.height,
            doubt=seen.doubt,
            warning=seen.warning,
            suggested=seen.suggested,
        )

    def _best_of_usual_places(self, embedding: Embedding) -> Prediction:
        """The most trusted mask of six clicks in the upper half, none of them the whole photo."""
        found = [
            self.predict(embedding, [Click(embedding.width * x, embedding.height * y, 1)])
            for x in (0.2, 0.5, 0.8)
            for y in (0.25, 0.45)
        ]
        return max(found, key=lambda p: p.score * min(p.area, 0.35) * (p.area < 0.85))

    def _wall_map(self, embedding: Embedding) -> FloatArray | None:
        return None if self._heads is None else self._heads.walls(embedding)

    def _check_embedding(self, embedding: Embedding) -> None:
        if embedding.model != self.identity:
            raise EmbeddingError(f"embedding of model {embedding.model}, this is {self.identity}")


@dataclass(frozen=True, slots=True)
class _PhotoNetworks:
    """The networks on one photo, as `ClickRefiner` uses them."""

    decoder: Decoder
    heads: WallHeads
    embedding: Embedding
    stated_scope: Scope

    @property
    def walls(self) -> FloatArray:
        """The wall that is predicted without a click."""
        return self.heads.walls(self.embedding)

    def observe(self, clicks: Sequence[Click]) -> ClickEvidence:
        """The evidence of the last of some clicks: SAM's masks and what is like its place."""
        newest = self.decoder.decode_newest(self.embedding, clicks)
        return self.heads.evidence(self.embedding, newest)

    def propose(
        self,
        newest: ClickEvidence,
        earlier: EarlierClicks,
        previous: FloatArray | None,
        scope: Scope,
    ) -> FloatArray:
        """The click network's output."""
        return self.heads.propose(self.embedding, newest, earlier, previous, scope)


def _load_heads(
    description: ModelDescription,
    directory: Path,
    *,
    encoder_threads: int,
    threads: int,
    providers: Sequence[str],
) -> WallHeads | None:
    if not description.heads:
        logger.warning("wall heads not used: they do not fit the encoder %s", description.name)
        return None
    try:
        return WallHeads(
            directory, encoder_threads=encoder_threads, threads=threads, providers=providers
        )
    except ModelError as error:
        logger.warning("wall heads not used: %s", error)
        return None


def downscaled(photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The photo halved by means of two by two pixels, while it stays twice the networks' input.

    Pillow copies a picture twice before it resizes it, which takes long for a large photo; from the
    halved one its result differs by less than one of 255. The wall network's reduction gets faster
    as well.
    """
    while max(photo.shape[:2]) >= _HALVED_FROM * MODEL_SIDE and min(photo.shape[:2]) > 1:
        size = photo.shape[1] // 2, photo.shape[0] // 2
        photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    return photo


def _resize(photo: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Antialiased bilinear, as SAM's ResizeLongestSide does it through Pillow."""
    image = Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8)


def encoder_input(small: npt.NDArray[np.uint8]) -> FloatArray:
    """SAM's input float32 1 x 3 x 1024 x 1024 of a photo on the 1024 grid, uint8 h x w x 3 RGB."""
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
