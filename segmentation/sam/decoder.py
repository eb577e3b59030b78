"""SAM's prompt encoder and mask decoder: prompts in, candidate masks and scores out."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np

from segmentation.cache import LruCache
from segmentation.geometry import MASK_SIDE, FloatArray
from segmentation.runtime import CPU_ONLY, LazySession, as_float32
from segmentation.sam.contract import (
    CANDIDATE_OUTPUTS,
    OFFICIAL_OUTPUTS,
    PHOTO_CELLS,
    check_decoder,
)
from segmentation.sam.description import ModelFile
from segmentation.sam.prompts import Prompt, encode_prompt
from segmentation.values import Click, DecodedClick, Embedding

# Digest of the photo, x and y of the click, places that count against it.
ClickKey = tuple[Hashable, ...]

_NO_MASK: Final = np.zeros((1, 1, MASK_SIDE, MASK_SIDE), np.float32)
_CLICKS_KEPT: Final = 24  # 512 KB each: for who takes a click back, or asks for the same again
# Further ones add nothing to the outline of what was clicked on, but time.
_MOST_AGAINST: Final = 6


class Decoder:
    """One decoder file. Remembers the last clicks, whoever made them."""

    def __init__(
        self, file: ModelFile, *, threads: int, providers: Sequence[str] = CPU_ONLY
    ) -> None:
        self._session = LazySession(
            file.path,
            sha256=file.sha256,
            threads=threads,
            check=check_decoder,
            providers=providers,
        )
        self._clicks: LruCache[ClickKey, DecodedClick] = LruCache(_CLICKS_KEPT)

    def warm_up(self) -> None:
        """Load the graph now.

        Raises:
            ModelError: the file cannot be used.
        """
        _ = self._session.signature

    @property
    def shows_candidates(self) -> bool:
        """True when all four candidates come out, not only the chosen one. Loads the graph."""
        outputs = self._session.signature.outputs
        if set(CANDIDATE_OUTPUTS) <= set(outputs):
            return True
        return outputs["low_res_masks"].shape[1] == 4

    def decode(
        self, embedding: Embedding, prompt: Prompt, hint: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Candidates float32 K x 256 x 256 and their scores (K,).

        Beside the photo the candidates are what SAM imagines there, or nothing, as the file has it.
        hint: float32 256 x 256, logits of a mask to start from.

        Raises:
            ModelError: the file cannot be used.
        """
        feeds = {
            "image_embeddings": embedding.features,
            "point_coords": prompt.coords,
            "point_labels": prompt.labels,
            "mask_input": _NO_MASK if hint is None else hint[None, None],
            "has_mask_input": np.array([0 if hint is None else 1], np.float32),
        }
        outputs = CANDIDATE_OUTPUTS
        if PHOTO_CELLS in self._session.signature.inputs:
            feeds[PHOTO_CELLS] = np.array(embedding.grid.feature_extent[::-1], np.float32)
        if "orig_im_size" in self._session.signature.inputs:
            # Its full-size output is thrown away: ask for the smallest, the mask comes from logits.
            feeds["orig_im_size"] = np.array([MASK_SIDE, MASK_SIDE], np.float32)
            outputs = OFFICIAL_OUTPUTS
        masks, scores = self._session.run(outputs, feeds)
        return as_float32(masks[0]), as_float32(scores[0])

    def decode_newest(self, embedding: Embedding, clicks: Sequence[Click]) -> DecodedClick:
        """The last of `clicks` as an include, against the nearest earlier ones of the other label.

        SAM shows the thing that was clicked on; earlier clicks of the other label bound it. Later
        clicks are better so (training/EXPERIMENTS.md). Kept by photo and places, so that a new
        click costs one decode and removing the newest one costs none.
        """
        newest, known = clicks[-1], clicks[:-1]
        against = sorted(
            {(click.x, click.y) for click in known if click.label != newest.label},
            key=lambda place: math.dist(place, (newest.x, newest.y)),
        )[:_MOST_AGAINST]
        found = self._clicks.get_or_make(
            (embedding.digest, newest.x, newest.y, *against),
            lambda: self._make(embedding, newest, against),
        )
        return DecodedClick(found.x, found.y, newest.label, found.candidates, found.scores)

    def _make(
        self, embedding: Embedding, click: Click, against: Sequence[tuple[float, float]]
    ) -> DecodedClick:
        points = [Click(click.x, click.y, 1), *(Click(x, y, 0) for x, y in against)]
        candidates, scores = self.decode(embedding, encode_prompt(points, None, embedding.grid))
        [(x, y)] = embedding.grid.photo_to_mask([(click.x, click.y)])
        return DecodedClick(float(x), float(y), 1, candidates.astype(np.float16), scores)
