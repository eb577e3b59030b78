"""Lossless ways to keep a photo of twelve megapixels: bytes, seconds to write and to read.

    python -m benchmarks.stored_photo [PHOTO]

Without a photo a made one is used (smooth, with a camera's noise, passed through JPEG at quality
92). One thread. Every candidate's pixels are read back and compared. The first line is the
baseline: Pillow's PNG at its default.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imaging import encode_stored_photo, read_stored

Pixels = NDArray[np.uint8]
SIZE = (4000, 3000)
REPEATS = 3


def make_photo(path: Path | None) -> Pixels:
    """A twelve-megapixel photo as a camera would write it (uint8, H x W x 3, RGB)."""
    if path is not None:
        image = Image.open(path).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        return np.asarray(image)
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(30, 226, (24, 32, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC)).astype(np.float32)
    noisy = np.clip(smooth + rng.normal(0, 2, smooth.shape), 0, 255).astype(np.uint8)
    target = BytesIO()
    Image.fromarray(noisy).save(target, "JPEG", quality=92)
    return np.asarray(Image.open(target).convert("RGB"))


def pillow(pixels: Pixels, kind: str, **options: Any) -> bytes:
    """`pixels` encoded by Pillow."""
    target = BytesIO()
    Image.fromarray(pixels).save(target, kind, **options)
    return target.getvalue()


def read_with_pillow(data: bytes) -> Pixels:
    """Pixels of `data` by Pillow."""
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


def best_of(action: Callable[[], Any]) -> tuple[Any, float]:
    """The result of `action` and its shortest time in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = action()
        times.append(time.perf_counter() - start)
    return result, min(times)


def main() -> None:
    """Print one line for each candidate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", nargs="?", type=Path)
    pixels = make_photo(parser.parse_args().photo)
    cv2.setNumThreads(1)
    candidates: dict[str, Callable[[], bytes]] = {
        "Pillow PNG, default": lambda: pillow(pixels, "PNG"),
        "Pillow PNG, level 1": lambda: pillow(pixels, "PNG", compress_level=1),
        "WebP lossless, method 0": lambda: pillow(
            pixels, "WEBP", lossless=True, method=0, quality=0
        ),
        "ours, at once": lambda: encode_stored_photo(pixels, compressed=False),
        "ours, packed": lambda: encode_stored_photo(pixels),
    }
    print(f"{'':26}{'MB':>8}{'write s':>9}{'read s':>8}")
    for name, encode in candidates.items():
        reader = read_stored if name.startswith("ours") else read_with_pillow
        data, writing = best_of(encode)
        back, reading = best_of(partial(reader, data))
        if not np.array_equal(back, pixels):
            raise SystemExit(f"{name} is not lossless")
        print(f"{name:26}{len(data) / 1e6:8.2f}{writing:9.2f}{reading:8.2f}", flush=True)


if __name__ == "__main__":
    main()
