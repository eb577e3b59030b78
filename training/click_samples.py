"""One prepared view of a photo that simulated users click on: its file, written and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segmentation import Embedding
from training.dataset import WALL, Uint8
from training.simulated_errors import BoolArray, Parts, parts_of

# Raise it when the arrays of a file change: older files are then refused.
FORMAT: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class ClickSample:
    """One prepared view, on SAM's 256 grid.

    share: uint8 256 x 256, of wall in each cell, 0..255. planes: uint8 256 x 256, number of the
    wall plane, 0 where nothing is wall. extent: rows and columns of the grid that hold the photo.
    parts: its objects and its wall parts.
    """

    name: str
    embedding: Embedding
    share: Uint8
    planes: Uint8
    extent: tuple[int, int]
    parts: Parts

    @classmethod
    def load(cls, path: Path) -> ClickSample:
        """Read what `prepare_clicks` wrote.

        Raises:
            SystemExit: the file is of another version of the programs.
        """
        with np.load(path) as arrays:
            if "format" not in arrays or int(arrays["format"]) != FORMAT:
                raise SystemExit(
                    f"{path} is of another version of training/prepare_clicks.py: "
                    "remove that folder and prepare the samples again."
                )
            rows, columns = (int(v) for v in arrays["extent"])
            labels, planes = arrays["labels"], arrays["planes"]
            # What lies off the photo is no object that could be taken for wall.
            labels[rows:], labels[:, columns:] = WALL, WALL
            return cls(
                path.stem,
                Embedding.from_bytes(arrays["embedding"].tobytes()),
                arrays["share"],
                planes,
                (rows, columns),
                parts_of(labels, planes),
            )

    @property
    def is_wall(self) -> BoolArray:
        """Cells that are mostly wall, bool 256 x 256."""
        return np.asarray(self.share > 127)


def save_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays beside the file's name and rename: a killed program leaves no half file."""
    draft = path.with_suffix(".new.npz")
    np.savez(draft, allow_pickle=False, **arrays)
    draft.rename(path)
