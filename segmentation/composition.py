"""How clicks become one wall when the wall heads are there.

Each click is decoded alone and the FusionHead weighs all of them against what it knows of walls.
At the very first click, which tells little, its answer is averaged with SAM prompted by the wall
map. Measured against SAM's joint decode in docs/models.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from segmentation.decoder import Decoder
from segmentation.geometry import MASK_SIDE, FloatArray, PhotoGrid
from segmentation.prompts import encode_prompt
from segmentation.runtime import as_float32
from segmentation.values import Click, Embedding
from segmentation.wall import DecodedClick, WallHeads

# Every click decides over the cells around it; 2.5 cells are 1 % of the photo's long side.
_HONOUR_RADIUS_CELLS: Final = 2.5
_HONOUR_LOGIT: Final = 4.0

_YY, _XX = np.mgrid[0:MASK_SIDE, 0:MASK_SIDE].astype(np.float32)


def wall_from_clicks(
    decoder: Decoder, heads: WallHeads, embedding: Embedding, clicks: Sequence[Click]
) -> tuple[FloatArray, DecodedClick]:
    """Wall logits float32 256 x 256 for at least one click, and the last click as decoded alone.

    The clicks are evidence here, not yet binding: see `honour_clicks`.
    """
    decoded = [decoder.decode_alone(embedding, click) for click in clicks]
    logits = heads.fuse(embedding, decoded)
    if len(decoded) == 1:
        prompted = prompted_by_wall(decoder, heads, embedding, clicks[0])
        logits = 0.5 * np.clip(prompted, -6, 6) + 0.5 * np.clip(2 * logits, -6, 6)
    return as_float32(logits), decoded[-1]


def honour_clicks(logits: FloatArray, clicks: Sequence[Click], grid: PhotoGrid) -> FloatArray:
    """The same logits with a small disc around each click on the side that its label asks for.

    Later clicks win where discs meet.
    """
    honoured = np.array(logits, np.float32)
    places = grid.photo_to_mask([(click.x, click.y) for click in clicks])
    for click, (x, y) in zip(clicks, places, strict=True):
        distance = np.sqrt((_XX - np.float32(x)) ** 2 + (_YY - np.float32(y)) ** 2)
        inside = distance < _HONOUR_RADIUS_CELLS
        dome = _HONOUR_LOGIT * (1 - distance[inside] / _HONOUR_RADIUS_CELLS)
        if click.label == 1:
            honoured[inside] = np.maximum(honoured[inside], dome)
        else:
            honoured[inside] = np.minimum(honoured[inside], -dome)
    return honoured


def prompted_by_wall(
    decoder: Decoder, heads: WallHeads, embedding: Embedding, click: Click
) -> FloatArray:
    """SAM's mask for one include click when given the wall map as a start, blended with the map.

    Of its candidates the one that agrees best with the map. Float32 256 x 256.
    """
    wall = heads.state(embedding).logit
    prompt = encode_prompt([click], None, embedding.grid)
    candidates, _ = decoder.decode(embedding, prompt, np.clip(2 * wall, -10, 10))
    agreement = [_iou(candidate > 0, wall > 0) for candidate in candidates]
    best = candidates[int(np.argmax(agreement))]
    [(x, y)] = embedding.grid.photo_to_mask([(click.x, click.y)])
    distance2 = (_XX - np.float32(x)) ** 2 + (_YY - np.float32(y)) ** 2
    near = 8 * np.exp(-distance2 / np.float32(40))
    return as_float32(0.6 * np.clip(best, -6, 6) + 0.8 * np.clip(wall, -5, 5) + near)


def _iou(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    union = int((a | b).sum())
    return float((a & b).sum()) / union if union else 1.0
