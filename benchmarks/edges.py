"""How near to the true edge a coarse mask comes, with and without the photo's colours.

    python -m benchmarks.edges [--every N] [--kinds training synthetic real]

No network is run: the true mask is reduced to the 256 grid, blurred and given smooth noise, as if
it came from the networks. Prints IoU, boundary F (tolerance of clickbench) and strict boundary F
(two pixels at a long side of 1024) of the enlarged line and of `segmentation.masks.edges`, and CPU
time. Labels of real rooms are coarse; those of rendered ones are exact.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from benchmarks.masks import SHARED, load_bench, strict_boundary
from segmentation import PhotoGrid
from segmentation.masks.edges import refine
from segmentation.masks.raster import coverage

cv2.setNumThreads(1)  # CPU time is that of one thread


def cases(kind: str) -> Iterator[tuple[Path, Path]]:
    """Photo and true mask of every room of a kind."""
    data = SHARED / "data"
    if kind != "real":
        for photo in sorted((data / kind).glob("*/photo.jpg")):
            yield photo, photo.with_name("wall.png")
        return
    for wall in sorted((data / "rooms").glob("*.wall.png")):
        stem = wall.name.removesuffix(".wall.png")
        for ending in (".jpg", ".png", ".jpeg"):
            if (photo := wall.with_name(stem + ending)).is_file():
                yield photo, wall


def coarse_logits(true: np.ndarray, grid: PhotoGrid, seed: int) -> np.ndarray:
    """The true mask as networks would see it: float32 256 x 256."""
    rng = np.random.default_rng(seed)
    columns, rows = grid.mask_extent
    small = cv2.resize(true, (columns, rows), interpolation=cv2.INTER_AREA)
    share = cv2.GaussianBlur(np.asarray(small, np.float32) / 255, (0, 0), 1.2)
    noise = cv2.GaussianBlur(np.asarray(rng.normal(size=(rows, columns)), np.float32), (0, 0), 2.5)
    logits = np.full((256, 256), -8, np.float32)
    logits[:rows, :columns] = 1.3 * np.log((share + 0.01) / (1.01 - share))
    logits[:rows, :columns] += 0.9 * noise / noise.std()
    return logits


def main() -> None:
    """Print both rows for every kind of room."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = ("training", "synthetic", "real")
    parser.add_argument("--kinds", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--every", type=int, default=1, help="take every so many-th room")
    options = parser.parse_args()
    bench = load_bench()
    for kind in options.kinds:
        rows: dict[str, list[list[float]]] = {"line": [], "colour": []}
        for seed, (photo_path, wall) in enumerate(list(cases(kind))[:: options.every]):
            with Image.open(photo_path) as image:
                photo = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
            with Image.open(wall) as image:
                true = np.asarray(image.convert("L"))
            grid = PhotoGrid(photo.shape[1], photo.shape[0])
            logits = coarse_logits(true, grid, seed)
            size = (grid.width, grid.height)
            for name in rows:
                start = time.process_time()
                mask = (
                    coverage(logits, grid, size) if name == "line" else refine(logits, photo, grid)
                )
                took = (time.process_time() - start) / (true.size / 1e6)
                made, wanted = mask > 127, true > 127
                scores = [bench.iou(made, wanted), bench.boundary_f(made, wanted)]
                rows[name].append([*scores, strict_boundary(bench, made, wanted), 1000 * took])
        for name, found in rows.items():
            iou, wide, strict, took = np.mean(found, axis=0)
            print(
                f"{kind:10}{name:7} n {len(found):3}  IoU {iou:.4f}  BF {wide:.3f}  "
                f"strict BF {strict:.3f}  {took:.0f} ms/MP"
            )


if __name__ == "__main__":
    main()
