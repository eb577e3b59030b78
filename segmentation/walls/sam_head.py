"""The wall head on MobileSAM's own features, and their likeness to a click.

The head was trained on our rendered rooms (`training/`); it fits no other encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from segmentation.cache import LruCache
from segmentation.errors import ModelError
from segmentation.geometry import FEATURE_SIDE, MASK_SIDE, FloatArray, coarse_cell
from segmentation.runtime import CPU_ONLY, LazySession, as_float32
from segmentation.sam.contract import HeadCheck
from segmentation.values import Embedding

_PHOTOS_KEPT: Final = 64  # 32 KB each


@dataclass(frozen=True, slots=True, eq=False)
class SamView:
    """What the features of a photo say whatever the clicks are.

    logit: float32 64 x 64, above 0 is wall. inverse_norms: float32 64 x 64, one over the length
    of each cell's standardised feature vector.
    """

    logit: FloatArray
    inverse_norms: FloatArray


class SamWallHead:
    """The head and the statistics that standardise the embedding."""

    def __init__(
        self,
        head: Path,
        statistics: Path,
        *,
        sha256: str | None,
        threads: int,
        providers: Sequence[str] = CPU_ONLY,
    ) -> None:
        """Read the statistics; the graph is loaded when first run.

        Raises:
            ModelError: the statistics cannot be read.
        """
        self._mean, self._inverse_deviation = _read_statistics(statistics)
        self._session = LazySession(
            head,
            sha256=sha256,
            threads=threads,
            check=HeadCheck(
                {"embedding": (1, 256, FEATURE_SIDE, FEATURE_SIDE)},
                {"logit": (1, 1, FEATURE_SIDE, FEATURE_SIDE)},
            ),
            providers=providers,
        )
        self._views: LruCache[str, SamView] = LruCache(_PHOTOS_KEPT)

    def warm_up(self) -> None:
        """Load the graph now.

        Raises:
            ModelError: the file cannot be used.
        """
        _ = self._session.signature

    def view(self, embedding: Embedding) -> SamView:
        """Of one photo, kept for the next click."""
        return self._views.get_or_make(embedding.digest, lambda: self._make_view(embedding))

    def similarity(self, embedding: Embedding, x: float, y: float) -> FloatArray:
        """Cosine of every cell's standardised features with those under (x, y), 64 x 64.

        x, y: on the mask grid.
        """
        view = self.view(embedding)
        each = MASK_SIDE // FEATURE_SIDE
        row, column = coarse_cell(x, y, each, (FEATURE_SIDE, FEATURE_SIDE))
        features = embedding.features[0]
        unit = (features[:, row, column] - self._mean[:, 0, 0]) * self._inverse_deviation[:, 0, 0]
        # a . ((f - mean) / deviation) = (a / deviation) . f - (a / deviation) . mean
        weights = as_float32(unit * self._inverse_deviation[:, 0, 0])
        product = np.tensordot(weights, features, 1) - weights @ self._mean[:, 0, 0]
        return as_float32(product * view.inverse_norms * view.inverse_norms[row, column])

    def _make_view(self, embedding: Embedding) -> SamView:
        [logit] = self._session.run(["logit"], {"embedding": embedding.features})
        unit = (embedding.features[0] - self._mean) * self._inverse_deviation
        norms = np.sqrt(np.einsum("kyx,kyx->yx", unit, unit)) + 1e-6
        return SamView(as_float32(logit[0, 0]), as_float32(1 / norms))


def _read_statistics(path: Path) -> tuple[FloatArray, FloatArray]:
    """Mean and one over the standard deviation of the training embeddings, both 256 x 1 x 1."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            mean, deviation = as_float32(arrays["mu"]), as_float32(arrays["sd"])
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: not the embedding statistics: {error!r}") from error
    return as_float32(mean.reshape(256, 1, 1)), as_float32(1 / deviation.reshape(256, 1, 1))
