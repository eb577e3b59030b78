"""SAM's prompt encoder and mask decoder: prompts in, candidate masks and scores out."""

from __future__ import annotations

from typing import Final

import numpy as np

from segmentation.cache import LruCache
from segmentation.contract import CANDIDATE_OUTPUTS, OFFICIAL_OUTPUTS, check_decoder
from segmentation.description import ModelFile
from segmentation.geometry import MASK_SIDE, FloatArray
from segmentation.prompts import Prompt, encode_prompt
from segmentation.runtime import LazySession, as_float32
from segmentation.values import Click, DecodedClick, Embedding

_NO_MASK: Final = np.zeros((1, 1, MASK_SIDE, MASK_SIDE), np.float32)
_CLICKS_KEPT: Final = 24  # 512 KB each: for who takes a click back, or asks for the same again


class Decoder:
    """One decoder file. Remembers the last clicks that were decoded alone, whoever made them."""

    def __init__(self, file: ModelFile, *, threads: int) -> None:
        self._session = LazySession(
            file.path, sha256=file.sha256, threads=threads, check=check_decoder
        )
        self._alone: LruCache[DecodedClick] = LruCache(_CLICKS_KEPT)

    def warm_up(self) -> None:
        """Load the graph now. Raises ModelError."""
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

        hint: float32 256 x 256, logits of a mask to start from. Raises ModelError.
        """
        feeds = {
            "image_embeddings": embedding.features,
            "point_coords": prompt.coords,
            "point_labels": prompt.labels,
            "mask_input": _NO_MASK if hint is None else hint[None, None],
            "has_mask_input": np.array([0 if hint is None else 1], np.float32),
        }
        outputs = CANDIDATE_OUTPUTS
        if "orig_im_size" in self._session.signature.inputs:
            # Its full-size output is thrown away: ask for the smallest, the mask comes from logits.
            feeds["orig_im_size"] = np.array([MASK_SIDE, MASK_SIDE], np.float32)
            outputs = OFFICIAL_OUTPUTS
        masks, scores = self._session.run(outputs, feeds)
        return as_float32(masks[0]), as_float32(scores[0])

    def decode_alone(self, embedding: Embedding, click: Click) -> DecodedClick:
        """One click decoded as if it were the only one and an include click.

        Kept by photo and place, so that a new click costs one decode and removing one costs none;
        an exclude click at the same place shares the decode.
        """
        found = self._alone.get_or_make(
            (embedding.digest, click.x, click.y), lambda: self._make_alone(embedding, click)
        )
        return DecodedClick(found.x, found.y, click.label, found.candidates, found.scores)

    def _make_alone(self, embedding: Embedding, click: Click) -> DecodedClick:
        prompt = encode_prompt([Click(click.x, click.y, 1)], None, embedding.grid)
        candidates, scores = self.decode(embedding, prompt)
        [(x, y)] = embedding.grid.photo_to_mask([(click.x, click.y)])
        return DecodedClick(float(x), float(y), 1, candidates.astype(np.float16), scores)
