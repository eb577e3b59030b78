"""The two small networks that know what a wall is, on top of MobileSAM's embedding.

- WallHead: embedding -> wall logit on the 64 grid, no click needed;
- FusionHead: wall logit, clicks, each click's own SAM masks and the photo -> wall logit on the 256
  grid.

Trained on our own rendered rooms alone (`training/`). They read MobileSAM's features and fit no
other encoder. Optional: without the files the model is plain SAM.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from segmentation.cache import LruCache
from segmentation.contract import HeadCheck
from segmentation.errors import ModelError
from segmentation.geometry import FEATURE_SIDE, MASK_SIDE, FloatArray
from segmentation.runtime import LazySession, as_float32, file_digest
from segmentation.values import Embedding

HEADS_DIRECTORY: Final = Path(__file__).resolve().parent.parent / "onnx_models" / "heads"

_MANIFEST_FILE: Final = "heads.json"
_WALL_FILE: Final = "wall_head.onnx"
_FUSION_FILE: Final = "fusion_head.onnx"
_STATISTICS_FILE: Final = "embedding_stats.npz"
_MAPS: Final = 14
_PHOTOS_KEPT: Final = 64  # 32 KB each
_DISC_VARIANCE: Final = 32.0  # cells^2, as in training
_YY, _XX = np.mgrid[0:MASK_SIDE, 0:MASK_SIDE].astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class DecodedClick:
    """A click alone: position on the 256 grid, label, and SAM's four masks and scores for it.

    candidates: float16 4 x 256 x 256 logits; scores: float32 (4,).
    """

    x: float
    y: float
    label: int
    candidates: np.ndarray[tuple[int, ...], np.dtype[np.float16]]
    scores: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class WallState:
    """What the heads need of a photo whatever the clicks are.

    logit: float32 256 x 256, above 0 is wall. inverse_norms: float32 64 x 64, one over the length
    of each cell's standardised feature vector.
    """

    logit: FloatArray
    inverse_norms: FloatArray


class WallHeads:
    """Both heads and the statistics that standardise the embedding."""

    def __init__(self, directory: Path, *, threads: int) -> None:
        """Raises ModelError when a file is missing or is not the one that heads.json states."""
        paths = [directory / name for name in (_WALL_FILE, _FUSION_FILE, _STATISTICS_FILE)]
        digests = _stated_digests(directory / _MANIFEST_FILE, [path.name for path in paths])
        for path, stated in zip(paths, digests, strict=True):
            found = file_digest(path)
            if found != stated:
                raise ModelError(f"{path}: expected sha256 {stated}, found {found}")
        self.digest = hashlib.sha256(" ".join(digests).encode()).hexdigest()
        self._mean, self._inverse_deviation = _statistics(paths[2])
        self._wall = LazySession(
            paths[0],
            sha256=digests[0],
            threads=threads,
            check=HeadCheck(
                {"embedding": (1, 256, FEATURE_SIDE, FEATURE_SIDE)},
                {"logit": (1, 1, FEATURE_SIDE, FEATURE_SIDE)},
            ),
        )
        self._fusion = LazySession(
            paths[1],
            sha256=digests[1],
            threads=threads,
            check=HeadCheck(
                {"maps": (1, _MAPS, MASK_SIDE, MASK_SIDE)}, {"logit": (1, 1, MASK_SIDE, MASK_SIDE)}
            ),
        )
        self._states: LruCache[WallState] = LruCache(_PHOTOS_KEPT)

    def warm_up(self) -> None:
        """Load both graphs now. Raises ModelError."""
        _ = self._wall.signature, self._fusion.signature

    def state(self, embedding: Embedding) -> WallState:
        """The wall logit and feature norms of a photo, kept for the next click."""
        return self._states.get_or_make(embedding.digest, lambda: self._make_state(embedding))

    def fuse(self, embedding: Embedding, clicks: Sequence[DecodedClick]) -> FloatArray:
        """The FusionHead's wall logit, float32 256 x 256, for any number of clicks."""
        maps = self._maps(embedding, clicks)
        [logit] = self._fusion.run(["logit"], {"maps": maps[None]})
        return as_float32(logit[0, 0])

    def _make_state(self, embedding: Embedding) -> WallState:
        [logit] = self._wall.run(["logit"], {"embedding": embedding.features})
        enlarged = cv2.resize(
            as_float32(logit[0, 0]), (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_LINEAR
        )
        unit = (embedding.features[0] - self._mean) * self._inverse_deviation
        norms = np.sqrt(np.einsum("kyx,kyx->yx", unit, unit)) + 1e-6
        return WallState(as_float32(enlarged), as_float32(1 / norms))

    def _maps(self, embedding: Embedding, clicks: Sequence[DecodedClick]) -> FloatArray:
        """The FusionHead's input, float32 14 x 256 x 256.

        0 tanh(wall logit / 3); 1, 2 discs at include and exclude clicks; 3, 4 similarity of the
        features to those under them; 5-7 and 8-10 SAM's three masks of them; 11-13 the photo.
        Of several clicks the largest value counts; absent clicks leave zeros.
        """
        state = self.state(embedding)
        maps = np.zeros((_MAPS, MASK_SIDE, MASK_SIDE), np.float32)
        np.tanh(state.logit / 3, out=maps[0])
        for label, disc, similarity, first in ((1, 1, 3, 5), (0, 2, 4, 8)):
            some = [click for click in clicks if click.label == label]
            if not some:
                continue
            maps[disc] = np.max([_disc(click) for click in some], axis=0)
            near = np.max([self._similarity(embedding, state, click) for click in some], axis=0)
            maps[similarity] = cv2.resize(
                near, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_LINEAR
            )
            # tanh grows with its argument: the largest logit gives the largest tanh.
            best = np.max([click.candidates[1:] for click in some], axis=0)
            np.tanh(best.astype(np.float32) / 4, out=maps[first : first + 3])
        maps[11:14] = embedding.thumbnail.transpose(2, 0, 1) / np.float32(255) - np.float32(0.5)
        return maps

    def _similarity(
        self, embedding: Embedding, state: WallState, click: DecodedClick
    ) -> FloatArray:
        """Cosine of every cell's standardised features with the clicked cell's, 64 x 64."""
        cell = MASK_SIDE // FEATURE_SIDE
        row, column = (
            min(FEATURE_SIDE - 1, max(0, int(value) // cell)) for value in (click.y, click.x)
        )
        features = embedding.features[0]
        unit = (features[:, row, column] - self._mean[:, 0, 0]) * self._inverse_deviation[:, 0, 0]
        # a . ((f - mean) / deviation) = (a / deviation) . f - (a / deviation) . mean
        weights = as_float32(unit * self._inverse_deviation[:, 0, 0])
        product = np.tensordot(weights, features, 1) - weights @ self._mean[:, 0, 0]
        return as_float32(product * state.inverse_norms * state.inverse_norms[row, column])


def _stated_digests(path: Path, names: Sequence[str]) -> list[str]:
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return [str(files[name]["sha256"]) for name in names]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: no digests of the wall heads: {error!r}") from error


def _disc(click: DecodedClick) -> FloatArray:
    distance2 = (_XX - np.float32(click.x)) ** 2 + (_YY - np.float32(click.y)) ** 2
    return as_float32(np.exp(-distance2 / np.float32(_DISC_VARIANCE)))


def _statistics(path: Path) -> tuple[FloatArray, FloatArray]:
    """Mean and one over the standard deviation of the training embeddings, both 256 x 1 x 1."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            mean, deviation = as_float32(arrays["mu"]), as_float32(arrays["sd"])
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: not the embedding statistics: {error!r}") from error
    return as_float32(mean.reshape(256, 1, 1)), as_float32(1 / deviation.reshape(256, 1, 1))
