"""Training samples: the photos and label maps that `render_rooms.py` wrote, read back as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Uint8 = npt.NDArray[np.uint8]

# Classes of labels.png, in its order.
CLASSES: Final = (
    "other",
    "wall",
    "floor",
    "ceiling",
    "door",
    "window",
    "trim",
    "object",
    "curtain",
    "flat",
)
WALL: Final = 1
CEILING: Final = 3
DOOR: Final = 4
OBJECT: Final = 7
FLAT: Final = 9

_HELD_BACK_PERCENT: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One rendered photo with its labels. name: ROOM_VIEW, two numbers.

    photo: uint8 H x W x 3 RGB. labels: uint8 H x W, index into CLASSES. planes: uint8 H x W, number
    of the wall plane, 0 where nothing is wall.
    """

    name: str
    photo: Uint8
    labels: Uint8
    planes: Uint8

    @property
    def room_number(self) -> str:
        """The room's number. Its views must never be split between training and validation."""
        return self.name.split("_")[0]


def load_samples(directory: Path) -> list[Sample]:
    """All samples of a folder, by name.

    Raises:
        SystemExit: there are none, or one lacks a file.
    """
    samples = [_load(path.parent) for path in sorted(directory.glob("*/photo.jpg"))]
    if not samples:
        raise SystemExit(f"No rooms in {directory}: run training/render_rooms.py first.")
    return samples


def load_folders(directories: Sequence[Path]) -> list[Sample]:
    """`load_samples` of several folders, in their order."""
    return [sample for directory in directories for sample in load_samples(directory)]


def is_in(sample: Sample, spans: Sequence[str]) -> bool:
    """True when the sample's room lies in one of "FIRST-END" (the end excluded)."""
    ends = (span.split("-") for span in spans)
    return any(int(first) <= int(sample.room_number) < int(end) for first, end in ends)


def is_held_back(sample: Sample) -> bool:
    """True for samples of the rooms, one in eight, that never train.

    Chosen by a hash of the room's number, so that further rooms change nothing.
    """
    return room_is_held_back(sample.room_number)


def room_is_held_back(room_number: str) -> bool:
    """`is_held_back` by a room's number."""
    digest = hashlib.sha256(room_number.encode()).digest()
    return digest[0] * 100 // 256 < _HELD_BACK_PERCENT


def _load(directory: Path) -> Sample:
    photo = cv2.imread(str(directory / "photo.jpg"), cv2.IMREAD_COLOR)
    labels = cv2.imread(str(directory / "labels.png"), cv2.IMREAD_GRAYSCALE)
    wall = cv2.imread(str(directory / "wall.png"), cv2.IMREAD_GRAYSCALE)
    planes = cv2.imread(str(directory / "planes.png"), cv2.IMREAD_GRAYSCALE)
    if photo is None or labels is None or wall is None or planes is None:
        raise SystemExit(f"{directory} lacks photo.jpg, labels.png, wall.png or planes.png.")
    is_wall = wall > 127
    # wall.png decides: it is drawn with more samples than labels.png along thin objects.
    others = np.where(labels == WALL, 0, labels)
    return Sample(
        directory.name,
        np.ascontiguousarray(photo[:, :, ::-1], np.uint8),
        np.where(is_wall, WALL, others).astype(np.uint8),
        np.where(is_wall, planes, 0).astype(np.uint8),
    )
