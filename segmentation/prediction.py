"""The result for one set of clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.clicks.constraints import click_trust
from segmentation.clicks.features import Scope
from segmentation.geometry import FloatArray, PhotoGrid
from segmentation.masks.edges import refine, refined_field
from segmentation.masks.quality import Doubt
from segmentation.masks.raster import coverage, resized
from segmentation.values import Click


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Where the wall is, on the model's padded square grid.

    logits: float32 256 x 256, above 0 is wall. candidates: float32 K x 256 x 256, the decoder's own
    masks (K is 4, or 1 for an export that hides them). scores: float32 (K,), the decoder's guess of
    each candidate's IoU. chosen: index of the candidate that SAM's rule picks. score: how sure the
    model is of `logits`, 0..1. width, height: the photo's, in pixels. doubt, warning, suggested:
    what the quality check found (`quality.Review`). clicks: those it was made from; at their places
    the edge does not follow the photo's colours. scope: which walls they are taken to mean.
    """

    logits: FloatArray
    candidates: FloatArray
    scores: FloatArray
    score: float
    chosen: int
    width: int
    height: int
    doubt: Doubt | None = None
    warning: str | None = None
    suggested: Click | None = None
    clicks: tuple[Click, ...] = ()
    scope: Scope = Scope.AUTO

    @property
    def grid(self) -> PhotoGrid:
        """How the photo lies on the model's square."""
        return PhotoGrid(self.width, self.height)

    @property
    def area(self) -> float:
        """Share of the photo that is wall, 0..1."""
        columns, rows = self.grid.mask_extent
        return float((self.logits[:rows, :columns] > 0).mean())

    def mask(
        self,
        size: tuple[int, int] | None = None,
        *,
        photo: npt.NDArray[np.uint8] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Coverage uint8 height x width, 0..255; size is (width, height).

        Exactly 255 inside and 0 outside. photo: uint8 H x W x 3 RGB, the whole photo at any size,
        whose size is then the default: the edge follows its colours (`edges.refine`). Without it
        the edge ramp crosses 127.5 where the logits cross zero, and the default is the photo's
        size.
        """
        if photo is None:
            return coverage(self.logits, self.grid, size or (self.width, self.height))
        seen = photo if size is None else resized(photo, size)
        return refine(self.logits, seen, self.grid, trust=self._trust)

    def field(self, photo: npt.NDArray[np.uint8]) -> FloatArray:
        """What `mask(photo=photo)` thresholds: float32 at the photo's size, above 0 is wall."""
        return refined_field(self.logits, photo, self.grid, trust=self._trust)

    @property
    def _trust(self) -> FloatArray | None:
        """Where colour may move the edge; None, everywhere, without clicks."""
        return click_trust(self.clicks, self.grid) if self.clicks else None
