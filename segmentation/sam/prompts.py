"""Clicks and box as SAM's decoder wants them, and the official choice among its candidates.

Conventions of segment-anything's ONNX export (`segment_anything/utils/onnx.py` and its notebook):
labels 1 include, 0 exclude, 2 and 3 the box corners; without a box one padding point (0, 0) with
label -1 is appended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from segmentation.errors import PromptError
from segmentation.geometry import FloatArray, PhotoGrid
from segmentation.values import Box, Click

MAX_CLICKS: Final = 200
_PADDING_LABEL: Final = -1.0
_BOX_LABELS: Final = (2.0, 3.0)
_MULTIMASK_LIMIT: Final = 2.5
_REWEIGHT: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Prompt:
    """coords: float32 1 x N x 2 on the 1024 grid, (x, y); labels: float32 1 x N."""

    coords: FloatArray
    labels: FloatArray


def check_prompt(
    clicks: Sequence[Click], box: Box | None, grid: PhotoGrid, *, corrects: bool = False
) -> None:
    """Check that there is something to go by and that all of it lies on the photo.

    corrects: there is a mask already, so that exclusions alone mean something.

    Raises:
        PromptError: it is not so; `user_message` says what to do.
    """
    if len(clicks) > MAX_CLICKS:
        raise PromptError(
            f"{len(clicks)} clicks", user_message=f"At most {MAX_CLICKS} clicks can be used."
        )
    for click in clicks:
        if click.label not in (0, 1):
            raise PromptError(f"click label {click.label!r} is neither 1 nor 0")
        _check_point(click.x, click.y, grid)
    if box is not None:
        _check_point(box.x0, box.y0, grid)
        _check_point(box.x1, box.y1, grid)
        if box.x0 == box.x1 or box.y0 == box.y1:
            raise PromptError("empty box", user_message="Draw the box over some of the wall.")
    if box is None and not corrects and not any(click.label == 1 for click in clicks):
        raise PromptError("no include click and no box", user_message="Click on the wall first.")


def encode_prompt(clicks: Sequence[Click], box: Box | None, grid: PhotoGrid) -> Prompt:
    """The decoder's `point_coords` and `point_labels` for clicks in photo pixels."""
    points = [(click.x, click.y) for click in clicks]
    labels = [float(click.label) for click in clicks]
    if box is not None:
        points += [
            (min(box.x0, box.x1), min(box.y0, box.y1)),
            (max(box.x0, box.x1), max(box.y0, box.y1)),
        ]
        labels += list(_BOX_LABELS)
    else:
        points.append((0.0, 0.0))
        labels.append(_PADDING_LABEL)
    return Prompt(
        coords=grid.prompt_to_model(points)[None],
        labels=np.array(labels, np.float32)[None],
    )


def choose_candidate(scores: FloatArray, prompt_points: int) -> int:
    """Index of the mask that SAM's exported `select_masks` returns.

    scores: float32 (4,), the first being the single-mask token. prompt_points: length of the
    prompt, its padding point included. With one click the output is ambiguous and the best of the
    three others wins; from two on the single-mask token does.
    """
    if scores.shape[0] == 1:
        return 0
    reweight = np.zeros_like(scores)
    reweight[0] = _REWEIGHT
    return int(np.argmax(scores + (prompt_points - _MULTIMASK_LIMIT) * reweight))


def _check_point(x: float, y: float, grid: PhotoGrid) -> None:
    if not (math.isfinite(x) and math.isfinite(y) and grid.contains(x, y)):
        raise PromptError(
            f"point ({x}, {y}) outside {grid.width} x {grid.height}",
            user_message=(
                f"The point ({x:g}, {y:g}) is outside the photo, which is "
                f"{grid.width} x {grid.height} pixels."
            ),
        )
