"""Rendered rooms -> click samples: augmented views, encoded by the product's networks.

    python -m training.prepare_clicks --rooms DIR [DIR ...] --models var/models --out CACHE
        [--heads onnx_models/heads] [--unseen 7000-9000 ...] [--variants oab] [--part 0/1]

Runs the product's own encoder and wall networks, so that the click network learns from the inputs
it will have. The rooms must be ones that the wall networks did NOT train on: on its own training
rooms a network is too confident, and the click network would learn to trust it too much. They are
the rooms held back and those named by --unseen. A finished sample is skipped.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation import SamModel
from segmentation.geometry import MASK_SIDE
from segmentation.walls.heads import HEADS_DIRECTORY
from training.augment import View, cut_pieces
from training.click_samples import FORMAT, save_arrays
from training.dataset import WALL, is_held_back, is_in, load_folders
from training.prepared_views import extent_on, on_square, rng_of, view_of

_LEAST_CELLS: Final = 400


def click_arrays(model: SamModel, view: View) -> dict[str, npt.NDArray[Any]] | None:
    """The arrays of one `ClickSample`, or None when hardly any wall is in view.

    format: version of these arrays. embedding: its bytes. share: uint8 256 x 256, of wall in each
    cell. planes, labels: uint8 256 x 256, as in the rendered files. extent: rows and columns of the
    grid that hold the photo.
    """
    photo, labels, planes = view
    share = on_square((labels == WALL).astype(np.float32), MASK_SIDE, cv2.INTER_AREA)
    if (share > 0.5).sum() < _LEAST_CELLS:
        return None
    return {
        "format": np.array(FORMAT),
        "embedding": np.frombuffer(model.encode(np.ascontiguousarray(photo)).to_bytes(), np.uint8),
        "share": np.rint(share * 255).astype(np.uint8),
        "planes": on_square(planes, MASK_SIDE, cv2.INTER_NEAREST),
        "labels": on_square(labels, MASK_SIDE, cv2.INTER_NEAREST),
        "extent": np.array(extent_on(MASK_SIDE, labels.shape)),
    }


def main() -> None:
    """Prepare every room in every variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=Path, required=True, nargs="+")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--heads", type=Path, default=HEADS_DIRECTORY)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--unseen", nargs="*", default=[], metavar="FIRST-END")
    parser.add_argument("--variants", default="o")
    parser.add_argument("--part", default="0/1", help="K/N: every Nth room from the Kth")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model = SamModel.load(
        options.models, encoder_threads=1, decoder_threads=1, heads_directory=options.heads
    )
    if not model.knows_walls:
        raise SystemExit(f"No usable wall networks in {options.heads}.")
    samples = load_folders(options.rooms)
    pieces = cut_pieces(samples)
    samples = [
        sample for sample in samples if is_held_back(sample) or is_in(sample, options.unseen)
    ]
    first, every = (int(part) for part in options.part.split("/"))
    for variant in options.variants:
        for sample in samples[first::every]:
            path = options.out / f"{sample.name}_{variant}.npz"
            if path.exists():
                continue
            found = click_arrays(model, view_of(sample, pieces, variant, rng_of(sample, variant)))
            if found is not None:
                save_arrays(path, found)
                print(path.stem, flush=True)


if __name__ == "__main__":
    main()
