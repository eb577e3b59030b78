"""What a room becomes before it is encoded: a view of it, laid on a padded square, kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.augment import Sample, augment
from training.rooms import Room, Uint8


def dice_of(room: Room, variant: str) -> np.random.Generator:
    """The random numbers of a room's variant, the same whenever they are asked for."""
    return np.random.default_rng([*(int(part) for part in room.name.split("_")), ord(variant)])


def view_of(
    room: Room, pieces: list[tuple[Uint8, Uint8]], variant: str, rng: np.random.Generator
) -> Sample:
    """Variant "o" is the photo as rendered, any other letter an augmented one of its size."""
    if variant == "o":
        return room.photo, room.labels, room.planes
    height, width = room.labels.shape
    return augment(room, pieces, (height, width), rng)


def extent_on(side: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns that a picture of `shape` takes of a square of `side` cells."""
    scale = side / max(shape[:2])
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def on_square(picture: npt.NDArray[Any], side: int, method: int) -> npt.NDArray[Any]:
    """A picture h x w in the top left of side x side cells, as SAM's input lies; zero elsewhere."""
    rows, columns = extent_on(side, picture.shape)
    square = np.zeros((side, side), picture.dtype)
    square[:rows, :columns] = cv2.resize(picture, (columns, rows), interpolation=method)
    return square


def keep(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write a sample beside its name and move it there: a killed program leaves no half sample."""
    draft = path.with_suffix(".new.npz")
    np.savez(draft, **arrays)  # type: ignore[arg-type]
    draft.rename(path)
