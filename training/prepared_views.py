"""A sample before it is encoded: augmented or not, and laid on a padded square."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.augment import View, augment
from training.dataset import Sample, Uint8


def rng_of(sample: Sample, variant: str) -> np.random.Generator:
    """The random numbers of a sample's variant; the same in every call."""
    return np.random.default_rng([*(int(part) for part in sample.name.split("_")), ord(variant)])


def view_of(
    sample: Sample, pieces: list[tuple[Uint8, Uint8]], variant: str, rng: np.random.Generator
) -> View:
    """Variant "o" is the photo as rendered, any other letter an augmented one of the same size.

    pieces: `augment.cut_pieces`. Returns the photo uint8 H x W x 3 RGB, labels and planes uint8 H x
    W.
    """
    if variant == "o":
        return sample.photo, sample.labels, sample.planes
    height, width = sample.labels.shape
    return augment(sample, pieces, (height, width), rng)


def extent_on(side: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns that a picture of `shape` takes of a square of `side` cells."""
    scale = side / max(shape[:2])
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def on_square(picture: npt.NDArray[Any], side: int, method: int) -> npt.NDArray[Any]:
    """A picture h x w in the top left of side x side cells, as in SAM's input; zero elsewhere.

    method: OpenCV's interpolation. The dtype stays.
    """
    rows, columns = extent_on(side, picture.shape)
    square = np.zeros((side, side), picture.dtype)
    square[:rows, :columns] = cv2.resize(picture, (columns, rows), interpolation=method)
    return square
